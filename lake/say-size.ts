/** Says sizes and prices: one spelling for the whole program, for talk and never for data. */

export const SCALES = [
    { suffix: 'T', from: 1e12 },
    { suffix: 'G', from: 1e9 },
    { suffix: 'M', from: 1e6 },
    { suffix: 'k', from: 1e3 },
];

/** A size in decimal units: `1.5 MB`, `812 B`. */
export function sayBytes(bytes: number): string {
    const scale = SCALES.find(({ from }) => bytes >= from * 0.9995);
    return scale === undefined ? `${Math.round(bytes)} B` : `${(bytes / scale.from).toFixed(1)} ${scale.suffix}B`;
}

/** A sum of US dollars: `$0.0125`; the least that is shown is `$0.0001`. */
export function sayUsd(usd: number): string {
    return usd > 0 && usd < 0.00005 ? 'less than $0.0001' : `$${usd.toFixed(4)}`;
}

/** What was read of the data, and its list price: `2.5 GB: $0.0125`. */
export function sayScanned({ bytes, costUsd }: { bytes: number; costUsd: number }): string {
    return `${sayBytes(bytes)}: ${sayUsd(costUsd)}`;
}
