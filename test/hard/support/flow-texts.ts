/** Files of flows drawn by chance, and what texts come to: whole numbers added up from the very lines, with nothing of the lake's code. */
import { Random } from '#sample/random';
import type { Figures } from '#test/support/small-files';

const HEADER = 'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts';

/** Whole numbers by chance; the same for the same seed. */
export interface Chance {
    /** 0 <= x < `limit`. */
    below(limit: number): number;
    oneOf<T>(items: readonly T[]): T;
}

export function openChance(seed: number): Chance {
    const random = new Random(seed, 0);
    const below = (limit: number): number => random.next() % limit;
    return { below, oneOf: <T>(items: readonly T[]): T => items[below(items.length)] as T };
}

/** A file of so many rows over so many days of January 2026 from the 13th on, so that the dates are plain; every twentieth row cannot be used. */
export function drawText(chance: Chance, { rows, days = 1 }: { rows: number; days?: number }): string {
    const first = 13 + chance.below(6);
    const lines = Array.from({ length: rows }, (_, at) => {
        const duration = at % 20 === 19 ? 'NaN' : chance.below(1_000_000);
        const day = first + chance.below(days);
        const [src, dst] = [chance.below(20), chance.below(20)];
        // The last packets are of no other file: equal bytes under two names are refused.
        return `10.0.0.${src},10.1.0.${dst},${day}/01/2026 12:00:00,${duration},${chance.below(2 ** 31)}`;
    });
    return `${[HEADER, ...lines].join('\n')}\n`;
}

/** The figures of texts, each counted for its site; as `readFigures` tells those of a lake. */
export function recount(texts: Iterable<{ text: string; site: string }>): Figures {
    const totals = new Map<string, bigint[]>();
    for (const { text, site } of texts) {
        for (const line of text.split('\n').slice(1)) {
            const [src = '', dst = '', time = '', duration = '', packets = ''] = line.split(',');
            if (/^\d+$/.test(duration)) {
                const [date = ''] = time.split(' ');
                const key = [date.split('/').reverse().join('-'), site, src, dst].join(' ');
                totals.set(key, added(totals.get(key), BigInt(duration), BigInt(packets)));
            }
        }
    }
    return new Map([...totals].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, values]) => [key, values.join(' ')]));
}

/** Flows, those of them with a duration (all), and of both measures sum, sum of squares, smallest and largest. */
function added(before: bigint[] | undefined, ...measures: [bigint, bigint]): bigint[] {
    const [flows = 0n, , ...of] = before ?? [];
    return [
        flows + 1n,
        flows + 1n,
        ...measures.flatMap((value, at) => {
            const [sum = 0n, squares = 0n, least = 0n, most = 0n] = of.slice(4 * at, 4 * at + 4);
            return [
                sum + value,
                squares + value * value,
                of.length === 0 || value < least ? value : least,
                of.length === 0 || value > most ? value : most,
            ];
        }),
    ];
}
