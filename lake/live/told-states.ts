/** Tells that a device is in another state, where what changes it is written: by a message that it sent, or by the silence that is raised. */
import { type LiveClock, stateOf } from './device-state.ts';
import type { DeviceItem, StateChange } from './state-store.ts';

/** The change with an event of the device's state, where that is another one by the clock. */
export function withState(change: StateChange, before: DeviceItem | undefined, clock: LiveClock): StateChange {
    const { device, site } = change.item;
    const state = stateOf(change.item, clock);
    if (state === (before ? stateOf(before, clock) : 'unknown')) {
        return change;
    }
    return { ...change, events: [...change.events, { kind: 'state', device, site, state }] };
}
