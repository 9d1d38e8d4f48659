/**
 * A table of DynamoDB in memory, for as many of its operations and expressions as the lake uses, and as strict as the real one: sizes, keys, conditions, transactions,
 * pages, names and values that nobody uses. test/aws runs the same contract against a server that speaks the protocol.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';

type Item = Record<string, AttributeValue>;
type Input = Record<string, any>;

/** Description of a table, as lake/cloud/*-table.ts have it. */
export interface TableShape {
    partitionKey: { name: string; type: 'S' | 'N' };
    sortKey?: { name: string; type: 'S' | 'N' };
    indexes: Readonly<Record<string, Index>>;
}

interface Index {
    partitionKey: { name: string; type: 'S' | 'N' };
    sortKey?: { name: string; type: 'S' | 'N' };
    /** Columns beside the keys; all where it is left out. */
    projected?: readonly string[];
}

/** A record of the table's stream. */
export interface MemoryStreamRecord {
    eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
    dynamodb: { NewImage: Item | undefined; SequenceNumber: string; Keys: Item };
}

const MAX_ITEM_BYTES = 400 * 1024;
const MAX_TRANSACTION_BYTES = 4 * 1024 * 1024;

export interface MemoryDynamoOptions {
    shape: TableShape;
    table?: string;
    /** Records and bytes of a page; DynamoDB cuts at 1 MB. */
    maxPage?: number;
    /** Keys that a BatchGetItem answers; the others are left over. */
    maxBatch?: number;
    /** Is asked before each call is done, and behind it: what it throws is what the caller gets. */
    fate?: (when: 'before' | 'behind', operation: string, input: Input) => void | Promise<void>;
}

export class MemoryDynamo implements Pick<DynamoDBClient, 'send'> {
    readonly table: string;
    readonly records: MemoryStreamRecord[] = [];
    /** Calls by operation. */
    readonly calls: Record<string, number> = {};
    fate: NonNullable<MemoryDynamoOptions['fate']>;
    readonly #options: MemoryDynamoOptions;
    readonly #items = new Map<string, Item>();

    constructor(options: MemoryDynamoOptions) {
        this.#options = options;
        this.table = options.table ?? 'state';
        this.fate = options.fate ?? (() => undefined);
    }

