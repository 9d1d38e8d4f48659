/** One input read by the lake's two readers and by the plain one, each told in the same words. */
import { OverflowError } from '#lake/errors';
import { type PairRows, pairRowsOf } from '#lake/flows/pair-rows';
import { type FlowsRead, readFlows } from '#lake/flows/read-flows';
import { flowSummaries } from '#lake/flows/tables';
import { toPlain } from '#lake/typed-rows';
import { type Engine, textOf, wholeOf } from '#lake/verify/engine';
import { recompute } from '#lake/verify/flows/recompute';
import { FIGURES } from '#lake/verify/flows/row-sql';
import { DamagedFileError } from '#lake/verify/second-reading';
import { cut, inPieces } from '#test/support/bytes';
import type { FuzzInput } from './input.ts';
import { isParquet } from './plain-parquet.ts';
import { type PlainReading, readPlainly } from './plain-reader.ts';
import { unpackPlainly } from './unpack-plainly.ts';

/** What a reading found, in words that two of them can be compared by; `unusable` where the file cannot be used at all. */
export type Told = string[] | 'unusable';

/** The page's own reading: with each reject's line number, reason and line. */
export async function readThePage({ bytes, options }: Pick<FuzzInput, 'bytes' | 'options'>): Promise<PlainReading | 'unusable'> {
    const plain = unpackPlainly(bytes);
    // Parquet is packed inside: what stands in gzip is refused.
    const isRefused = plain === undefined || (plain !== bytes && isParquet(plain));
    const reading = isRefused ? undefined : await readPlainly(plain, options);
    return reading?.ok ? reading : 'unusable';
}

/** The first reader (lake/flows) on the input's pieces, of which each is overwritten by the next. */
export async function tellFirst({ bytes, options, pieces }: FuzzInput): Promise<{ told: Told; error: string | undefined }> {
    let rejects: string[] = [];
    const open = () => {
        rejects = [];
        return inPieces(cut(bytes, pieces));
    };
    const result = await readFlows(open, {
        ...options,
        ranges: { sizeBytes: bytes.length, readRange: async ({ start, end }) => new Uint8Array(bytes.subarray(start, end)) },
        onRejects: async (batch) => {
            // Of Parquet the page does not say how a row is shown.
            rejects.push(
                ...batch.map(({ lineNumber, reason, line }) => tellReject({ lineNumber, reason, line: isParquet(bytes) ? '' : line })),
            );
        },
    });
    if (!result.ok) {
        return { told: 'unusable', error: result.error };
    }
    const { rowsRead, rowsRejected } = result;
    try {
        const head = [`${rowsRead - rowsRejected} kept`, ...tellHead({ ...result, rejected: rowsRejected })];
        return { told: [...head, ...rejects, ...tellTable(result)], error: undefined };
    } catch (error) {
        if (error instanceof OverflowError) {
            return { told: 'unusable', error: error.message };
        }
        throw error;
    }
}

/** What the page says, in the first reader's words. */
export function tellPage(reading: PlainReading | 'unusable'): Told {
    if (reading === 'unusable' || overflows(reading)) {
        return 'unusable';
    }
    const { rowsRead, rejects, totals } = reading;
    const rows = [...totals].map(([key, figures]) => `${key} ${figures.join(' ')}`).sort();
    return [
        `${rowsRead - rejects.length} kept`,
        ...tellHead({ ...reading, rejected: rejects.length }),
        ...rejects.map(tellReject),
        ...rows,
    ];
}

/** The second reader (lake/verify), which counts rejects by their reasons. */
export async function tellSecond({ bytes, options, pieces }: FuzzInput, engine: Engine): Promise<Told> {
    try {
        const recount = await recompute(engine, () => inPieces(cut(bytes, pieces)), { ...options });
        if (!recount) {
            return 'unusable';
        }
        const rows = await engine.rows('select * from source_periods');
        const { dialect, date_order, duration_unit, duration_unit_by, rows_read, rows_rejected, repeated_headers, pairs } = recount;
        return [
            ...tellHead({
                dialect,
                dateOrder: date_order,
                durationUnit: duration_unit,
                durationUnitBy: duration_unit_by,
                rowsRead: rows_read,
                rejected: rows_rejected,
                repeatedHeaders: repeated_headers,
                pairs,
                skipped: recount.skipped,
            }),
            ...[...recount.rejects].map(([reason, count]) => `${count} ${reason}`).sort(),
            ...rows
                .map((row) =>
                    [
                        ...['period', 'src_ip', 'dst_ip'].map((column) => textOf(row, column)),
                        ...FIGURES.map((figure) => wholeOf(row, figure)),
                    ].join(' '),
                )
                .sort(),
        ];
    } catch (error) {
        if (error instanceof OverflowError || error instanceof DamagedFileError) {
            return 'unusable';
        }
        throw error;
    }
}

/** What the page says, in the second reader's words. */
export function tellPageCounted(reading: PlainReading | 'unusable'): Told {
    if (reading === 'unusable' || overflows(reading)) {
        return 'unusable';
    }
    const counts = new Map<string, number>();
    for (const { reason } of reading.rejects) {
        counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    return [
        ...tellHead({ ...reading, rejected: reading.rejects.length }),
        ...[...counts].map(([reason, count]) => `${count} ${reason}`).sort(),
        ...[...reading.totals].map(([key, figures]) => `${key} ${figures.join(' ')}`).sort(),
    ];
}

/** True if a sum leaves its column: bigint, or decimal(38,0) for squares. */
function overflows({ totals }: PlainReading): boolean {
    return [...totals.values()].some((figures) =>
        figures.some((figure, at) => (figure ?? 0n) > (at % 4 === 3 ? 10n ** 38n - 1n : 2n ** 63n - 1n)),
    );
}

function tellHead(reading: {
    dialect: string | null;
    dateOrder: string | null;
    durationUnit: string | null;
    durationUnitBy: string | null;
    rowsRead: number;
    rejected: number;
    repeatedHeaders: number;
    pairs: number;
    /** As the ledger says it, or by reason. */
    skipped: string | null | ReadonlyMap<string, number>;
}): string[] {
    return [
        `${reading.dialect}, dates ${reading.dateOrder}, durations in ${reading.durationUnit} (${reading.durationUnitBy})`,
        `${reading.rowsRead} read, ${reading.rejected} rejected, ${reading.repeatedHeaders} repeated headers, ${reading.pairs} pairs`,
        `skipped: ${tellSkipped(reading.skipped)}`,
    ];
}

/** The most frequent first, as the ledger has it. */
export function tellSkipped(skipped: string | null | ReadonlyMap<string, number>): string {
    if (skipped === null || typeof skipped === 'string') {
        return skipped ?? '';
    }
    const sorted = [...skipped].sort(([a, one], [b, two]) => two - one || (a < b ? -1 : 1));
    return sorted.map(([reason, count]) => `${reason} ${count}`).join(', ');
}

function tellReject({ lineNumber, reason, line }: { lineNumber: number; reason: string; line: string }): string {
    return `line ${lineNumber}: ${reason}: ${JSON.stringify(line)}`;
}

function tellTable({ table, days }: FlowsRead): string[] {
    return [...days]
        .flatMap(([day, rows]) => {
            const { site, src_ip, dst_ip, ...figures } = toPlain(flowSummaries, pairRowsOf(table, { rows, site: 'main', day })) as PairRows;
            return site.map((_, at) => [day, src_ip[at], dst_ip[at], ...Object.values(figures).map((column) => column[at])].join(' '));
        })
        .sort();
}
