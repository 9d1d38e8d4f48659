/** Files of flows with all that has ever made engines disagree: large sums and squares, one-day pairs, odd names, empty days. */
import { dayAfter } from '#test/support/lake-fixture';

export interface NastyFile {
    /** Raw key, `raw/...`. */
    key: string;
    text: string;
    /** Turn of the four in which the files come. */
    turn: 0 | 1 | 2 | 3;
}

/** A name that is taken out again: its day is left without a row. */
export const RETRACTED_KEY = 'raw/empty-day.csv';

/** Count of days, from `dayAfter(0)` on. */
const DAYS = 24;
/** A day with more pairs than two row groups hold. */
const WIDE_DAY = 20;

/** Sites whose names sort otherwise by UTF-16 than by their bytes, or need quoting somewhere. */
const SITES = ['main', 'berlin', "o'hare", 'a"b', 'Zürich', 'B', '\uff21', '\u{1f600}'] as const;

const ADDRESSES = ['10.0.0.1', '10.0.0.10', '10.0.0.2', '9.0.0.1', '2001:db8::1', '2001:db8::a', '::1', 'fe80::1%eth0'] as const;

const MAX_BIGINT = 2n ** 63n - 1n;

type Flow = readonly [site: string, src: string, dst: string, day: string, durationUs: bigint | null, packets: bigint];

/** Files that are few and of many days each, in four turns, so that every day is merged more than once. */
export function nastyFiles(): NastyFile[] {
    const files = ([0, 1, 2, 3] as const).flatMap((turn) =>
        SITES.map((site) => {
            const flows = [...steadyFlows(site, turn), ...extremeFlows(site, turn), ...wideFlows(site, turn)];
            return { key: `raw/${site === 'main' ? '' : `site=${site}/`}turn-${turn}.csv`, text: csvOf(flows) + BROKEN_ROWS, turn };
        }),
    );
    const emptied: Flow[] = [['main', '10.0.0.1', '10.0.0.2', dayAfter(DAYS + 3), 7n, 7n]];
    return [...files, { key: RETRACTED_KEY, text: csvOf(emptied), turn: 0 }];
}

/**
 * Pairs of all addresses, on all days or some of them, zero among their figures; one day in eight is a hundred times as large. Of one address no
 * flow has a duration, of others some have none.
 */
function steadyFlows(site: (typeof SITES)[number], turn: number): Flow[] {
    const flows: Flow[] = [];
    // Half of the turns each: every day takes an object per file.
    if (SITES.indexOf(site) % 2 !== turn % 2) {
        return flows;
    }
    for (let at = 0; at < DAYS; at += 1) {
        ADDRESSES.forEach((src, from) => {
            const dst = ADDRESSES[(from + 1 + (at % 2)) % ADDRESSES.length] ?? src;
            if ((at + from) % (1 + (from % 3)) === 0) {
                const size = BigInt((at * 7919 + from * 104_729 + turn * 31 + site.length) % 100_003) * (at % 8 === 7 ? 100n : 1n);
                const isTimed = from !== 3 && (at + from) % 5 !== 4;
                flows.push([site, src, dst, dayAfter(at), isTimed ? size * 1_000_003n : null, size % 977n]);
                if (from === 4) {
                    flows.push([site, src, dst, dayAfter(at), null, 1n]);
                }
            }
        });
    }
    return flows;
}

/** Each where only all digits give the right answer, and none above what an exact spread allows. */
function extremeFlows(site: string, turn: number): Flow[] {
    if (site !== 'berlin') {
        return [];
    }
    const pair = (name: number, day: number, durationUs: bigint, packets: bigint): Flow => [
        site,
        `172.16.0.${name}`,
        '172.16.1.1',
        dayAfter(day),
        durationUs,
        packets,
    ];
    // Seven flows of one day add up to the largest bigint; in four turns.
    const seventh = MAX_BIGINT / 7n;
    return (
        [
            [
                pair(1, 3, MAX_BIGINT, MAX_BIGINT),
                pair(2, 3, seventh, seventh),
                pair(2, 3, seventh, seventh),
                pair(3, 3, 9_000_000_000_000_000n, 1n << 53n),
            ],
            [pair(2, 3, seventh, seventh), pair(2, 3, seventh, seventh), pair(3, 4, 9_000_000_000_000_077n, (1n << 53n) + 1n)],
            [pair(2, 3, seventh, seventh), pair(2, 3, seventh, seventh), pair(4, 8, 4_900_000_000_000_000_000n, 3n)],
            [pair(2, 3, seventh, seventh), pair(4, 9, 4_900_000_000_000_000_077n, 3n), pair(5, 9, 0n, 0n), pair(6, 9, 3_037_000_499n, 1n)],
        ][turn] ?? []
    );
}

/** A day whose pairs need several row groups. */
function wideFlows(site: string, turn: number): Flow[] {
    return site === 'B'
        ? Array.from({ length: 6_000 }, (_, at): Flow => {
              const pair = at + turn * 2_000;
              return [site, `10.${pair >> 8}.${pair & 255}.1`, '10.255.0.1', dayAfter(WIDE_DAY), BigInt(pair) * 1_000_000_007n, BigInt(at)];
          })
        : [];
}

/** Rejects, whose text has what JSON, CSV and SQL quote. */
const BROKEN_ROWS = [
    '"a, ""b""\tß",10.0.0.2,05/01/2026 10:00:00,1,1',
    "10.0.0.1,it's,05/01/2026 10:00:00,1,1",
    '10.0.0.1,10.0.0.2,05/01/2026,x,\\n',
    '',
].join('\n');

function csvOf(flows: readonly Flow[]): string {
    const rows = flows.map(([, src, dst, day, durationUs, packets]) => {
        const [year, month, date] = day.split('-');
        return `${src},${dst},${date}/${month}/${year} 12:00:00,${durationUs ?? '-'},${packets}`;
    });
    return ['Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts', ...rows, ''].join('\n');
}