    /** All records, in no order. */
    items(): Item[] {
        return [...this.#items.values()].map((item) => structuredClone(item));
    }

    clear(): void {
        this.#items.clear();
        this.records.length = 0;
    }

    send = (async (command: { input: Input; constructor: { name: string } }): Promise<unknown> => {
        const operation = command.constructor.name.replace(/Command$/, '');
        const input = structuredClone(command.input);
        this.calls[operation] = (this.calls[operation] ?? 0) + 1;
        await this.fate('before', operation, input);
        const answer = structuredClone(this.#do(operation, input));
        await this.fate('behind', operation, input);
        return answer;
    }) as DynamoDBClient['send'];

    #do(operation: string, input: Input): unknown {
        switch (operation) {
            case 'GetItem':
                return { Item: this.#items.get(this.#keyOf(input.Key)) };
            case 'BatchGetItem':
                return this.#batchGet(input);
            case 'PutItem':
                this.#commit([this.#prepare({ Put: input })]);
                return {};
            case 'UpdateItem':
                this.#commit([this.#prepare({ Update: input })]);
                return {};
            case 'DeleteItem':
                this.#delete(this.#keyOf(input.Key));
                return {};
            case 'TransactWriteItems':
                return this.#transact(input);
            case 'Query':
                return this.#query(input);
            default:
                throw refuse(`the table in memory knows no ${operation}`);
        }
    }

    #batchGet({ RequestItems }: Input): unknown {
        const { maxBatch = 100 } = this.#options;
        const { Keys, ProjectionExpression, ExpressionAttributeNames: names = {} } = RequestItems[this.table];
        const keys = Keys.map((key: Item) => this.#keyOf(key));
        if (keys.length === 0 || keys.length > 100 || new Set(keys).size < keys.length) {
            throw refuse('1 to 100 keys, and each of them once');
        }
        const columns = ProjectionExpression?.split(', ').map((name: string) => names[name]);
        const found = keys.slice(0, maxBatch).flatMap((key: string) => this.#items.get(key) ?? []);
        return {
            Responses: { [this.table]: columns ? found.map((item: Item) => project(item, columns)) : found },
            UnprocessedKeys: keys.length > maxBatch ? { [this.table]: { ...RequestItems[this.table], Keys: Keys.slice(maxBatch) } } : {},
        };
    }

    #transact({ TransactItems }: Input): unknown {
        const keys = TransactItems.map(({ Put, Update }: Input) => this.#keyOf(Put ? Put.Item : Update.Key));
        if (TransactItems.length === 0 || TransactItems.length > 100 || new Set(keys).size < keys.length) {
            throw refuse('1 to 100 actions, and one for each item');
        }
        const reasons: { Code: string }[] = [];
        const prepared = TransactItems.map((action: Input) => {
            try {
                const one = this.#prepare(action);
                reasons.push({ Code: 'None' });
                return one;
            } catch (error) {
                if (!(error instanceof Error)) {
                    throw error;
                }
                reasons.push({ Code: error.name === 'ConditionalCheckFailedException' ? 'ConditionalCheckFailed' : 'ValidationError' });
                return undefined;
            }
        });
        if (reasons.some(({ Code }) => Code !== 'None')) {
            throw named('TransactionCanceledException', 'the transaction was cancelled', { CancellationReasons: reasons });
        }
        if (prepared.reduce((sum: number, { item }: { item: Item }) => sum + sizeOf(item), 0) > MAX_TRANSACTION_BYTES) {
            throw refuse('a transaction of more than 4 MB');
        }
        this.#commit(prepared);
        return {};
    }

    /** The item as it will be. */
    #prepare({ Put, Update }: Input): { key: string; item: Item } {
        const input = Put ?? Update;
        if (input.TableName !== this.table) {
            throw named('ResourceNotFoundException', `there is no table ${input.TableName}`);
        }
        const key = this.#keyOf(Put ? Put.Item : Update.Key);
        const before = this.#items.get(key);
        const expression = new Expressions(input);
        if (input.ConditionExpression !== undefined && !expression.holds(input.ConditionExpression, before ?? {})) {
            throw named('ConditionalCheckFailedException', 'the condition does not hold');
        }
        const item = Put ? Put.Item : expression.update(Update.UpdateExpression, before ?? Update.Key);
        expression.assertAllUsed();
        this.#check(item);
        return { key, item };
    }

    #check(item: Item): void {
        const bytes = sizeOf(item);
        if (bytes > MAX_ITEM_BYTES) {
            throw refuse(`an item of ${bytes} bytes: Item size has exceeded the maximum allowed size`);
        }
        for (const { partitionKey, sortKey } of Object.values(this.#options.shape.indexes)) {
            for (const { name, type } of [partitionKey, ...(sortKey ? [sortKey] : [])]) {
                const value = item[name];
                if (value !== undefined && ((value as any)[type] === undefined || (value as any)[type] === '')) {
                    throw refuse(`column ${name} is the key of an index, of type ${type} and never empty`);
                }
            }
        }
        for (const value of Object.values(item)) {
            if (Object.keys(value).length !== 1 || Object.values(value)[0] === undefined) {
                throw refuse(`${JSON.stringify(value)} is no value`);
            }
            if (value.N !== undefined && !/^-?\d{1,38}(\.\d+)?(e[+-]?\d+)?$/.test(value.N)) {
                throw refuse(`${value.N} is no number`);
            }
        }
    }

    #commit(prepared: readonly { key: string; item: Item }[]): void {
        for (const { key, item } of prepared) {
            const before = this.#items.get(key);
            this.#items.set(key, structuredClone(item));
            // A write that changes nothing stands in no stream.
            if (!isDeepStrictEqual(before, item)) {
                this.records.push({
                    eventName: before ? 'MODIFY' : 'INSERT',
                    dynamodb: {
                        NewImage: structuredClone(item),
                        SequenceNumber: String(this.records.length + 1),
                        Keys: this.#partOf(item),
                    },
                });
            }
        }
    }

    #delete(key: string): void {
        const before = this.#items.get(key);
        this.#items.delete(key);
        if (before) {
            this.records.push({
                eventName: 'REMOVE',
                dynamodb: { NewImage: undefined, SequenceNumber: String(this.records.length + 1), Keys: this.#partOf(before) },
            });
        }
    }

    #query(input: Input): unknown {
        const { maxPage = 1_000 } = this.#options;
        const { shape } = this.#options;
        const index = input.IndexName === undefined ? shape : shape.indexes[input.IndexName];
        if (!index || input.TableName !== this.table || (input.IndexName !== undefined && input.ConsistentRead)) {
            throw refuse(`index ${input.IndexName} of table ${input.TableName}`);
        }
        const keyNames = [index.partitionKey.name, ...(index.sortKey ? [index.sortKey.name] : [])];
        const expression = new Expressions(input);
        const usedByKey = expression.namesIn(input.KeyConditionExpression);
        if (usedByKey.some((name) => !keyNames.includes(name)) || !usedByKey.includes(index.partitionKey.name)) {
            throw refuse('a key condition names the keys of its index alone');
        }
        if (input.FilterExpression !== undefined && expression.namesIn(input.FilterExpression).some((name) => keyNames.includes(name))) {
            throw refuse('a filter names no key');
        }
        const direction = input.ScanIndexForward === false ? -1 : 1;
        const sortName = index.sortKey?.name ?? '';
        const order = (a: Item, b: Item) =>
            compareKeys(a[sortName], b[sortName]) || compareKeys(idOf(this.#partOf(a)), idOf(this.#partOf(b)));
        const all = [...this.#items.values()]
            .filter((item) => keyNames.every((name) => item[name] !== undefined) && expression.holds(input.KeyConditionExpression, item))
            .sort((a, b) => direction * order(a, b));
        const start = input.ExclusiveStartKey;
        const from = start ? all.findIndex((item) => direction * order(item, start) > 0) : 0;
        const limit = Math.min(input.Limit ?? maxPage, maxPage);
        const page = from < 0 ? [] : all.slice(from, from + limit);
        const last = page.at(-1);
        const isMore = from >= 0 && from + limit < all.length;
        const projected = (item: Item): Item => {
            const columns = 'projected' in index ? index.projected : undefined;
            return columns ? project(item, [...Object.keys(this.#partOf(item)), ...keyNames, ...columns]) : item;
        };
        const shown = page
            .map(projected)
            .filter((item) => input.FilterExpression === undefined || expression.holds(input.FilterExpression, item));
        // Whoever looks at a filter of no items has named it all the same.
        expression.holds(input.KeyConditionExpression, {});
        if (input.FilterExpression !== undefined) {
            expression.holds(input.FilterExpression, {});
        }
        const asked = input.ProjectionExpression === undefined ? undefined : expression.namesIn(input.ProjectionExpression);
        expression.assertAllUsed();
        return {
            Items: asked ? shown.map((item) => project(item, asked)) : shown,
            ...(isMore && last && { LastEvaluatedKey: project(last, [...Object.keys(this.#partOf(last)), ...keyNames]) }),
        };
    }

    #partOf(item: Item): Item {
        const { partitionKey, sortKey } = this.#options.shape;
        return project(item, [partitionKey.name, ...(sortKey ? [sortKey.name] : [])]);
    }

    #keyOf(item: Item): string {
        const { partitionKey, sortKey } = this.#options.shape;
        return [partitionKey, ...(sortKey ? [sortKey] : [])]
            .map(({ name, type }) => {
                const value = (item[name] as any)?.[type];
                if (typeof value !== 'string' || value === '' || Buffer.byteLength(value) > (name === partitionKey.name ? 2048 : 1024)) {
                    throw refuse(`${JSON.stringify(item[name])} is no key ${name}`);
                }
                return JSON.stringify(value);
            })
            .join();
    }
}

/** The expressions of a call, with their names and values. */
class Expressions {
    readonly #names: Record<string, string>;
    readonly #values: Record<string, AttributeValue>;
    readonly #used = new Set<string>();

    constructor({ ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} }: Input) {
        this.#names = names;
        this.#values = values;
    }

    namesIn(expression: string): string[] {
        return (expression.match(/#\w+/g) ?? []).map((word) => this.#name(word));
    }

    holds(expression: string, item: Item): boolean {
        // AND binds closer than OR; between its two bounds BETWEEN has an AND of its own.
        return expression
            .split(' OR ')
            .map((part) =>
                part
                    .replace(/BETWEEN (\S+) AND (\S+)/g, 'BETWEEN $1 & $2')
                    .split(' AND ')
                    .map((one) => this.#holdsOne(one, item))
                    .every(Boolean),
            )
            .some(Boolean);
    }

    #holdsOne(text: string, item: Item): boolean {
        const called = /^(attribute_exists|attribute_not_exists)\((#\w+)\)$/.exec(text);
        if (called) {
            return (item[this.#name(called[2] ?? '')] === undefined) === (called[1] === 'attribute_not_exists');
        }
        const between = /^(#\w+) BETWEEN (:\w+) & (:\w+)$/.exec(text);
        if (between) {
            const [value, low, high] = [item[this.#name(between[1] ?? '')], this.#value(between[2] ?? ''), this.#value(between[3] ?? '')];
            if (compareKeys(low, high) > 0) {
                throw refuse('the lower bound of BETWEEN is above the upper one');
            }
            return value !== undefined && compareKeys(value, low) >= 0 && compareKeys(value, high) <= 0;
        }
        const compared = /^(#\w+) (=|<|<=|>|>=) (:\w+)$/.exec(text);
        if (!compared) {
            throw refuse(`the table in memory cannot read ${text}`);
        }
        const [value, other] = [item[this.#name(compared[1] ?? '')], this.#value(compared[3] ?? '')];
        if (value === undefined || Object.keys(value)[0] !== Object.keys(other)[0]) {
            return false;
        }
        const order = compareKeys(value, other);
        return { '=': order === 0, '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 }[compared[2] ?? ''] ?? false;
    }

    update(expression: string, before: Item): Item {
        const match = /^(?:SET (.*?))?\s?(?:REMOVE (.*))?$/.exec(expression);
        if (!match || expression === '') {
            throw refuse(`the table in memory cannot read ${expression}`);
        }
        const item = { ...before };
        const touched: string[] = [];
        for (const one of match[1]?.split(/, (?=#\w+ =)/) ?? []) {
            const set = /^(#\w+) = (?:if_not_exists\((#\w+), (:\w+)\)|(:\w+))$/.exec(one);
            if (!set) {
                throw refuse(`the table in memory cannot read ${one}`);
            }
            const name = this.#name(set[1] ?? '');
            touched.push(name);
            item[name] = set[2] === undefined ? this.#value(set[4] ?? '') : (before[this.#name(set[2])] ?? this.#value(set[3] ?? ''));
            this.#value(set[3] ?? set[4] ?? '');
        }
        for (const word of match[2]?.split(', ') ?? []) {
            const name = this.#name(word);
            touched.push(name);
            delete item[name];
        }
        if (new Set(touched).size < touched.length) {
            throw refuse(`two paths of ${expression} overlap`);
        }
        return item;
    }

    assertAllUsed(): void {
        for (const word of [...Object.keys(this.#names), ...Object.keys(this.#values)]) {
            if (!this.#used.has(word)) {
                throw refuse(`${word} is used in no expression`);
            }
        }
    }

    #name(word: string): string {
        this.#used.add(word);
        const name = this.#names[word];
        if (name === undefined) {
            throw refuse(`an expression uses ${word}, which is not given`);
        }
        return name;
    }

    #value(word: string): AttributeValue {
        this.#used.add(word);
        const value = this.#values[word];
        if (value === undefined) {
            throw refuse(`an expression uses ${word}, which is not given`);
        }
        return value;
    }
}

function project(item: Item, columns: readonly string[]): Item {
    return Object.fromEntries([...new Set(columns)].flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])));
}

function compareKeys(a: AttributeValue | undefined, b: AttributeValue | undefined): number {
    if (a?.N !== undefined && b?.N !== undefined) {
        return Number(a.N) - Number(b.N);
    }
    return Buffer.compare(Buffer.from(a?.S ?? ''), Buffer.from(b?.S ?? ''));
}

function idOf(key: Item): AttributeValue {
    return { S: JSON.stringify(Object.values(key).map((value) => value.S ?? value.N)) };
}

/** By the documented rules: names and values in UTF-8; a number takes a byte for two digits, and one. */
function sizeOf(item: Item): number {
    return Object.entries(item).reduce((sum, [name, { S, N, B }]) => {
        const value = S === undefined ? (B?.length ?? Math.ceil((N?.length ?? 0) / 2) + 1) : Buffer.byteLength(S);
        return sum + Buffer.byteLength(name) + value;
    }, 0);
}

function refuse(why: string): Error {
    return named('ValidationException', why);
}

function named(name: string, message: string, more: object = {}): Error {
    return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 400 }, ...more });
}
