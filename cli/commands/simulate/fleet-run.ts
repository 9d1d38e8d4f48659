/** Plays a fleet: measures at an even rate, sends, and notes what became of each message. */
import { hash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { JournalEvent } from '#lake/live/journal';
import { SimulatedDevice, type SimulatedFleet, type SimulatedMessage } from '#sample/telemetry/simulated';
import type { Way } from './way.ts';

export interface RunOptions {
    fleet: SimulatedFleet;
    /** Messages a second, of the whole fleet. */
    rate: number;
    /** How long, in milliseconds; without end where it is undefined. */
    forMs: number | undefined;
    way: Way;
    note(event: JournalEvent): void;
    /** Called now and then with how far it is. */
    onProgress(state: RunState): void;
    /** Aborted when nothing more is to be measured: what was sent is still waited for. */
    stop: AbortSignal;
}

export interface RunState {
    measured: number;
    /** Messages that went out, each counted once, and those of them that were acknowledged. */
    sent: number;
    acknowledged: number;
    dropped: number;
    refused: number;
    /** Milliseconds from sending to the acknowledgement, of the latest messages. */
    delays: readonly number[];
}

const TICK_MS = 10;
/** Acknowledgements are waited for this long when the fleet has stopped. */
const LAST_WAIT_MS = 30_000;
const DELAYS_KEPT = 10_000;

/** Plays it to the end. @returns what came of it */
export async function playFleet({ fleet, rate, forMs, way, note, onProgress, stop }: RunOptions): Promise<RunState> {
    const startMs = Date.now();
    const boot = Math.floor(startMs / 1000);
    const devices = fleet.devices.map((_, index) => new SimulatedDevice(fleet, index, boot));
    const state = { measured: 0, sent: 0, acknowledged: 0, dropped: 0, refused: 0, delays: [] as number[] };
    const under = new Set<Promise<void>>();
    const held = new Set<{ message: SimulatedMessage; timer: NodeJS.Timeout }>();

    const send = (message: SimulatedMessage): void => {
        const { device, payload, copies, atMs: measuredMs } = message;
        const name = nameOf(message);
        state.sent += 1;
        for (let copy = 0; copy < copies; copy++) {
            const sentMs = Date.now();
            note({
                event: 'sent',
                device,
                message: name,
                hash: hash('sha256', payload, 'hex').slice(0, 16),
                at_ms: sentMs,
                measured_ms: measuredMs,
            });
            const done = way
                .send(device, { topic: `t/${device}/telemetry`, payload })
                .then(
                    () => {
                        const ackedMs = Date.now();
                        note({ event: 'acknowledged', device, message: name, at_ms: ackedMs });
                        state.acknowledged += copy === 0 ? 1 : 0;
                        state.delays.push(ackedMs - sentMs);
                        state.delays.splice(0, Math.max(0, state.delays.length - DELAYS_KEPT));
                    },
                    (error: Error) => {
                        note({ event: 'refused', device, message: name, at_ms: Date.now(), why: error.message });
                        state.refused += 1;
                    },
                )
                .finally(() => under.delete(done));
            under.add(done);
        }
    };
    const take = (message: SimulatedMessage): void => {
        state.measured += 1;
        if (message.copies === 0) {
            state.dropped += 1;
            note({ event: 'dropped', device: message.device, message: nameOf(message), at_ms: Date.now() });
        } else if (message.heldBackMs === 0) {
            send(message);
        } else {
            const entry = { message, timer: setTimeout(() => release(entry), message.heldBackMs) };
            held.add(entry);
        }
    };
    const release = (entry: { message: SimulatedMessage; timer: NodeJS.Timeout }): void => {
        clearTimeout(entry.timer);
        if (held.delete(entry)) {
            send(entry.message);
        }
    };

    while (!stop.aborted) {
        const elapsedMs = Date.now() - startMs;
        const due = Math.floor((Math.min(elapsedMs, forMs ?? elapsedMs) * rate) / 1000);
        while (state.measured < due) {
            const device = devices[state.measured % devices.length];
            if (device) {
                take(device.measure(Date.now()));
            }
        }
        onProgress(state);
        if (forMs !== undefined && elapsedMs >= forMs) {
            break;
        }
        await wait(TICK_MS, undefined, { signal: stop }).catch(() => undefined);
    }
    for (const entry of [...held]) {
        release(entry);
    }
    const patience = new AbortController();
    await Promise.race([Promise.all(under), wait(LAST_WAIT_MS, undefined, { signal: patience.signal }).catch(() => undefined)]);
    patience.abort();
    return state;
}

/** The identity that profile `simulated` gives the message. */
function nameOf({ boot, sequence }: SimulatedMessage): string {
    return `${boot}:${sequence}`;
}
