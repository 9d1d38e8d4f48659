/** Latest state over a made-up inbox, lake and clock, for tests: the parts are the real ones. */
import { addInput } from '#lake/inputs';
import type { InboxReader } from '#lake/live/inbox';
import { LiveProfiles } from '#lake/live/live-profiles';
import type { ObjectStore } from '#lake/store/object-store';
import { type ChainMessage, compareSequences } from '#lake/telemetry/chain-line';

/** A profile of a made-up thermostat: temperature, battery and door, each of which may be absent. */
export const THERMOSTAT = {
    name: 'thermostat',
    device: { from: 'certificate' },
    time: [{ path: 't', unit: 'ms' }, 'arrival'],
    identity: [{ path: 'n' }],
    metrics: [
        { path: 'temp', name: 'temperature', unit: 'Cel', digits: 2 },
        { path: 'batt', name: 'battery', unit: '%', digits: 0, historical: { path: 'old', is: 1 } },
        { path: 'door', name: 'door', kind: 'text' },
    ],
    ignore: ['old', 'n'],
    dueEvery: '60s',
    grace: '40s',
    gapLimit: '5m',
    alerts: [
        { rule: 'too-warm', severity: 'warning', message: 'too warm', metric: 'temperature', above: { raise: 30, clear: 28 } },
        { rule: 'no-battery', severity: 'info', message: 'battery unknown', metric: 'battery', missingFor: '10m' },
    ],
};

/** 2026-01-05, 10:00 UTC. */
export const START_MS = Date.UTC(2026, 0, 5, 10);

/** An inbox in memory. */
export class MemoryInbox implements InboxReader {
    stream = 's1';
    readonly messages: ChainMessage[] = [];
    readonly #listeners = new Set<() => void>();

    add(message: Partial<Omit<ChainMessage, 'payload'>> & { payload: unknown }): string {
        const { payload } = message;
        const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
        const sequence = message.sequence ?? String(this.messages.length + 1);
        this.messages.push({
            arrivedMs: START_MS,
            way: 'mqtt',
            device: 'th-1',
            profile: 'thermostat',
            site: 'main',
            ...message,
            sequence,
            payload: bytes,
        });
        for (const listener of this.#listeners) {
            listener();
        }
        return sequence;
    }

    read({ after, maxMessages }: { after: string; maxMessages: number; maxBytes: number }): ChainMessage[] {
        return this.messages.filter(({ sequence }) => compareSequences(sequence, after) > 0).slice(0, maxMessages);
    }

    last(): string {
        return this.messages.at(-1)?.sequence ?? '0';
    }

    onAppended(listener: () => void): () => void {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
    }
}

/** Two clocks that a test moves. */
export class TestClock {
    nowMs = START_MS;
    steadyMs = 0;

    readonly now = (): number => this.nowMs;
    readonly monotonicMs = (): number => this.steadyMs;

    pass(ms: number): void {
        this.nowMs += ms;
        this.steadyMs += ms;
    }
}

/** Profiles of a lake that has the thermostat, and those that are given. */
export async function openTestProfiles(
    store: ObjectStore,
    { clock, faults = [], profiles = [THERMOSTAT] }: { clock: TestClock; faults?: string[]; profiles?: { name: string }[] },
): Promise<LiveProfiles> {
    for (const profile of profiles) {
        await addInput(store, 'profiles/', profile.name, profile);
    }
    return new LiveProfiles({ store, monotonicMs: clock.monotonicMs, onFault: (what) => faults.push(what) });
}
