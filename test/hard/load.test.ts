/** Many files, many sources of one day, many pairs of one day: right figures, and what it costs counted, printed and bounded. */
import { mkdir, open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { consolidate } from '#lake/commit/consolidate';
import { summarize } from '#lake/commit/summarize';
import { LEDGER_PREFIX, rawKey } from '#lake/layout';
import { openDirectoryStore } from '#lake/store/directory';
import type { ObjectStore } from '#lake/store/object-store';
import { ofDay, PAIR_DAYS_PREFIX, SUMMARIES_PREFIX } from '#test/support/flow-tables';
import { type Ran, runFlowlake } from '#test/support/flowlake';
import { memoryStore } from '#test/support/memory-store';
import { readFigures } from '#test/support/small-files';
import { makeFolder } from '#test/support/temporary';
import { drawText, openChance, recount } from './support/flow-texts.ts';

/** A part of the load: `FLOWLAKE_LOAD=0.02` for a quick look. */
const LOAD = Number(process.env.FLOWLAKE_LOAD ?? 1);

const DAY = '2026-01-13';

interface Measured extends Ran {
    peakBytes: number;
    seconds: number;
}

async function measure(words: readonly string[], folder: string): Promise<Measured> {
    const peak = join(await makeFolder(), 'peak');
    const preload = new URL('support/peak-memory.js', import.meta.url).href;
    const from = performance.now();
    const ran = await runFlowlake(['--lake', 'lake', ...words], {
        folder,
        environment: { NODE_OPTIONS: `--import=${preload}`, FLOWLAKE_TEST_PEAK: peak },
    });
    const peakBytes = Number(await readFile(peak, 'utf8').catch(() => Number.NaN));
    return { ...ran, peakBytes, seconds: (performance.now() - from) / 1000 };
}

function say(what: string, { peakBytes, seconds }: Measured): void {
    console.info(`load: ${what}: ${Math.round(seconds)} s, at most ${Math.round(peakBytes / 1e6)} MB`);
}

describe('load', () => {
    const files = Math.round(10_000 * LOAD);

    test(`${files} small files at once are all in the figures, and as many again cost no more than the first`, async () => {
        const folder = await makeFolder();
        const chance = openChance(1);
        const texts = Array.from({ length: files }, () => drawText(chance, { rows: 20, days: 10 }));
        for (const [at, text] of texts.entries()) {
            const into = join(folder, at % 2 === 0 ? 'first' : 'second');
            await mkdir(into, { recursive: true });
            await writeFile(join(into, `${at}.csv`), text);
        }
        const first = await measure(['upload', 'first'], folder);
        say(`${files / 2} files into an empty lake`, first);
        const second = await measure(['upload', 'second'], folder);
        say(`${files / 2} files more`, second);
        const both = await measure(['upload', 'first', 'second'], folder);
        say(`${files} files that are there`, both);
        expect([first, second, both].map(({ exitCode, stderr }) => (exitCode === 0 ? 0 : stderr))).toEqual([0, 0, 0]);
        const store = openDirectoryStore(join(folder, 'lake'));
        expect(await readFigures(store)).toEqual(recount(texts.map((text) => ({ text, site: 'main' }))));
        expect(Math.max(first.peakBytes, second.peakBytes, both.peakBytes)).toBeLessThan(FEW_FILES_BYTES + 50_000 * files);
        expect((await runFlowlake(['--lake', 'lake', 'status'], { folder })).exitCode).toBe(0);
    });

    const sources = Math.round(5000 * LOAD);
    /** What one message batch of the queue brings: consolidate is called once for all of a day. */
    const AT_ONCE = 10;

    test(`a day of ${sources} sources, ten by ten, reads each ledger and each summary once`, async () => {
        const { store, calls } = counted(memoryStore());
        const chance = openChance(2);
        const texts: string[] = [];
        let passes = 0;
        const costs = { ...calls };
        for (let at = 0; at < sources; at += AT_ONCE) {
            for (let of = at; of < Math.min(sources, at + AT_ONCE); of += 1) {
                const text = drawText(chance, { rows: 20 });
                // All of one day.
                texts.push(text.replaceAll(/,\d+\/01\/2026/g, ',13/01/2026'));
                const key = rawKey({ name: `${of}.csv` });
                await store.put(key, Buffer.from(texts.at(-1) ?? ''), { ifMatch: 'absent' });
                await summarize(key, { store, now: () => new Date() });
            }
            const before = { ...calls };
            expect(await consolidate(ofDay(DAY), { store })).toMatchObject({ writes: 1 });
            passes += 1;
            for (const name of Object.keys(calls) as (keyof typeof calls)[]) {
                costs[name] += calls[name] - before[name];
            }
        }
        console.info(`load: a day of ${sources} sources in ${passes} passes: ${JSON.stringify(costs)}`);
        expect(await readFigures(store)).toEqual(recount(texts.map((text) => ({ text, site: 'main' }))));
        expect(costs).toEqual({
            // Two looks a pass, each as many pages of a thousand as there are sources by then.
            listingPages: Array.from({ length: passes }, (_, at) => 2 * pagesOf(Math.min(sources, (at + 1) * AT_ONCE))).reduce(
                (a, b) => a + b,
            ),
            ledgerReads: sources,
            summaryReads: sources,
            dayReads: passes,
            dayWrites: passes,
            others: expect.any(Number),
        });
        // One head for each second look.
        expect(costs.others).toBeLessThanOrEqual(passes);
        // Nothing is there, as after a damage: all in one pass.
        const before = { ...calls };
        await store.delete(`${PAIR_DAYS_PREFIX}day=${DAY}/part-00.parquet`);
        expect(await consolidate(ofDay(DAY), { store })).toMatchObject({ writes: 1 });
        const after = { ledgerReads: calls.ledgerReads - before.ledgerReads, summaryReads: calls.summaryReads - before.summaryReads };
        expect(after).toEqual({ ledgerReads: sources, summaryReads: sources });
    });

    /** `FLOWLAKE_LOAD=5` for five million, with 4 GB and more of memory. */
    const pairs = Math.round(1_000_000 * LOAD);

    test(`a day of ${pairs} pairs has all of them, in memory that grows with the pairs alone`, async () => {
        const folder = await makeFolder();
        const totals = await writePairs(join(folder, 'pairs.csv'), pairs);
        const upload = await measure(['upload', 'pairs.csv'], folder);
        say(`a file of ${pairs} pairs of one day`, upload);
        expect(`${upload.exitCode} ${upload.stderr}`).toMatch(/^0 /);
        await writeFile(join(folder, 'more.csv'), `${HEADER}\n${rowOf(0)}\n${rowOf(pairs - 1)}\n`);
        const more = await measure(['upload', 'more.csv'], folder);
        say(
            `two rows more for that day (${Math.round((await stat(join(folder, 'lake', `pair_days/day=${DAY}/part-00.parquet`))).size / 1e6)} MB)`,
            more,
        );
        expect(`${more.exitCode} ${more.stderr}`).toMatch(/^0 /);
        const columns = ['flows', 'flow_duration_us_sum', 'flow_duration_us_sum_sq', 'fwd_pkts_sum', 'fwd_pkts_sum_sq'];
        const sql = `select count(*) as pairs, ${columns.map((name) => `sum(${name}) as ${name}`).join(', ')}, sum(fwd_pkts_max) as most from pair_days`;
        const { stdout } = await runFlowlake(['--lake', 'lake', '--output', 'csv', 'query', sql], { folder });
        const [a, b] = [valuesOf(0), valuesOf(pairs - 1)];
        const wanted = [
            BigInt(pairs),
            BigInt(pairs) + 2n,
            totals.duration + a.duration + b.duration,
            totals.durationSq + a.duration ** 2n + b.duration ** 2n,
            totals.packets + a.packets + b.packets,
            totals.packetsSq + a.packets ** 2n + b.packets ** 2n,
            totals.packets,
        ];
        expect(stdout.trim().split('\n').at(-1)).toBe(wanted.join(','));
        for (const { peakBytes } of [upload, more]) {
            expect(peakBytes).toBeLessThan(PROGRAM_BYTES + BYTES_PER_PAIR * pairs);
        }
    });
});

/** The program itself with its threads, whatever it has to do. */
const PROGRAM_BYTES = 400e6;
const FEW_FILES_BYTES = 600e6;
/** What was measured is in docs/testing.md; a little more than that. */
const BYTES_PER_PAIR = 1000;

const HEADER = 'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts';

function valuesOf(pair: number): { duration: bigint; packets: bigint } {
    return { duration: BigInt((pair * 7919) % 1_000_003), packets: BigInt((pair * 31) % 65_537) };
}

function rowOf(pair: number): string {
    const { duration, packets } = valuesOf(pair);
    const [src, dst] = [pair % 65_536, Math.floor(pair / 65_536)];
    return `10.0.${src >> 8}.${src & 255},10.1.${dst >> 8}.${dst & 255},13/01/2026 12:00:00,${duration},${packets}`;
}

/** A row for each pair; what they come to together. */
async function writePairs(path: string, pairs: number) {
    const totals = { duration: 0n, durationSq: 0n, packets: 0n, packetsSq: 0n };
    const file = await open(path, 'w');
    await file.write(`${HEADER}\n`);
    for (let from = 0; from < pairs; from += 10_000) {
        const lines: string[] = [];
        for (let pair = from; pair < Math.min(pairs, from + 10_000); pair += 1) {
            const { duration, packets } = valuesOf(pair);
            totals.duration += duration;
            totals.durationSq += duration * duration;
            totals.packets += packets;
            totals.packetsSq += packets * packets;
            lines.push(`${rowOf(pair)}\n`);
        }
        await file.write(lines.join(''));
    }
    await file.close();
    return totals;
}

/** S3 lists a thousand keys a page. */
function pagesOf(keys: number): number {
    return Math.ceil(keys / 1000);
}

/** The store, and how often what is asked of it; `listingPages` as S3 would charge them. */
function counted(store: ObjectStore) {
    const calls = { listingPages: 0, ledgerReads: 0, summaryReads: 0, dayReads: 0, dayWrites: 0, others: 0 };
    const readOf = (key: string): keyof typeof calls =>
        key.startsWith(LEDGER_PREFIX) ? 'ledgerReads' : key.startsWith(SUMMARIES_PREFIX) ? 'summaryReads' : 'dayReads';
    const counting: ObjectStore = {
        ...store,
        head(key) {
            calls.others += 1;
            return store.head(key);
        },
        get(key) {
            calls[readOf(key)] += 1;
            return store.get(key);
        },
        readEnd(key, options) {
            calls[readOf(key)] += 1;
            return store.readEnd(key, options);
        },
        put(key, body, options) {
            calls[key.startsWith(PAIR_DAYS_PREFIX) ? 'dayWrites' : 'others'] += 1;
            return store.put(key, body, options);
        },
        async *list(prefix) {
            let keys = 0;
            for await (const object of store.list(prefix)) {
                keys += 1;
                yield object;
            }
            calls.listingPages += pagesOf(keys);
        },
    };
    return { store: counting, calls };
}
