/**
 * Use case: what became of each message, from its sender's journal to the lake's tables. A message is known by its device and the hash of its payload in the chain,
 * and by its device and identity in the readings.
 */
import pMap from 'p-map';
import { isConsolidated } from '#lake/commit/consolidate';
import { chainPlaceOf } from '#lake/layout';
import { readLedger } from '#lake/ledger';
import type { QueryEngine } from '#lake/query/query-engine';
import { sourceId } from '#lake/source-id';
import { CALLS_AT_ONCE, type ObjectStore } from '#lake/store/object-store';
import { type ChainMessage, compareSequences } from '#lake/telemetry/chain-line';
import { hashOf } from '#lake/telemetry/profile/identity';
import { readings } from '#lake/telemetry/tables';
import { messagesOf } from './chain-object.ts';
import { CHAINS } from './chain-origins.ts';
import type { Journal, JournalMessage } from './journal.ts';

/** What became of a device's messages. Counts are of messages, each once. */
export interface DeviceDelivery {
    device: string;
    /** Measured, and by a fault of the simulation never sent. */
    dropped: number;
    sent: number;
    /** Refused for good when they were sent, so that the device knows. */
    refused: number;
    /** In the readings. */
    received: number;
    /** In messages_rejected. */
    rejected: number;
    /** In the inbox, the chain or an hour that is not merged: not in the tables yet. */
    waiting: number;
    /** Not acknowledged, and nowhere: the device knows that it must send them again. */
    unacknowledged: number;
    /** Acknowledged, and nowhere. */
    lost: number;
    /** Copies that came beside the first ones. */
    repeated: number;
    /** Arrived more than a minute after they were measured. */
    late: number;
    /** Milliseconds from sending to latest state, and until the tables had it, of the messages of which that is known. */
    toLatest: number[];
    toLake: number[];
}

export interface DeliveryOptions {
    store: ObjectStore;
    engine: QueryEngine;
    journal: Journal;
    /** Messages that are in the inbox and in no chain. `ends` has the last sequence number that was found in each chain, by its prefix; `fromMs` is before any message. */
    unsealed(asked: { ends: ReadonlyMap<string, string>; fromMs: number }): Iterable<ChainMessage> | AsyncIterable<ChainMessage>;
    /** Times at which the tables had what stands in chain objects, where they are known better than by their commits. */
    inLakeMs: ReadonlyMap<string, number>;
    signal: AbortSignal;
    onObject?: ((key: string) => void) | undefined;
}

const LATE_MS = 60_000;

/** Chain objects that were written this long before the first message hold none of it, whatever the clocks say. */
const CLOCK_SLACK_MS = 3_600_000;

/** Sightings of a message on its way. */
interface Seen {
    copies: number;
    firstArrivedMs: number;
    /** Time at which the first chain object that has it was in the lake; undefined where it is not. */
    inLakeMs: number | undefined;
}

/** Accounts for every message of the journal, by device in the order of their ids. */
export async function accountFor(options: DeliveryOptions): Promise<DeviceDelivery[]> {
    const { journal } = options;
    const seen = await lookOnTheWay(options);
    const inRejects = await lookInRejects(options);
    const inReadings = await lookInReadings(options);
    const missing = missingHours(journal, { seen, inReadings, inRejects });
    if (missing.size === 0) {
        return account(journal, { seen, inReadings, inRejects, unmerged: missing });
    }
    // What is merged between the two looks is in the readings of the second one.
    const unmerged = await findUnmerged(options.store, missing);
    return account(journal, { seen, inReadings: await lookInReadings(options), inRejects, unmerged });
}

/** What was found of the journal's messages. */
interface Found {
    seen: ReadonlyMap<string, Seen>;
    inReadings: ReadonlySet<string>;
    inRejects: ReadonlySet<string>;
}

function account(journal: Journal, { seen, inReadings, inRejects, unmerged }: Found & { unmerged: ReadonlySet<string> }): DeviceDelivery[] {
    return [...journal.devices]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([device, messages]) => {
            const of: DeviceDelivery = {
                device,
                dropped: journal.dropped.get(device) ?? 0,
                refused: journal.refused.get(device) ?? 0,
                sent: messages.size,
                received: 0,
                rejected: 0,
                waiting: 0,
                unacknowledged: 0,
                lost: 0,
                repeated: 0,
                late: 0,
                toLatest: [],
                toLake: [],
            };
            for (const [name, message] of messages) {
                const place = placeOf(message, {
                    isInReadings: inReadings.has(`${device} ${name}`),
                    isInRejects: inRejects.has(message.hash),
                    seen: seen.get(`${device} ${message.hash}`),
                    unmerged,
                });
                of[place] += 1;
                addTimes(of, message, seen.get(`${device} ${message.hash}`), place === 'received' || place === 'rejected');
            }
            return of;
        });
}

type Place = 'received' | 'rejected' | 'waiting' | 'unacknowledged' | 'lost';

function placeOf(
    message: JournalMessage,
    {
        isInReadings,
        isInRejects,
        seen,
        unmerged,
    }: { isInReadings: boolean; isInRejects: boolean; seen: Seen | undefined; unmerged: ReadonlySet<string> },
): Place {
    if (isInReadings) {
        return 'received';
    }
    if (isInRejects) {
        return 'rejected';
    }
    if (seen && (seen.inLakeMs === undefined || hoursOf(message, seen).some((hour) => unmerged.has(hour)))) {
        return 'waiting';
    }
    return message.acknowledgedMs === undefined ? 'unacknowledged' : 'lost';
}

