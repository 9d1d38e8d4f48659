/** The index of chain objects in a table of DynamoDB, lake/cloud/datasets-table.ts. Every call is one that may come again. */
import {
    type AttributeValue,
    ConditionalCheckFailedException,
    DynamoDBClient,
    GetItemCommand,
    paginateQuery,
    paginateScan,
    type QueryCommandInput,
    UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { translated } from '#lake/aws/aws-errors';
import { type ClientOptions, clientConfig } from '#lake/aws/client-config';
import { StorageError, UsageError } from '#lake/errors';
import { chainKey, chainPlaceOf } from '#lake/layout';
import { type ChainFacts, type ChainSpan, chainOfKey, type Dataset, type DatasetIndex, doMeet, type ReadFacts } from '#lake/live/datasets';
import { compareSequences } from '#lake/telemetry/chain-line';
import { DATASETS_TABLE } from './datasets-table.ts';

const DAY_MS = 86_400_000;

/** The partition of index `arrivals` with the items whose arrivals lie in more than one day. */
const SEVERAL_DAYS = 'several';

type Item = Record<string, AttributeValue>;

export function createDynamoClient(options: ClientOptions): DynamoDBClient {
    return new DynamoDBClient(clientConfig(options, 'DYNAMODB'));
}

/** The index in the table of this name. */
export function openDatasetIndex({ table, client, now }: { table: string; client: DynamoDBClient; now: () => Date }): DatasetIndex {
    const asked = <T>(doing: string, call: () => Promise<T>): Promise<T> => translated(call, { doing: `${doing} in table ${table}` });

    /** Sets attributes of the object's item, on condition; undefined where that does not hold. @returns the item as it is then */
    async function update(key: string, set: Item, condition?: { says: string; values?: Item }): Promise<Item | undefined> {
        const names = Object.keys(set);
        const command = new UpdateItemCommand({
            TableName: table,
            Key: itemKeyOf(key),
            UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
            ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
            ExpressionAttributeValues: {
                ...Object.fromEntries(names.map((name) => [`:${name}`, set[name] ?? { NULL: true }])),
                ...condition?.values,
            },
            ...(condition && { ConditionExpression: condition.says }),
            ReturnValues: 'ALL_NEW',
        });
        try {
            return (await asked(`note ${key}`, () => client.send(command))).Attributes ?? {};
        } catch (error) {
            const cause = error instanceof Error ? error.cause : undefined;
            if (error instanceof ConditionalCheckFailedException || cause instanceof ConditionalCheckFailedException) {
                return undefined;
            }
            throw error;
        }
    }

    async function get(key: string): Promise<Item | undefined> {
        const command = new GetItemCommand({ TableName: table, Key: itemKeyOf(key), ConsistentRead: true });
        return (await asked(`read ${key}`, () => client.send(command))).Item;
    }

    async function* query(input: Omit<QueryCommandInput, 'TableName'>): AsyncGenerator<Item> {
        const pages = paginateQuery({ client }, { TableName: table, ...input })[Symbol.asyncIterator]();
        for (;;) {
            const page = await asked('ask for chain objects', () => pages.next());
            if (page.done) {
                return;
            }
            yield* page.value.Items ?? [];
        }
    }

    async function* scan(): AsyncGenerator<Item> {
        const pages = paginateScan({ client }, { TableName: table, ConsistentRead: true })[Symbol.asyncIterator]();
        for (;;) {
            const page = await asked('ask for all chain objects', () => pages.next());
            if (page.done) {
                return;
            }
            yield* page.value.Items ?? [];
        }
    }

    const IndexName: keyof typeof DATASETS_TABLE.indexes = 'arrivals';
    const { partitionKey, sortKey } = DATASETS_TABLE.indexes[IndexName];

    /** Items of a partition of index `arrivals` whose last arrival is not before this. */
    const arrivedIn = (partition: string, fromMs: number): AsyncGenerator<Item> =>
        query({
            IndexName,
            KeyConditionExpression: '#partition = :partition AND #last >= :from',
            ExpressionAttributeNames: { '#partition': partitionKey.name, '#last': sortKey.name },
            ExpressionAttributeValues: { ':partition': { S: partition }, ':from': { N: String(fromMs) } },
        });

    return {
        async noteChain(key, facts) {
            await update(key, { key: { S: key }, ...itemOfChain(facts) });
        },

        async noteRead(key, facts) {
            const written = await update(
                key,
                { key: { S: key }, ...itemOfRead(facts) },
                { says: 'attribute_not_exists(#commits) OR #commits <= :commits' },
            );
            return 'first' in (written ?? (await get(key)) ?? {});
        },

        async notePruned(key, at) {
            await update(key, { key: { S: key }, pruned_at: { S: at } });
        },

        async get(key) {
            const item = await get(key);
            return item && datasetOf(item);
        },

        async *spans({ stream, shard }, within) {
            const items = query({
                KeyConditionExpression: '#chain = :chain AND #place < :end',
                ProjectionExpression: '#place, #first, #last',
                ExpressionAttributeNames: { '#chain': 'chain', '#place': 'place', '#first': 'first', '#last': 'last' },
                ExpressionAttributeValues: {
                    ':chain': { S: `${stream}/${shard}` },
                    ':end': { S: placeOf(chainKey({ kind: 'telemetry', stream, shard }, within.last)) },
                },
                ScanIndexForward: false,
                ConsistentRead: true,
            });
            for await (const item of items) {
                const span = spanOf(item);
                if (span && doMeet(span, within)) {
                    yield span;
                } else if (span && compareSequences(span.last, within.first) < 0) {
                    return;
                }
            }
        },

        async *list({ fromMs, untilMs }) {
            if (fromMs === undefined) {
                for await (const item of scan()) {
                    yield datasetOf(item);
                }
                return;
            }
            const endMs = untilMs ?? now().getTime() + DAY_MS;
            const days = [];
            for (let ms = fromMs - (fromMs % DAY_MS); ms < endMs; ms += DAY_MS) {
                days.push(dayOf(ms));
            }
            for (const partition of [SEVERAL_DAYS, ...days]) {
                for await (const item of arrivedIn(partition, fromMs)) {
                    yield datasetOf(item);
                }
            }
        },
    };
}

/** @throws UsageError for what is no key of a chain object */
function itemKeyOf(key: string): Item {
    const chain = chainOfKey(key);
    if (!chain) {
        throw new UsageError(`${key} is no chain object: it has no item among the datasets`);
    }
    return { chain: { S: `${chain.stream}/${chain.shard}` }, place: { S: placeOf(key) } };
}

/** What a chain's objects are sorted by: the digits of their names. */
function placeOf(key: string): string {
    return key.slice(chainPlaceOf(key)?.prefix.length, -'.jsonl.gz'.length);
}

function itemOfChain({ first, last, firstArrivedMs, lastArrivedMs, messages, refused, deviceCount, devices, profiles }: ChainFacts): Item {
    const [firstDay, lastDay] = [dayOf(firstArrivedMs), dayOf(lastArrivedMs)];
    return {
        first: { S: first },
        last: { S: last },
        first_arrived_ms: whole(firstArrivedMs),
        last_arrived_ms: whole(lastArrivedMs),
        arrived_day: { S: firstDay === lastDay ? firstDay : SEVERAL_DAYS },
        messages: whole(messages),
        refused: whole(refused),
        device_count: whole(deviceCount),
        // A set of DynamoDB is never empty.
        ...(devices && devices.length > 0 && { devices: { SS: [...devices] } }),
        profiles: { M: Object.fromEntries(Object.entries(profiles).map(([name, count]) => [name, whole(count)])) },
    };
}

function itemOfRead({ commits, state, version, profiles, days, firstDay, lastDay, readAt, ...counts }: ReadFacts): Item {
    return {
        commits: whole(commits),
        state: { S: state },
        version: textOrNull(version),
        read_profiles: textOrNull(profiles),
        first_day: textOrNull(firstDay),
        last_day: textOrNull(lastDay),
        days: days === undefined ? { NULL: true } : { L: days.map((day) => ({ S: day })) },
        day_count: whole(counts.dayCount),
        readings: whole(counts.readings),
        messages_kept: whole(counts.messagesKept),
        messages_rejected: whole(counts.messagesRejected),
        size_bytes: whole(counts.sizeBytes),
        read_at: { S: readAt },
    };
}

function datasetOf(item: Item): Dataset {
    const key = textOf(item, 'key');
    const chain = chainOfKey(key);
    if (!chain) {
        throw new StorageError(`${key} is no chain object, and is among the datasets: nothing but flowlake may write there`);
    }
    return {
        key,
        stream: chain.stream,
        shard: chain.shard,
        chain: 'first' in item ? chainFactsOfItem(item) : undefined,
        read: 'commits' in item ? readFactsOfItem(item) : undefined,
        isPruned: 'pruned_at' in item,
    };
}

function chainFactsOfItem(item: Item): ChainFacts {
    const deviceCount = numberOf(item, 'device_count');
    return {
        first: textOf(item, 'first'),
        last: textOf(item, 'last'),
        firstArrivedMs: numberOf(item, 'first_arrived_ms'),
        lastArrivedMs: numberOf(item, 'last_arrived_ms'),
        messages: numberOf(item, 'messages'),
        refused: numberOf(item, 'refused'),
        deviceCount,
        devices: item.devices?.SS ? [...item.devices.SS].sort() : deviceCount === 0 ? [] : undefined,
        profiles: Object.fromEntries(
            Object.entries(item.profiles?.M ?? {})
                .map(([name, count]): [string, number] => [name, Number(count.N)])
                .sort(([one], [other]) => (one < other ? -1 : 1)),
        ),
    };
}

function readFactsOfItem(item: Item): ReadFacts {
    return {
        commits: numberOf(item, 'commits'),
        state: stateOfItem(item),
        version: item.version?.S ?? null,
        readings: numberOf(item, 'readings'),
        messagesKept: numberOf(item, 'messages_kept'),
        messagesRejected: numberOf(item, 'messages_rejected'),
        profiles: item.read_profiles?.S ?? null,
        days: item.days?.L?.map(({ S = '' }) => S),
        dayCount: numberOf(item, 'day_count'),
        firstDay: item.first_day?.S ?? null,
        lastDay: item.last_day?.S ?? null,
        sizeBytes: numberOf(item, 'size_bytes'),
        readAt: textOf(item, 'read_at'),
    };
}

function stateOfItem(item: Item): ReadFacts['state'] {
    const text = textOf(item, 'state');
    const state = (['done', 'empty', 'failed', 'skipped', 'retracted'] as const).find((one) => one === text);
    if (state === undefined) {
        throw new StorageError(
            `${textOf(item, 'key')} has the state ${text} among the datasets, which this version does not know: get a newer one`,
        );
    }
    return state;
}

function spanOf({ place, first, last }: Item): ChainSpan | undefined {
    return first?.S === undefined || last?.S === undefined
        ? undefined
        : { after: (place?.S ?? '').replace(/^0+(?=\d)/, ''), first: first.S, last: last.S };
}

function textOf(item: Item, name: string): string {
    const text = item[name]?.S;
    if (text === undefined) {
        throw new StorageError(
            `an item among the datasets has no ${name}: ${JSON.stringify(item).slice(0, 200)}; delete it, and run datasets --rebuild`,
        );
    }
    return text;
}

/** @throws StorageError for what is no whole number: no figure is shown that is not */
function numberOf(item: Item, name: string): number {
    const number = Number(item[name]?.N ?? Number.NaN);
    if (!Number.isSafeInteger(number)) {
        throw new StorageError(
            `${textOf(item, 'key')} has no whole number ${name} among the datasets; delete the item, and run datasets --rebuild`,
        );
    }
    return number;
}

function textOrNull(text: string | null): AttributeValue {
    return text === null ? { NULL: true } : { S: text };
}

function whole(number: number): AttributeValue {
    return { N: String(number) };
}

function dayOf(ms: number): string {
    return new Date(ms).toISOString().slice(0, 'yyyy-mm-dd'.length);
}
