/** The state of a lake of ten thousand sources; with `--before` against the program of another build. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { consolidate } from '#lake/commit/consolidate';
import { flows } from '#lake/flows/kind';
import { emptyPairRows } from '#lake/flows/pair-rows';
import { flowMeasures, flowSummaries, pairDays } from '#lake/flows/tables';
import { contributionKey, ledgerKey } from '#lake/layout';
import type { LedgerRecord } from '#lake/ledger';
import { writeRows } from '#lake/parquet';
import { sourceId } from '#lake/source-id';
import { openDirectoryStore } from '#lake/store/directory';
import type { BenchOptions, Finding } from './measure.ts';
import { comparePrograms, PROGRAM } from './run-program.ts';

const DAYS = 30;
const VERSION = `1-${'0'.repeat(16)}`;

export async function* benchStatus({ folder, isQuick, before }: BenchOptions): AsyncGenerator<Finding> {
    const sources = isQuick ? 200 : 10_000;
    const lake = join(folder, 'sources');
    await makeSources(lake, sources);
    const empty = join(folder, 'empty-status.mjs');
    await writeFile(empty, '');
    const words = ['--lake', lake, 'status', '--output', 'csv'];
    const other = before === undefined ? [empty] : [before, ...words];
    const { a, b, said, cpuRatio, isEqual } = comparePrograms(isQuick ? 1 : 5, [PROGRAM, ...words], other);
    yield {
        what: `status of ${sources} sources / ${before === undefined ? 'an empty script' : 'the build before'} (CPU)`,
        found: `${said}  (${a.cpuMs.toFixed(0)} / ${b.cpuMs.toFixed(0)} ms; wall ${a.wallMs.toFixed(0)} / ${b.wallMs.toFixed(0)} ms)`,
        ...(before !== undefined && { goal: { text: 'at most 0.167x', isMet: cpuRatio <= 1 / 6 } }),
        isEqual: before === undefined ? a.stdout.includes(`\ndone,${sources},${sources},`) : isEqual,
    };
}

/** A lake with this many files of one flow each, all in the figures. */
async function makeSources(lake: string, sources: number): Promise<void> {
    const put = (key: string, body: Uint8Array | string): void => {
        mkdirSync(dirname(join(lake, key)), { recursive: true });
        writeFileSync(join(lake, key), body);
    };
    const summary = writeRows(flowSummaries, oneRow());
    for (let number = 0; number < sources; number += 1) {
        const day = dayOf(number % DAYS);
        const source = `raw/capture-${number}.csv`;
        const text = `Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts\n10.0.0.1,10.0.0.2,${day} 10:00:00,1,1\n`;
        const record: LedgerRecord = {
            source,
            site: 'main',
            state: 'done',
            version: VERSION,
            options: {},
            ...flows.nothingFound,
            rows_read: 1,
            rows_kept: 1,
            rows_rejected: 0,
            first_day: day,
            last_day: day,
            error: null,
            fingerprint: String(number),
            size_bytes: text.length,
            etag: createHash('sha256').update(text).digest('hex'),
            summarized_at: `${day}T12:00:00.000Z`,
            commits: 1,
            versions: { [VERSION]: [day] },
            summary_format: flows.format,
            retracted_generation: null,
        };
        put(source, text);
        put(contributionKey(flowSummaries, { period: day, source: sourceId(source), version: VERSION }), summary);
        put(ledgerKey(sourceId(source)), `${JSON.stringify(record)}\n`);
    }
    for (let day = 0; day < DAYS; day += 1) {
        await consolidate({ table: pairDays.name, period: dayOf(day) }, { store: openDirectoryStore(lake) });
    }
}

function oneRow() {
    const rows = emptyPairRows(1);
    rows.site.push('main');
    rows.src_ip.push('10.0.0.1');
    rows.dst_ip.push('10.0.0.2');
    rows.flows[0] = 1n;
    rows.timed_flows[0] = 1n;
    for (const measure of flowMeasures) {
        rows[`${measure}_sum`][0] = 1n;
        rows[`${measure}_sum_sq`].push(1n);
        rows[`${measure}_min`][0] = 1n;
        rows[`${measure}_max`][0] = 1n;
    }
    return rows;
}

function dayOf(number: number): string {
    return new Date(Date.UTC(2026, 0, 1 + number)).toISOString().slice(0, 10);
}