/** Hours whose readings a message can be among: by its own clock, or by its arrival where that is not believed. */
function hoursOf({ measuredMs }: JournalMessage, { firstArrivedMs }: Seen): string[] {
    return [measuredMs, firstArrivedMs].map((ms) => new Date(ms).toISOString().slice(0, 'yyyy-mm-ddThh'.length));
}

/** Hours of messages that were read, and are in no table. */
function missingHours({ devices }: Journal, { seen, inReadings, inRejects }: Found): Set<string> {
    const hours = new Set<string>();
    for (const [device, messages] of devices) {
        for (const [name, message] of messages) {
            const found = seen.get(`${device} ${message.hash}`);
            if (found?.inLakeMs !== undefined && !inReadings.has(`${device} ${name}`) && !inRejects.has(message.hash)) {
                hoursOf(message, found).forEach((hour) => void hours.add(hour));
            }
        }
    }
    return hours;
}

/** Hours among these whose readings are not merged yet: on AWS that is some minutes after their last part was read. */
async function findUnmerged(store: ObjectStore, hours: ReadonlySet<string>): Promise<Set<string>> {
    const unmerged = await pMap(
        hours,
        async (period) => ((await isConsolidated({ table: readings.name, period }, { store })) ? [] : [period]),
        { concurrency: CALLS_AT_ONCE },
    );
    return new Set(unmerged.flat());
}

function addTimes(of: DeviceDelivery, message: JournalMessage, seen: Seen | undefined, isInLake: boolean): void {
    if (message.latestMs !== undefined) {
        of.toLatest.push(message.latestMs - message.firstSentMs);
    }
    if (seen) {
        of.repeated += seen.copies - 1;
        of.late += seen.firstArrivedMs - message.measuredMs > LATE_MS ? 1 : 0;
        if (isInLake && seen.inLakeMs !== undefined) {
            of.toLake.push(seen.inLakeMs - message.firstSentMs);
        }
    }
}

/** The journal's messages in the inbox and in the chain, by device and hash. */
async function lookOnTheWay({ store, journal, unsealed, inLakeMs, signal, onObject }: DeliveryOptions): Promise<ReadonlyMap<string, Seen>> {
    const seen = new Map<string, Seen>();
    const take = ({ device, payload, arrivedMs }: ChainMessage, inLake: number | undefined): void => {
        if (device === undefined || !journal.devices.has(device)) {
            return;
        }
        const name = `${device} ${hashOf(payload)}`;
        const known = seen.get(name);
        if (known) {
            known.copies += 1;
            known.inLakeMs = Math.min(known.inLakeMs ?? Number.POSITIVE_INFINITY, inLake ?? Number.POSITIVE_INFINITY);
            known.inLakeMs = Number.isFinite(known.inLakeMs) ? known.inLakeMs : undefined;
        } else {
            seen.set(name, { copies: 1, firstArrivedMs: arrivedMs, inLakeMs: inLake });
        }
    };
    const fromMs = journal.firstMs - CLOCK_SLACK_MS;
    const ends = new Map<string, string>();
    for await (const { key, modifiedAt } of store.list(CHAINS)) {
        if (modifiedAt.getTime() < fromMs) {
            continue;
        }
        const chain = chainPlaceOf(key)?.prefix;
        signal.throwIfAborted();
        onObject?.(key);
        const inLake = inLakeMs.get(key) ?? (await committedMs(store, key));
        for await (const message of messagesOf(store, key)) {
            take(message, inLake);
            if (chain !== undefined && compareSequences(message.sequence, ends.get(chain) ?? '0') > 0) {
                ends.set(chain, message.sequence);
            }
        }
    }
    for await (const message of unsealed({ ends, fromMs })) {
        signal.throwIfAborted();
        take(message, undefined);
    }
    return seen;
}

/** Time at which the object first counted; undefined where it does not count yet. */
async function committedMs(store: ObjectStore, key: string): Promise<number | undefined> {
    const { record } = await readLedger(store, sourceId(key));
    const at = record?.history?.[0]?.committed_at ?? record?.summarized_at;
    return at === undefined || record?.state !== 'done' ? undefined : Date.parse(at);
}

/** The journal's messages that have readings, as `device identity`. */
async function lookInReadings({ engine, journal, signal }: DeliveryOptions): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    const [from, to] = daysOf(journal);
    const { batches } = await engine.query('select distinct device, message from readings where day between ? and ?', {
        parameters: [from, to],
        signal,
    });
    for await (const batch of batches) {
        for (const [device, message] of batch) {
            if (typeof device === 'string' && journal.devices.get(device)?.has(String(message))) {
                found.add(`${device} ${message}`);
            }
        }
    }
    return found;
}

/** Hashes of payloads that are rows of messages_rejected, as far as they stand there whole. */
async function lookInRejects({ engine, signal }: DeliveryOptions): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    const { batches } = await engine.query('select line from messages_rejected where metric is null', { signal });
    for await (const batch of batches) {
        for (const [line] of batch) {
            if (typeof line === 'string') {
                found.add(hashOf(Buffer.from(line)));
            }
        }
    }
    return found;
}

/** Days in which readings of the journal's messages can lie: a clock that is not believed puts them at their arrival, one that is may be a little off. */
function daysOf({ firstMs, lastMs }: Journal): [string, string] {
    const day = (ms: number): string => new Date(ms).toISOString().slice(0, 'yyyy-mm-dd'.length);
    return [day(firstMs - 24 * CLOCK_SLACK_MS), day(lastMs + 24 * CLOCK_SLACK_MS)];
}

/** The value below which a share of the values lies: the nearest rank. Undefined of none. */
export function percentile(values: readonly number[], share: number): number | undefined {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
