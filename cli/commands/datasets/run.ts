/** Shows the chain objects of a lake, or makes their index right. */
import { Failure, type RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows, withoutColumns } from '#cli/draw/print-rows';
import { sayCount } from '#cli/draw/quantity';
import { openStatusLine } from '#cli/draw/status-line';
import { useLake } from '#cli/use-lake';
import type { BucketLake, Lake } from '#lake/lake';
import type { DatasetState } from '#lake/live/dataset-states';
import { type ChainSpan, type Dataset, type DatasetIndex, stateOf } from '#lake/live/datasets';
import { answerDatasets, datasetsOf, gapsOf, mendDatasets } from '#lake/live/list-datasets';
import type { QueryResult, Value } from '#lake/query/query-engine';

interface DatasetsOptions {
    device: string | undefined;
    profile: string | undefined;
    from: string | undefined;
    to: string | undefined;
    state: DatasetState | undefined;
    limit: number;
    rebuild: boolean;
}

/** Prints a row for each chain object that is asked for, the newest at the end. */
export async function showDatasets({ rebuild, limit, from, to, ...asked }: DatasetsOptions, context: RunContext): Promise<number> {
    return useLake(context, async (lake) => {
        if (rebuild) {
            return rebuildIndex(lake, context);
        }
        const index = lake.kind === 's3' ? await lake.datasets(context) : undefined;
        const question = {
            ...asked,
            fromMs: from === undefined ? undefined : Date.parse(from),
            untilMs: to === undefined ? undefined : Date.parse(to),
        };
        const line = openStatusLine(context.stderr);
        const store = await lake.store();
        const items = watch(index ? index.list(question) : datasetsOf(store), {
            context,
            onCount: (count) => line.draw(`${sayCount(count, 'object')} seen`),
        });
        const { datasets, uncertain } = await answerDatasets(items, { store, question }).finally(line.clear);
        const shown = datasets.slice(-limit);
        const result = resultOf(shown);
        await printRows(context.output === 'table' ? withoutColumns(result, FOR_PROGRAMS) : result, context);
        await tell({ datasets, shown, uncertain, index }, context);
        return 0;
    });
}

async function* watch(
    items: AsyncIterable<Dataset>,
    { context: { signal }, onCount }: { context: RunContext; onCount: (count: number) => Promise<void> },
): AsyncGenerator<Dataset> {
    let count = 0;
    for await (const item of items) {
        signal.throwIfAborted();
        count += 1;
        if (count % SEEN_AT_ONCE === 0) {
            await onCount(count);
        }
        yield item;
    }
}

const SEEN_AT_ONCE = 100;

interface Told {
    datasets: readonly Dataset[];
    shown: readonly Dataset[];
    uncertain: readonly string[];
    index: DatasetIndex | undefined;
}

/** Says what the rows do not: what was left out, what cannot be known, what is missing in the index. */
async function tell({ datasets, shown, uncertain, index }: Told, { stderr }: RunContext): Promise<void> {
    if (shown.length < datasets.length) {
        await stderr.write(`The newest ${shown.length} of ${sayCount(datasets.length, 'object')}; --limit shows more\n`);
    }
    if (uncertain.length > 0) {
        await stderr.write(
            `${sayCount(uncertain.length, 'pruned object')} may hold some of it too: what ${uncertain.length === 1 ? 'it' : 'they'} held is not known to the device any more ` +
                `(docs/datasets.md). The first: ${uncertain[0]}\n`,
        );
    }
    if (datasets.some(({ chain, isPruned }) => isPruned && !chain)) {
        await stderr.write(
            'Of pruned objects a lake in a directory keeps what the ledger says; when their messages arrived, and of whom, it does not\n',
        );
    }
    const gaps = index ? await findGaps(datasets, index) : [];
    if (gaps.length > 0) {
        await stderr.write(
            `The index lacks ${sayCount(gaps.length, 'object')} among these, the first one behind ${gaps[0]}: flowlake datasets --rebuild brings it up to the objects\n`,
        );
    }
}

