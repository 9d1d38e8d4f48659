/**
 * The log of live events on AWS. Events come out of many shards of the state table's stream; here each gets the next number, so that a client has one id behind which it
 * goes on, as at home. A record holds a lot of events and lies at the number behind which they begin; the head names the last number, and both are written together or
 * not at all, so that no reader sees a number before those in front of it.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { EventLog, NumberedEvent } from '#lake/live/api/services';
import type { LiveEvent } from '#lake/live/state-store';
import { LOG_PART } from './socket-table.ts';
import type { StateCalls } from './state-calls.ts';
import { numberIn, type StoredRecord, textIn, toRecord } from './state-records.ts';

export interface CloudEventLogOptions {
    /** Calls to the table of lake/cloud/socket-table.ts. */
    calls: StateCalls;
    /** UTC epoch milliseconds. */
    now: () => number;
    /** Packed bytes of a record at most; DynamoDB holds 400 KB. */
    maxLotBytes?: number;
}

/** How long events can be asked for: a client that was away for longer asks for the state anew. */
const KEPT_MS = 60 * 60_000;

/** Names of lots that the head remembers. A batch of a stream that is tried again comes again before so many others. */
const NAMES_REMEMBERED = 200;

const HEAD: StoredRecord = toRecord({ part: LOG_PART, place: 'head' });

interface Lot {
    /** Number behind which its events begin, and that of its last one. */
    behind: number;
    last: number;
    events: LiveEvent[];
}

export class CloudEventLog implements Pick<EventLog, 'last' | 'read'> {
    readonly #calls: StateCalls;
    readonly #now: () => number;
    readonly #maxLotBytes: number;

    constructor({ calls, now, maxLotBytes = 300 * 1024 }: CloudEventLogOptions) {
        this.#calls = calls;
        this.#now = now;
        this.#maxLotBytes = maxLotBytes;
    }

    /** Adds events in their order. A second call with one name adds nothing: whoever reads a stream may read a batch of it again. */
    async append(events: readonly LiveEvent[], { name }: { name: string }): Promise<void> {
        if (events.length === 0) {
            return;
        }
        const packed = deflateRawSync(JSON.stringify(events));
        if (packed.length > this.#maxLotBytes && events.length > 1) {
            const middle = events.length >> 1;
            await this.append(events.slice(0, middle), { name: `${name}<` });
            await this.append(events.slice(middle), { name: `${name}>` });
            return;
        }
        for (;;) {
            const head = await this.#calls.get(HEAD);
            const behind = head ? (numberIn(head, 'last') ?? 0) : 0;
            const names: string[] = JSON.parse((head && textIn(head, 'names')) ?? '[]');
            if (names.includes(name)) {
                return;
            }
            const last = behind + events.length;
            const isAdded = await this.#calls.write([
                {
                    put: toRecord({
                        part: LOG_PART,
                        place: placeOf(behind),
                        last,
                        packed,
                        expires_s: Math.ceil((this.#now() + KEPT_MS) / 1000),
                    }),
                    if: { is: 'absent', column: 'part' },
                },
                {
                    key: HEAD,
                    set: { last, names: JSON.stringify([...names, name].slice(-NAMES_REMEMBERED)) },
                    if: head ? { is: 'equal', column: 'last', to: behind } : { is: 'absent', column: 'last' },
                },
            ]);
            if (isAdded) {
                return;
            }
            // Another was faster: look again.
        }
    }

    async last(): Promise<string> {
        return String(await this.#last());
    }

    async #last(): Promise<number> {
        const head = await this.#calls.get(HEAD);
        return head ? (numberIn(head, 'last') ?? 0) : 0;
    }

    async read({
        after,
        limit,
        isLatestWanted,
    }: {
        after: string;
        limit: number;
        isLatestWanted: boolean;
    }): Promise<readonly NumberedEvent[] | undefined> {
        const known = Number(after);
        // Asked before the lots: all that it counts is there, or is gone.
        const last = await this.#last();
        if (known >= last) {
            return known === last ? [] : undefined;
        }
        let end = known;
        const found: NumberedEvent[] = [];
        for await (const lot of this.#lotsFrom(known)) {
            if (lot.last <= known) {
                continue;
            }
            // DynamoDB deletes what is over in no order: behind a hole nothing is told.
            if (lot.behind > end) {
                return found.length > 0 ? found : undefined;
            }
            lot.events.forEach((event, n) => {
                const id = lot.behind + 1 + n;
                if (id > known && found.length < limit && (isLatestWanted || event.kind !== 'latest')) {
                    found.push({ id: String(id), event });
                }
            });
            end = lot.last;
            if (found.length >= limit) {
                return found;
            }
        }
        return end === known ? undefined : found;
    }

    /** The lot that the number lies in or at whose end it lies, and those behind it. */
    async *#lotsFrom(known: number): AsyncGenerator<Lot> {
        const asked = { ConsistentRead: true, ExpressionAttributeNames: { '#part': 'part', '#place': 'place' } };
        let from = placeOf(known);
        const before = this.#calls.query({
            ...asked,
            KeyConditionExpression: '#part = :part AND #place <= :place',
            ExpressionAttributeValues: toRecord({ ':part': LOG_PART, ':place': from }),
            ScanIndexForward: false,
            Limit: 1,
        });
        for await (const [record] of before) {
            from = (record && textIn(record, 'place')) ?? from;
            break;
        }
        const lots = this.#calls.query({
            ...asked,
            KeyConditionExpression: '#part = :part AND #place BETWEEN :from AND :to',
            ExpressionAttributeValues: toRecord({ ':part': LOG_PART, ':from': from, ':to': placeOf(Number.MAX_SAFE_INTEGER) }),
        });
        for await (const page of lots) {
            yield* page.map(lotIn);
        }
    }
}

/** Places are in the order of numbers. Ids that clients make up may be larger than any. */
function placeOf(number: number): string {
    return String(Math.min(number, Number.MAX_SAFE_INTEGER)).padStart(16, '0');
}

function lotIn(record: StoredRecord): Lot {
    return {
        behind: Number(textIn(record, 'place')),
        last: numberIn(record, 'last') ?? 0,
        events: JSON.parse(inflateRawSync(record.packed?.B ?? new Uint8Array()).toString()),
    };
}
