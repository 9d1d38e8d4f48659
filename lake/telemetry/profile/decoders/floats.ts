/** Binary floating point numbers as the shortest decimal text that means them: 21.3 sent as a 32-bit float is `21.3`, not 21.299999237060547. */

export function shortestFloat32(value: number): string {
    return shortest(value, Math.fround, 9);
}

export function shortestFloat16(value: number): string {
    return shortest(value, roundToHalf, 5);
}

function shortest(value: number, round: (value: number) => number, mostDigits: number): string {
    if (!Number.isFinite(value)) {
        return String(value);
    }
    for (let digits = 1; digits < mostDigits; digits++) {
        const text = value.toPrecision(digits);
        if (round(Number(text)) === value) {
            return Object.is(value, -0) ? '-0' : String(Number(text));
        }
    }
    return String(Number(value.toPrecision(mostDigits)));
}

/** The nearest number of IEEE 754 binary16; a half goes to the even one. */
function roundToHalf(value: number): number {
    const size = Math.abs(value);
    if (size === 0 || size >= 65_520) {
        return size === 0 ? value : Math.sign(value) * Number.POSITIVE_INFINITY;
    }
    // Eleven digits of the binary mantissa; below 2^-14 the step stays that of the smallest numbers.
    const step = 2 ** (Math.max(Math.floor(Math.log2(size)), -14) - 10);
    const steps = size / step;
    const whole = Math.floor(steps);
    const isUp = steps - whole > 0.5 || (steps - whole === 0.5 && whole % 2 === 1);
    return Math.sign(value) * (whole + (isUp ? 1 : 0)) * step;
}