/** The ends of objects, among those that are shown, behind which one is missing in the index: `<stream>/<shard> <sequence>`. */
async function findGaps(datasets: readonly Dataset[], index: DatasetIndex): Promise<string[]> {
    const within = new Map<string, { stream: string; shard: string; first: string; last: string }>();
    for (const { stream, shard, chain } of datasets) {
        if (chain) {
            const name = `${stream}/${shard}`;
            const { first, last } = within.get(name) ?? chain;
            within.set(name, { stream, shard, first: smaller(first, chain.first), last: greater(last, chain.last) });
        }
    }
    const gaps: string[] = [];
    for (const [name, { stream, shard, ...span }] of within) {
        const spans: ChainSpan[] = [];
        for await (const one of index.spans({ stream, shard }, span)) {
            spans.push(one);
        }
        gaps.push(...gapsOf(spans).map((after) => `${name} ${after}`));
    }
    return gaps;
}

const smaller = (a: string, b: string): string => (BigInt(a) < BigInt(b) ? a : b);
const greater = (a: string, b: string): string => (BigInt(a) > BigInt(b) ? a : b);

/** Columns that a table leaves to programs: they are wide. */
const FOR_PROGRAMS = ['first', 'last', 'device_names', 'days', 'version', 'read_at', 'size_bytes', 'key'];

function resultOf(datasets: readonly Dataset[]): QueryResult {
    const columns = Object.keys(rowOf(EMPTY)).map((name) => ({ name, type: WHOLE.has(name) ? 'bigint' : 'varchar' }));
    return { columns, batches: batchOf(datasets.map((dataset) => Object.values(rowOf(dataset)))) };
}

const EMPTY: Dataset = { key: '', stream: '', shard: '', chain: undefined, read: undefined, isPruned: false };

const WHOLE = new Set(['messages', 'refused', 'devices', 'readings', 'messages_rejected', 'day_count', 'size_bytes']);

function rowOf(dataset: Dataset): Record<string, Value> {
    const { key, stream, shard, chain, read } = dataset;
    const whole = (value: number | undefined): Value => (value === undefined ? null : BigInt(value));
    return {
        first_arrived_at: instantOf(chain?.firstArrivedMs),
        last_arrived_at: instantOf(chain?.lastArrivedMs),
        state: stateOf(dataset),
        messages: whole(chain?.messages),
        refused: whole(chain?.refused),
        devices: whole(chain?.deviceCount),
        profiles: chain
            ? Object.entries(chain.profiles)
                  .map(([name, count]) => `${name} ${count}`)
                  .join(', ') || null
            : null,
        readings: whole(read?.readings),
        messages_rejected: whole(read?.messagesRejected),
        read_with: read?.profiles ?? null,
        first_day: read?.firstDay ?? null,
        last_day: read?.lastDay ?? null,
        day_count: whole(read?.dayCount),
        stream,
        shard,
        first: chain?.first ?? null,
        last: chain?.last ?? null,
        device_names: chain?.devices?.join(' ') ?? null,
        days: read?.days?.join(' ') ?? null,
        version: read?.version ?? null,
        read_at: read?.readAt ?? null,
        size_bytes: whole(read?.sizeBytes),
        key,
    };
}

/** Epoch milliseconds as an instant of UTC: `2026-01-05 13:30:00.250`. */
function instantOf(ms: number | undefined): Value {
    return ms === undefined ? null : new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
}

/** Makes the index of a deployed lake right, and prints what was not. @throws Failure where there is none */
async function rebuildIndex(lake: Lake, context: RunContext): Promise<number> {
    const index = lake.kind === 's3' ? await lake.datasets(context) : undefined;
    if (!index) {
        throw new Failure(whyNoIndex(lake));
    }
    const line = openStatusLine(context.stderr);
    const rows: Value[][] = [];
    try {
        for await (const { key, what } of mendDatasets(await lake.store(), index, context)) {
            rows.push([key, what]);
            context.signal.throwIfAborted();
            await line.draw(`${sayCount(rows.length, 'note')} made`);
        }
    } finally {
        await line.clear();
    }
    const columns = ['key', 'noted'].map((name) => ({ name, type: 'varchar' }));
    if (rows.length === 0) {
        await context.stderr.write('The index is right\n');
    }
    await printRows({ columns, batches: batchOf(rows) }, context);
    return 0;
}

function whyNoIndex(lake: Lake | BucketLake): string {
    return lake.kind === 'directory'
        ? 'A lake in a directory has no index to rebuild: flowlake datasets reads the objects themselves'
        : `The lake in bucket ${lake.bucket} was deployed without live telemetry, so it has no index: flowlake datasets reads the objects themselves`;
}
