/** Floats as the shortest decimal text that means them, as JSON has it: what is no number stands as a text. */

/** @param bytes a float of IEEE 754 with its highest byte first: 2, 4 or 8 bytes */
export function floatText(bytes: Buffer): string {
    const value = bytes.length === 2 ? halfIn(bytes) : bytes.length === 4 ? bytes.readFloatBE() : bytes.readDoubleBE();
    if (!Number.isFinite(value)) {
        return JSON.stringify(String(value));
    }
    if (value === 0) {
        return Object.is(value, -0) ? '-0' : '0';
    }
    // A double is known by 17 digits, a narrower float by fewer.
    for (let digits = 1; digits < 17; digits += 1) {
        const text = value.toPrecision(digits);
        if (isNearest(Number(text), value, bytes.length)) {
            return text;
        }
    }
    return value.toPrecision(17);
}

/** True if no float of this many bytes is nearer to the number than the value is. */
function isNearest(number: number, value: number, length: number): boolean {
    if (length === 8) {
        return number === value;
    }
    if (length === 4) {
        return Math.fround(number) === value;
    }
    const [below, above] = [nextHalf(value, -1), nextHalf(value, 1)];
    const isEven = (stepOf(value) === 0 ? 0 : Math.abs(value) / stepOf(value)) % 2 === 0;
    const [low, high] = [(below + value) / 2, (above + value) / 2];
    return isEven ? number >= low && number <= high : number > low && number < high;
}

/** The step between a float of 2 bytes and its neighbours away from zero: ten digits of the mantissa behind the first. */
function stepOf(value: number): number {
    let power = -14;
    while (power < 15 && Math.abs(value) >= 2 ** (power + 1)) {
        power += 1;
    }
    return 2 ** (power - 10);
}

/** The neighbour of a float of 2 bytes; behind the last one the number where the next would be. */
function nextHalf(value: number, direction: 1 | -1): number {
    const step = stepOf(value);
    // Towards zero from a power of two the step is half as wide, down to that of the smallest ones.
    const isTowardsZero = Math.sign(value) !== direction;
    const isPower = Math.abs(value) > 2 ** -14 && Number.isInteger(Math.log2(Math.abs(value)));
    return value + direction * (isTowardsZero && isPower ? step / 2 : step);
}

function halfIn(bytes: Buffer): number {
    const bits = bytes.readUInt16BE();
    const sign = bits >> 15 === 1 ? -1 : 1;
    const [exponent, mantissa] = [(bits >> 10) & 31, bits & 1023];
    if (exponent === 31) {
        return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    }
    return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1024 + mantissa) * 2 ** (exponent - 25);
}
