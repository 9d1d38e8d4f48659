/** The message by which a device's way is tried: small, and such that the device's profile reads it. */
import { readDevice } from '#lake/devices';
import { readInput } from '#lake/inputs';
import { kindsWithInputs } from '#lake/kinds';
import { topicsFor } from '#lake/live/own-topics';
import type { ObjectStore } from '#lake/store/object-store';

export interface Example {
    topic: string;
    payload: string;
    /** False where no example could be made of the profile: then it is only likely that it reads this one. */
    isRead: boolean;
}

const LIKELY = '{"temperature":21.3}';

/** The example for a device by the profile that it has now. @throws StorageError where registry or profile are damaged */
export async function exampleFor(store: ObjectStore, device: string, { now }: { now: Date }): Promise<Example> {
    const profile = (await readDevice(store, device)).at(-1)?.profile;
    for (const { inputs } of profile === undefined ? [] : kindsWithInputs()) {
        const input = await readInput(store, inputs.prefix, profile ?? '');
        const topics = topicsFor(device, input?.document);
        const found = input && (await inputs.exampleOf?.(input.document, { device, topics, now }));
        if (found) {
            return { ...found, isRead: true };
        }
    }
    return { topic: `t/${device}`, payload: LIKELY, isRead: false };
}
