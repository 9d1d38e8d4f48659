/** Tells that a device is in another state, where what changes it is written: by a message that it sent, or by the silence that is raised. */
import { type LiveClock, stateOf } from './device-state.ts';
import type { StateChange, StateOfDevice } from './state-store.ts';

/** What a device was told to be behind the look of that time: what came later told that it is online. */
export function toldState(known: Parameters<typeof stateOf>[0], lookedAt: LiveClock): StateOfDevice {
    const { lastReceivedMs } = known;
    return lastReceivedMs !== null && lastReceivedMs > lookedAt.watermarkMs ? 'online' : stateOf(known, lookedAt);
}

/** The change with an event of the device's state, where that is another one than before. */
export function withState(change: StateChange, before: StateOfDevice, clock: LiveClock): StateChange {
    const { device, site } = change.item;
    const state = stateOf(change.item, clock);
    return state === before ? change : { ...change, events: [...change.events, { kind: 'state', device, site, state }] };
}
