/**
 * The connections of who listens by WebSocket, and how far they were told. A connection begins `open`; asked to follow events it is `behind`, and whoever was asked tells it
 * what it has missed; then it is `level`, and is told by whoever follows the log. Each event is told by one of the two: a connection becomes level only on condition that
 * the log's follower stands where it was seen to stand, and the follower says where it goes before it looks who is level.
 */
import type { StateCalls } from './state-calls.ts';
import { numberIn, type StoredRecord, textIn, toRecord } from './state-records.ts';

/** What a connection wants to be told. */
export interface Wanted {
    kinds: readonly string[];
    /** Only events of this device. */
    device?: string | undefined;
}

/** A connection that is level. */
export interface Socket extends Wanted {
    id: string;
    /** Last event that it was told when it became level: what is behind it was told by who follows the log. */
    at: number;
    /** Its end, UTC epoch milliseconds: its client comes again. */
    untilMs: number;
}

/** How far level connections were told: up to `at`, and up to `to` where somebody is about it now. */
export interface Told {
    at: number;
    to: number;
}

export interface SocketsOptions {
    /** Calls to the table of lake/cloud/socket-table.ts. */
    calls: StateCalls;
    /** UTC epoch milliseconds. */
    now: () => number;
}

/** A connection lasts as long as a stream of events at home: then its client comes again, with a token that may have been revoked meanwhile. */
const SOCKET_LIFE_MS = 3_600_000;

/** API Gateway ends each after two hours, and says so; a record that stayed all the same goes then. */
const RECORD_LIFE_MS = 3 * SOCKET_LIFE_MS;

/** Connections that follow events at once: each is told every event by a call of its own. */
const MAX_SOCKETS = 1_000;

const PART = 'sockets';

const TOLD: StoredRecord = toRecord({ part: 'told', place: 'level' });

export class Sockets {
    readonly #calls: StateCalls;
    readonly #now: () => number;

    constructor({ calls, now }: SocketsOptions) {
        this.#calls = calls;
        this.#now = now;
    }

    /** Notes a connection. */
    async open({ id, reader }: { id: string; reader: string }): Promise<void> {
        const nowMs = this.#now();
        const times = { until_ms: nowMs + SOCKET_LIFE_MS, expires_s: Math.ceil((nowMs + RECORD_LIFE_MS) / 1000) };
        await this.#calls.write([{ put: toRecord({ part: PART, place: id, is: 'open', reader, ...times }) }]);
    }

    /** Forgets a connection. Safe to repeat. */
    close(id: string): Promise<void> {
        return this.#calls.remove(keyOf(id));
    }

    /** Notes what a connection wants, and that it is not level. @returns false where it is not there any more */
    begin(id: string, { kinds, device }: Wanted): Promise<boolean> {
        const key = keyOf(id);
        return this.#calls.write([
            {
                key,
                set: { is: 'behind', kinds: kinds.join(','), device },
                remove: device === undefined ? ['device'] : [],
                if: { is: 'present', column: 'part' },
            },
        ]);
    }

    /**
     * Hands a connection that was told all up to `at` over to who follows the log; `seen` was looked at before the log was found to end at `at`.
     * @returns false where the follower does not stand there any more, or the connection is gone: look again
     */
    async level(id: string, { at, seen }: { at: number; seen: Told }): Promise<boolean> {
        const place = textOf(seen);
        return this.#calls.write([
            // A condition alone: the record stays as it is.
            { key: TOLD, set: { told: place }, if: { is: 'equal', column: 'told', to: place } },
            { key: keyOf(id), set: { is: 'level', at }, if: { is: 'present', column: 'part' } },
        ]);
    }

    /** Connections that are level, `MAX_SOCKETS` at most. */
    async list(): Promise<Socket[]> {
        const found: Socket[] = [];
        for await (const page of this.#all()) {
            found.push(...page.filter((record) => textIn(record, 'is') === 'level').map(socketIn));
        }
        return found;
    }

    /** True while as many connections follow events as may. */
    async isFull(): Promise<boolean> {
        let following = 0;
        for await (const page of this.#all()) {
            following += page.filter((record) => textIn(record, 'is') !== 'open').length;
        }
        return following >= MAX_SOCKETS;
    }

    #all(): AsyncGenerator<StoredRecord[]> {
        return this.#calls.query({
            ConsistentRead: true,
            KeyConditionExpression: '#part = :part',
            ExpressionAttributeNames: { '#part': 'part' },
            ExpressionAttributeValues: toRecord({ ':part': PART }),
        });
    }

    /** How far level connections were told. Where nobody was ever told anything, that is written down. */
    async told(): Promise<Told> {
        for (;;) {
            const record = await this.#calls.get(TOLD);
            const known = record && textIn(record, 'told');
            if (known !== undefined) {
                return toldIn(known);
            }
            await this.#calls.write([
                { put: { ...TOLD, ...toRecord({ told: textOf({ at: 0, to: 0 }) }) }, if: { is: 'absent', column: 'part' } },
            ]);
        }
    }

    /** Says where level connections are led next, before anybody is told. @returns false where another was faster */
    lead(from: Told, to: Told): Promise<boolean> {
        return this.#calls.write([{ key: TOLD, set: { told: textOf(to) }, if: { is: 'equal', column: 'told', to: textOf(from) } }]);
    }
}

function keyOf(id: string): StoredRecord {
    return toRecord({ part: PART, place: id });
}

function textOf({ at, to }: Told): string {
    return at === to ? `${at}` : `${at}>${to}`;
}

function toldIn(text: string): Told {
    const [at = '', to = at] = text.split('>');
    return { at: Number(at), to: Number(to) };
}

function socketIn(record: StoredRecord): Socket {
    return {
        id: textIn(record, 'place') ?? '',
        kinds: (textIn(record, 'kinds') ?? '').split(','),
        device: textIn(record, 'device'),
        at: numberIn(record, 'at') ?? 0,
        untilMs: numberIn(record, 'until_ms') ?? 0,
    };
}
