/** Numbers as Java's `Double.toString` writes them: 275.0, 1.08749912E8, 2.8E-5, NaN, Infinity. */

/** Java turns to scientific notation from here on; and below one thousandth. */
export const SCIENTIFIC_FROM = 1e7;

/** The number as text; its digits are the shortest that read back as the same double. */
export function javaDouble(value: number): string {
    const size = Math.abs(value);
    if (Number.isNaN(size) || size === Infinity) {
        return String(value);
    }
    if (size === 0 || (size >= 0.001 && size < SCIENTIFIC_FROM)) {
        return Number.isInteger(value) ? `${value}.0` : String(value);
    }
    const [mantissa = '', exponent = ''] = value.toExponential().split('e');
    return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${exponent.replace('+', '')}`;
}
