/** A lake in a temporary directory, small enough to know every figure of. */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pairDays } from '#lake/flows/tables';
import { ledgerKey, siteOf } from '#lake/layout';
import { writeParquetTable } from '#lake/parquet';
import { sourceId } from '#lake/source-id';
import { pairDaysKey, rejectsKey } from '#test/support/flow-tables';

export interface PairDay {
    day: string;
    site?: string;
    src?: string;
    dst?: string;
    flows?: bigint;
    duration?: bigint;
    packets?: bigint;
}

/** `line_number` and `reason` of each reject. */
export type Rejects = [number, string, string][];

/** Thirty days from Monday 2026-01-05; on the 23rd day the pair 10.1.0.7 -> 10.1.0.20 of berlin sends ten times as much. */
export const SURGE_DAY = '2026-01-27';

function thirtyDays(): PairDay[] {
    return Array.from({ length: 30 }, (_, index) => {
        const day = new Date(Date.UTC(2026, 0, 5 + index)).toISOString().slice(0, 10);
        return [
            { day, site: 'berlin', src: '10.1.0.7', dst: '10.1.0.20', packets: day === SURGE_DAY ? 1000n : 100n },
            { day, site: 'osaka', src: '10.1.0.7', dst: '10.1.0.20', packets: 9_000_000_000_000_077n },
            { day, site: 'osaka', src: 'fe80::1', dst: '10.1.0.20', packets: 5n },
        ];
    }).flat();
}

/** @returns its directory */
export async function makeLake({
    days = thirtyDays(),
    sources = {},
}: {
    days?: PairDay[];
    sources?: Record<string, Rejects | string>;
} = {}): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'flowlake-test-'));
    for (const day of new Set(days.map((row) => row.day))) {
        const rows = days.filter((row) => row.day === day).map(toRow);
        await put(join(directory, pairDaysKey(day)), writeParquetTable({ columns: pairDays.columns, rows }));
    }
    for (const [source, rejects] of Object.entries(sources)) {
        await putSource(directory, source, rejects);
    }
    return directory;
}

/** Rows of one flow each, so that all measures are told by the totals. */
function toRow({ site = 'main', src = '10.0.0.1', dst = '10.0.0.2', flows = 1n, duration = 1000n, packets = 10n }: PairDay): unknown[] {
    return [site, src, dst, flows, flows, duration, duration * duration, duration, duration, packets, packets * packets, packets, packets];
}

async function putSource(directory: string, source: string, rejects: Rejects | string): Promise<void> {
    const id = sourceId(source);
    const version = '1-0123456789abcdef';
    const isFailed = typeof rejects === 'string';
    const lines = isFailed ? [] : rejects;
    const record = {
        source,
        site: siteOf(source),
        state: isFailed ? 'failed' : 'done',
        version,
        dialect: isFailed ? null : 'cicflowmeter',
        date_order: isFailed ? null : 'dmy',
        duration_unit: isFailed ? null : 'us',
        duration_unit_by: isFailed ? null : 'named',
        rows_read: 10 + lines.length,
        rows_kept: 10,
        rows_rejected: lines.length,
        repeated_headers: 0,
        rows_skipped: 0,
        skipped: null,
        rejected: null,
        first_day: '2026-01-05',
        last_day: '2026-01-05',
        pairs: 1,
        error: isFailed ? rejects : null,
        size_bytes: 100,
        etag: 'e',
        summarized_at: '2026-01-06T00:00:00Z',
        commits: 1,
        versions: { [version]: ['2026-01-05'] },
        retracted_generation: null,
    };
    await put(join(directory, ledgerKey(id)), JSON.stringify(record));
    if (lines.length > 0) {
        const text = lines
            .map(([line_number, reason, line]) => `${JSON.stringify({ source, version, line_number, reason, line })}\n`)
            .join('');
        await put(join(directory, rejectsKey({ source: id, version })), gzipSync(text));
    }
}

async function put(path: string, bytes: Uint8Array | string): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
}
