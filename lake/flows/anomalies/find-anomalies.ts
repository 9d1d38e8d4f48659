/**
 * Unusual days in one pass over the days: the answer to sql/flows/queries/anomalies.sql, row by row the same. SQL copies the past of every day and
 * sorts it; here a pair's last days are held once, which takes a fifteenth of the time (docs/performance.md).
 */
import type { Pass, PassAnswer } from '#lake/kind';
import { compareTexts } from '#lake/rows';
import { RefusedParquetError } from '../formats/parquet/refused.ts';
import { DamagedFileError } from '../zstd-frames.ts';
import { type PairDayRows, readPairDays } from './pair-days.ts';
import { type PairName, PairNumbers } from './pair-numbers.ts';
import { Pasts, type Verdict } from './pasts.ts';

/** A pair has two places in three measures, of 28 doubles each: 1.3 kB. SQL answers for lakes with more pairs, whatever it takes. */
const MAX_PAIRS = 2 ** 18;

const COLUMNS = [
    ...['site', 'src_ip', 'dst_ip', 'day', 'measure'].map((name) => ({ name, type: 'varchar' })),
    ...['value', 'usual', 'usual_low', 'usual_high'].map((name) => ({ name, type: 'bigint' })),
    { name: 'score', type: 'double' },
];

interface Anomaly extends PairName, Verdict {
    day: string;
    measure: string;
    value: number;
}

/**
 * The rows that the query finds with these parameters in days that ascend. Undefined where SQL must be asked: for objects that are damaged or not as
 * flowlake writes them, figures above 2^53, a pair that stands twice in a day, more pairs than fit into memory.
 */
export const findAnomalies: Pass = async (days, [site, to, from, top]) => {
    const search = new Search({ site: typeof site === 'string' ? site : undefined, from: String(from ?? ''), top: Number(top) });
    try {
        for (const { period, read } of days) {
            if (to === null || to === undefined || period <= String(to)) {
                await read((bytes) => search.take(period, (pairs) => readPairDays(bytes, pairs)));
            }
        }
    } catch (error) {
        if (error instanceof RefusedParquetError || error instanceof DamagedFileError) {
            return undefined;
        }
        throw error;
    }
    return { columns: COLUMNS, rows: search.newest().map(toRow) };
};

class Search {
    readonly #from: string;
    readonly #top: number;
    readonly #pairs: PairNumbers;
    readonly #flows = new Pasts();
    readonly #durations = new Pasts();
    readonly #packets = new Pasts();
    /** The last day of each pair. */
    #dayOf = new Int32Array(0);
    #day = 0;
    /** Found days, ascending, each in its order; older ones go once there are enough. */
    readonly #found: Anomaly[][] = [];
    #count = 0;

    constructor({ site, from, top }: { site: string | undefined; from: string; top: number }) {
        this.#from = from;
        this.#top = top;
        this.#pairs = new PairNumbers({ site, maxPairs: MAX_PAIRS });
    }

    async take(day: string, read: (pairs: PairNumbers) => AsyncIterable<PairDayRows>): Promise<void> {
        const found: Anomaly[] = [];
        this.#day += 1;
        for await (const rows of read(this.#pairs)) {
            this.#takeRows(rows, { day, found });
        }
        found.sort(byOrder);
        this.#found.push(found);
        this.#count += found.length;
        for (let oldest = this.#found[0]; oldest && this.#count - oldest.length >= this.#top; oldest = this.#found[0]) {
            this.#count -= oldest.length;
            this.#found.shift();
        }
    }

    #takeRows(
        { count, pairs, flows, timedFlows, durations, packets }: PairDayRows,
        { day, found }: { day: string; found: Anomaly[] },
    ): void {
        const isJudged = day >= this.#from;
        const weekend = isWeekend(day) ? 1 : 0;
        this.#grow();
        const tell = (pair: number, measure: string, value: number, verdict: Verdict): void => {
            found.push({ ...this.#pairs.nameOf(pair), day, measure, value, ...verdict });
        };
        const take = (pasts: Pasts, pair: number, measure: string, value: number): void => {
            const place = pair * 2 + weekend;
            const verdict = isJudged ? pasts.judge(place, value) : undefined;
            if (verdict) {
                tell(pair, measure, value, verdict);
            }
            pasts.add(place, value);
        };
        for (let row = 0; row < count; row += 1) {
            const pair = pairs[row] as number;
            if (pair < 0) {
                continue;
            }
            if (this.#dayOf[pair] === this.#day) {
                throw new RefusedParquetError('a pair stands twice in a day');
            }
            this.#dayOf[pair] = this.#day;
            take(this.#flows, pair, 'flows', flows[row] as number);
            take(this.#packets, pair, 'fwd_pkts_sum', packets[row] as number);
            if ((timedFlows[row] as number) > 0) {
                take(this.#durations, pair, 'flow_duration_us_sum', durations[row] as number);
            }
        }
    }

    #grow(): void {
        const { count } = this.#pairs;
        for (const pasts of [this.#flows, this.#durations, this.#packets]) {
            pasts.grow(count * 2);
        }
        if (count > this.#dayOf.length) {
            const days = new Int32Array(count * 2);
            days.set(this.#dayOf);
            this.#dayOf = days;
        }
    }

    /** The newest of the days that were found, as many as are asked for. */
    newest(): Anomaly[] {
        return this.#found.reverse().flat().slice(0, this.#top);
    }
}

/** The larger score first, and then by site, addresses and measure. */
function byOrder(a: Anomaly, b: Anomaly): number {
    return (
        b.score - a.score ||
        compareTexts(a.site, b.site) ||
        compareTexts(a.src_ip, b.src_ip) ||
        compareTexts(a.dst_ip, b.dst_ip) ||
        compareTexts(a.measure, b.measure)
    );
}

function isWeekend(day: string): boolean {
    const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
    return weekday === 0 || weekday === 6;
}

function toRow({ site, src_ip, dst_ip, day, measure, value, usual, usualLow, usualHigh, score }: Anomaly): PassAnswer['rows'][number] {
    return [site, src_ip, dst_ip, day, measure, ...[value, usual, usualLow, usualHigh].map(BigInt), score];
}
