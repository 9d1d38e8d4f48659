/**
 * Brings a batch of one shard into latest state. A device's messages are one write, on condition of the version that was read; where another worker was faster it is read
 * and merged again, and what is in it already counts once.
 */

import { StorageError } from '#lake/errors';
import { type LiveClock, stateOf } from '#lake/live/device-state';
import { devicesOf, followMessages } from '#lake/live/latest';
import type { LiveProfiles, ReadMessage } from '#lake/live/live-profiles';
import type { StateStore } from '#lake/live/state-store';
import { withState } from '#lake/live/told-states';
import type { ChainMessage } from '#lake/telemetry/chain-line';

/** Messages of a device that are one write: with what they raise and clear they fit in a transaction, which takes 4 MB. */
const MESSAGES_AT_ONCE = 100;

/** Two workers that meet do so once or twice; who loses more often waits for the next try of the batch. */
const MAX_CONFLICTS = 20;

export interface TakeLatestOptions {
    /** Stream of numbers that the messages' sequence numbers are of; undefined where they came beside any stream (lake/live/latest.ts). */
    stream: string | undefined;
    state: StateStore;
    profiles: Pick<LiveProfiles, 'read'>;
    /** What time it is for latest state: by this it is told which devices are there again. */
    clock: () => Promise<LiveClock>;
    /** The machine's clock, UTC epoch milliseconds. */
    now: () => number;
}

/** What became of a batch. */
export interface TakenLatest {
    /** Messages of which no reading came, messages that are not their device's own, and messages that name no device. */
    rejected: number;
    refused: number;
    unassigned: number;
    /** How often another worker was faster. */
    conflicts: number;
}

/** Takes messages of a shard, in their order. Safe to repeat, with any part of them. @throws StorageError where not all are in latest state */
export async function takeLatest(messages: readonly ChainMessage[], options: TakeLatestOptions): Promise<TakenLatest> {
    const read = await options.profiles.read(messages);
    const taken: TakenLatest = {
        rejected: read.filter(({ reading }) => reading.is === 'rejected').length,
        refused: read.filter(({ reading }) => reading.is === 'refused').length,
        unassigned: 0,
        conflicts: 0,
    };
    for (const round of roundsOf(read)) {
        await takeRound(round, { ...options, taken });
    }
    return taken;
}

async function takeRound(
    read: readonly ReadMessage[],
    { stream, state, clock, now, taken }: TakeLatestOptions & { taken: TakenLatest },
): Promise<void> {
    const devices = devicesOf(read);
    for (let tries = 0; tries <= MAX_CONFLICTS; tries += 1) {
        const items = await state.read(devices);
        const nowMs = now();
        const { changes, unassigned } = followMessages(items, read, { stream, nowMs });
        const at = await clock();
        const told = changes.map((change) => {
            const before = items.get(change.item.device);
            return withState(change, before ? stateOf(before, at) : 'unknown', at);
        });
        if (changes.length === 0 || (await state.write({ changes: told, nowMs }))) {
            taken.unassigned += unassigned;
            return;
        }
        taken.conflicts += 1;
    }
    throw new StorageError(`another worker wrote the same devices ${MAX_CONFLICTS} times in a row: two event sources may read one shard`);
}

/** Messages in their order, in rounds that hold about so many of each device. Messages of one record have one number, by which it is known whether they are in an item: none of them stays behind. */
function roundsOf(read: readonly ReadMessage[]): ReadMessage[][] {
    const rounds: ReadMessage[][] = [];
    const places = new Map<string, { round: number; count: number; sequence: string }>();
    for (const one of read) {
        const { sequence } = one.message;
        const devices = devicesOf([one]);
        const round = Math.max(0, ...devices.map((device) => roundAfter(places.get(device), sequence)));
        for (const device of devices) {
            const place = places.get(device);
            places.set(device, { round, sequence, count: place?.round === round ? place.count + 1 : 1 });
        }
        rounds[round] ??= [];
        rounds[round].push(one);
    }
    return rounds;
}

function roundAfter(place: { round: number; count: number; sequence: string } | undefined, sequence: string): number {
    const isFull = place && place.count >= MESSAGES_AT_ONCE && place.sequence !== sequence;
    return place ? place.round + Number(isFull) : 0;
}
