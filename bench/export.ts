/** The report of one pair out of a year of 20 thousand pairs a day, process start included. */
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emptyPairRows, type PairRows } from '#lake/flows/pair-rows';
import { flowMeasures, pairDays } from '#lake/flows/tables';
import { mergedKey } from '#lake/layout';
import { writeRows } from '#lake/parquet';
import { type BenchOptions, type Finding, median, sayRatio } from './measure.ts';

const PROGRAM = fileURLToPath(new URL('../dist/flowlake.js', import.meta.url));
const PAIRS = 20_000;

export async function* benchExport({ folder, isQuick }: BenchOptions): AsyncGenerator<Finding> {
    const days = isQuick ? 10 : 365;
    const lake = join(folder, 'year');
    for (let day = 0; day < days; day += 1) {
        const path = join(lake, mergedKey(pairDays, new Date(Date.UTC(2025, 0, 1 + day)).toISOString().slice(0, 10)));
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, writeRows(pairDays, rowsOf(day)));
    }
    const empty = join(folder, 'empty-export.mjs');
    await writeFile(empty, '');
    const times = { empty: [] as number[], export: [] as number[] };
    let lines = 0;
    for (let run = 0; run < (isQuick ? 2 : 9); run += 1) {
        times.empty.push(timeOf([empty]).ms);
        const ran = timeOf([PROGRAM, '--lake', lake, 'export', '10.0.31.64', '192.168.0.64']);
        times.export.push(ran.ms);
        lines = ran.lines;
    }
    yield {
        what: `export of one pair of ${PAIRS / 1000} thousand, ${days} days (wall)`,
        found: `${median(times.export).toFixed(0)} ms, ${sayRatio(median(times.export) / median(times.empty))} of an empty script`,
        goal: { text: 'under 500 ms', isMet: median(times.export) < 500 },
        isEqual: lines === days + 1,
    };
}

function timeOf(words: readonly string[]): { ms: number; lines: number } {
    const startedAt = performance.now();
    const { stdout } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    return { ms: performance.now() - startedAt, lines: stdout.trim().split('\n').length };
}

function rowsOf(day: number): PairRows {
    const rows = emptyPairRows(PAIRS);
    const keys = Array.from({ length: PAIRS }, (_, at) => [`10.0.${at >> 8}.${at & 255}`, `192.168.0.${at & 255}`] as const);
    keys.sort(([a], [b]) => (a < b ? -1 : 1));
    keys.forEach(([source, destination], at) => {
        rows.site.push('main');
        rows.src_ip.push(source);
        rows.dst_ip.push(destination);
        rows.flows[at] = 1n;
        rows.timed_flows[at] = 1n;
        const durationUs = BigInt(1 + ((at * 7919 + day * 104_729) % 1_000_003));
        for (const measure of flowMeasures) {
            const value = measure === 'flow_duration_us' ? durationUs : durationUs % 97n;
            rows[`${measure}_sum`][at] = value;
            rows[`${measure}_sum_sq`].push(value * value);
            rows[`${measure}_min`][at] = value;
            rows[`${measure}_max`][at] = value;
        }
    });
    return rows;
}
