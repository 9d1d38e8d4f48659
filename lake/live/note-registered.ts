/** Latest state of devices that were registered and never heard of. */
import { newItem } from './latest.ts';
import type { StateStore } from './state-store.ts';

/** Devices that are looked for, and noted, at once: others have the database in between. */
const NOTED_AT_ONCE = 500;

/** Gives an item to each device that has none, so that one that was registered and never heard of is seen. Safe to repeat. */
export async function noteRegistered(
    state: StateStore,
    devices: readonly { device: string; site: string; profile: string }[],
    { nowMs }: { nowMs: number },
): Promise<void> {
    for (let at = 0; at < devices.length; at += NOTED_AT_ONCE) {
        const some = devices.slice(at, at + NOTED_AT_ONCE);
        // Another writer may give one of them an item meanwhile: look again.
        for (;;) {
            const known = await state.read(some.map(({ device }) => device));
            const changes = some
                .filter(({ device }) => !known.has(device))
                .map(({ device, site, profile }) => ({
                    item: { ...newItem(device, ''), site, profile, version: 1 },
                    alerts: [],
                    events: [],
                }));
            if (changes.length === 0 || (await state.write({ changes, nowMs }))) {
                break;
            }
        }
    }
}
