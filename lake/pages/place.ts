/** Coordinates in what the registry calls a place. */

/** A geo URI (RFC 5870), `geo:52.52,13.405`, or the two numbers alone, latitude first. */
const COORDINATES = /^(?:geo:)?\s*([+-]?\d{1,2}(?:\.\d+)?)\s*,\s*([+-]?\d{1,3}(?:\.\d+)?)(?:[,;].*)?$/i;

/** The coordinates that the text says; undefined where it says none: `boiler room`. */
export function placeOf(text: string): { latitude: number; longitude: number } | undefined {
    const [, first, second] = COORDINATES.exec(text.trim()) ?? [];
    const [latitude, longitude] = [Number(first), Number(second)];
    const isOne = first !== undefined && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
    return isOne ? { latitude, longitude } : undefined;
}
