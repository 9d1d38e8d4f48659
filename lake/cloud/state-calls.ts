/**
 * Calls to the state table. What is throttled, left over of a batch, or met by another transaction is tried again after a random while; a condition that does not
 * hold is an answer.
 */
import {
    BatchGetItemCommand,
    DeleteItemCommand,
    type DynamoDBClient,
    GetItemCommand,
    PutItemCommand,
    type PutItemCommandInput,
    QueryCommand,
    type QueryCommandInput,
    TransactWriteItemsCommand,
    UpdateItemCommand,
    type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import pMap from 'p-map';
import { asStorageError, awsStatusOf } from '#lake/aws/aws-errors';
import { tryAgain } from '#lake/aws/try-again';
import { type Column, RefusedWrite, type StoredRecord, toAttribute } from './state-records.ts';

/** Keys of one BatchGetItem: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
const KEYS_AT_ONCE = 100;
const CALLS_AT_ONCE = 16;

/** A write of one record: as a whole, or of some columns. The condition is on the record as it was. */
export type Write =
    | { put: StoredRecord; if?: Condition | undefined }
    | {
          key: StoredRecord;
          set?: Readonly<Record<string, Column>>;
          /** Columns that are set where the record has none of that name. */
          keep?: Readonly<Record<string, Column>>;
          remove?: readonly string[];
          if?: Condition | undefined;
      };

export type Condition =
    | { is: 'absent'; column: string }
    | { is: 'equal'; column: string; to: string | number }
    | { is: 'less or absent'; column: string; than: string }
    | { is: 'present'; column: string; andAbsent?: string };

export class StateCalls {
    readonly #client: Pick<DynamoDBClient, 'send'>;
    readonly #table: string;

    constructor({ client, table }: { client: Pick<DynamoDBClient, 'send'>; table: string }) {
        this.#client = client;
        this.#table = table;
    }

    /** The record; undefined where there is none. */
    get(key: StoredRecord): Promise<StoredRecord | undefined> {
        return this.#call('read from', async () => {
            const { Item } = await this.#client.send(new GetItemCommand({ TableName: this.#table, Key: key, ConsistentRead: true }));
            return Item;
        });
    }

    /** The records of these keys that are there, in no order. No key may be given twice. */
    async getAll(keys: readonly StoredRecord[], { columns }: { columns?: readonly string[] } = {}): Promise<StoredRecord[]> {
        const lots = Array.from({ length: Math.ceil(keys.length / KEYS_AT_ONCE) }, (_, n) =>
            keys.slice(n * KEYS_AT_ONCE, (n + 1) * KEYS_AT_ONCE),
        );
        return (await pMap(lots, (lot) => this.#getLot(lot, columns), { concurrency: CALLS_AT_ONCE })).flat();
    }

    async #getLot(keys: readonly StoredRecord[], columns: readonly string[] | undefined): Promise<StoredRecord[]> {
        const found: StoredRecord[] = [];
        let left: StoredRecord[] = [...keys];
        const projection = columns && {
            ProjectionExpression: columns.map((_, n) => `#c${n}`).join(', '),
            ExpressionAttributeNames: Object.fromEntries(columns.map((name, n) => [`#c${n}`, name])),
        };
        const readLeft = async () => {
            // Who asks for some columns of many records counts them; who reads whole ones writes them again.
            const asked = { Keys: left, ConsistentRead: columns === undefined, ...projection };
            const { Responses, UnprocessedKeys } = await this.#client.send(
                new BatchGetItemCommand({ RequestItems: { [this.#table]: asked } }),
            );
            found.push(...(Responses?.[this.#table] ?? []));
            left = UnprocessedKeys?.[this.#table]?.Keys ?? [];
            if (left.length > 0) {
                throw new LeftOver(`DynamoDB left ${left.length} of ${keys.length} keys unread`);
            }
        };
        // An answer of 16 MB is cut: as long as some come, it goes on.
        for (let before = Number.POSITIVE_INFINITY; left.length > 0; ) {
            try {
                await this.#call('read from', readLeft);
            } catch (error) {
                if (!(error instanceof LeftOver) || left.length >= before) {
                    throw error;
                }
            }
            before = left.length;
        }
        return found;
    }

    /** Records of a partition, or of one of an index, page after page as DynamoDB cuts them. */
    async *query(asked: Omit<QueryCommandInput, 'TableName'>): AsyncGenerator<StoredRecord[]> {
        let start: QueryCommandInput['ExclusiveStartKey'];
        do {
            const page = await this.#call('read from', () =>
                this.#client.send(new QueryCommand({ ...asked, TableName: this.#table, ...(start && { ExclusiveStartKey: start }) })),
            );
            yield page.Items ?? [];
            start = page.LastEvaluatedKey;
        } while (start !== undefined);
    }

    /** Writes one record, or all of them or none. @returns false where a condition does not hold @throws RefusedWrite, StorageError */
    write(writes: readonly Write[]): Promise<boolean> {
        return this.#call('write to', async () => {
            try {
                await this.#send(writes);
                return true;
            } catch (error) {
                if (isConditionFailure(error)) {
                    return false;
                }
                throw error;
            }
        });
    }

    /** Safe to repeat. */
    async remove(key: StoredRecord): Promise<void> {
        await this.#call('write to', () => this.#client.send(new DeleteItemCommand({ TableName: this.#table, Key: key })));
    }

    async #send(writes: readonly Write[]): Promise<void> {
        const [only, ...more] = writes.map((write) => this.#itemOf(write));
        if (only && more.length === 0) {
            await (only.Put ? this.#client.send(new PutItemCommand(only.Put)) : this.#client.send(new UpdateItemCommand(only.Update)));
        } else {
            // The SDK gives each call a ClientRequestToken, and tries it again with the same one: a lost answer writes nothing twice.
            await this.#client.send(new TransactWriteItemsCommand({ TransactItems: only ? [only, ...more] : [] }));
        }
    }

    #itemOf(
        write: Write,
    ): { Put: PutItemCommandInput; Update?: never } | { Put?: never; Update: UpdateItemCommandInput & { UpdateExpression: string } } {
        const names = new Names();
        const condition = write.if && conditionText(write.if, names);
        const ConditionExpression = condition === undefined ? {} : { ConditionExpression: condition };
        if ('put' in write) {
            return { Put: { TableName: this.#table, Item: write.put, ...ConditionExpression, ...names.parameters() } };
        }
        const { key, set = {}, keep = {}, remove = [] } = write;
        const sets = [
            ...Object.entries(set).flatMap(([name, value]) => names.assign(name, value)),
            ...Object.entries(keep).flatMap(([name, value]) => names.assign(name, value, { isKept: true })),
        ];
        const removes = remove.map((name) => names.of(name));
        const update = [
            ...(sets.length > 0 ? [`SET ${sets.join(', ')}`] : []),
            ...(removes.length > 0 ? [`REMOVE ${removes.join(', ')}`] : []),
        ];
        return {
            Update: { TableName: this.#table, Key: key, UpdateExpression: update.join(' '), ...ConditionExpression, ...names.parameters() },
        };
    }

    async #call<T>(doing: string, work: () => Promise<T>): Promise<T> {
        try {
            return await tryAgain(work, { mayHelp });
        } catch (error) {
            if (isRefused(error)) {
                throw new RefusedWrite(`DynamoDB refuses what is to be written to table ${this.#table}: ${error.message}`, {
                    cause: error,
                });
            }
            throw asStorageError(error, { doing: `${doing} table ${this.#table}` });
        }
    }
}

class LeftOver extends Error {}

/** Names and values of an expression: every name goes through `#`, because many words are reserved (`at`, `rank`, `state` ...). */
class Names {
    readonly #names = new Map<string, string>();
    readonly #values = new Map<string, string | number | Uint8Array>();

    of(name: string): string {
        const known = this.#names.get(name) ?? `#n${this.#names.size}`;
        this.#names.set(name, known);
        return known;
    }

    value(value: string | number | Uint8Array): string {
        const name = `:v${this.#values.size}`;
        this.#values.set(name, value);
        return name;
    }

    assign(column: string, value: Column, { isKept = false } = {}): string[] {
        if (value === undefined || value === null) {
            return [];
        }
        const [name, given] = [this.of(column), this.value(value)];
        return [`${name} = ${isKept ? `if_not_exists(${name}, ${given})` : given}`];
    }

    parameters() {
        return {
            ...(this.#names.size > 0 && {
                ExpressionAttributeNames: Object.fromEntries([...this.#names].map(([name, placeholder]) => [placeholder, name])),
            }),
            ...(this.#values.size > 0 && {
                ExpressionAttributeValues: Object.fromEntries([...this.#values].map(([name, value]) => [name, toAttribute(value)])),
            }),
        };
    }
}

function conditionText(condition: Condition, names: Names): string {
    const column = names.of(condition.column);
    switch (condition.is) {
        case 'absent':
            return `attribute_not_exists(${column})`;
        case 'equal':
            return `${column} = ${names.value(condition.to)}`;
        case 'less or absent':
            return `attribute_not_exists(${column}) OR ${column} < ${names.value(condition.than)}`;
        case 'present': {
            const more = condition.andAbsent === undefined ? '' : ` AND attribute_not_exists(${names.of(condition.andAbsent)})`;
            return `attribute_exists(${column})${more}`;
        }
    }
}

/** Reasons of a cancelled transaction: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html */
function reasonsOf(error: Error): string[] {
    const reasons: unknown = 'CancellationReasons' in error ? error.CancellationReasons : [];
    return Array.isArray(reasons) ? reasons.map((reason: { Code?: string }) => reason.Code ?? 'None') : [];
}

/** A conflict is HTTP 400, as is a mistake: only the name tells them apart. */
function isConditionFailure(error: unknown): boolean {
    return (
        error instanceof Error &&
        (error.name === 'ConditionalCheckFailedException' ||
            (error.name === 'TransactionCanceledException' && reasonsOf(error).includes('ConditionalCheckFailed')))
    );
}

function isRefused(error: unknown): error is Error {
    return (
        error instanceof Error &&
        (error.name === 'ValidationException' ||
            error.name === 'ItemCollectionSizeLimitExceededException' ||
            (error.name === 'TransactionCanceledException' && reasonsOf(error).includes('ValidationError')))
    );
}

const MAY_HELP = new Set([
    'ProvisionedThroughputExceededException',
    'ThrottlingException',
    'RequestLimitExceeded',
    'TransactionConflictException',
    'TransactionInProgressException',
    'InternalServerError',
]);

const MAY_HELP_REASONS = new Set(['None', 'TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);

function mayHelp(error: unknown): boolean {
    if (!(error instanceof Error)) {
        return false;
    }
    if (error.name === 'TransactionCanceledException') {
        const reasons = reasonsOf(error);
        return reasons.length > 0 && reasons.every((reason) => MAY_HELP_REASONS.has(reason));
    }
    return error instanceof LeftOver || MAY_HELP.has(error.name) || (awsStatusOf(error) ?? 0) >= 500;
}
