/** Messages of an inbox and of its chain, each with a valid default. */
import { addInput } from '#lake/inputs';
import type { NewMessage } from '#lake/live/inbox';
import type { ObjectStore } from '#lake/store/object-store';
import type { ChainMessage } from '#lake/telemetry/chain-line';

/** 2026-01-05, 10:00 in UTC. */
const FIRST_ARRIVAL_MS = Date.UTC(2026, 0, 5, 10);

/** The n-th message of device `th-1`, a second after the one before. */
export function newMessage(n: number, fields: Partial<NewMessage> = {}): NewMessage {
    const arrivedMs = FIRST_ARRIVAL_MS + n * 1000;
    return {
        arrivedMs,
        way: 'mqtt',
        device: 'th-1',
        topic: 't/th-1',
        profile: 'thermometer',
        site: 'main',
        payload: Buffer.from(JSON.stringify({ id: 'th-1', at: arrivedMs, n, celsius: n % 40 })),
        ...fields,
    };
}

export function chainMessage(n: number, { sequence = String(n), ...fields }: Partial<ChainMessage> = {}): ChainMessage {
    return { ...newMessage(n, fields), sequence };
}

/** The profile that these messages are read by: the identity of each is its number. */
const THERMOMETER = {
    name: 'thermometer',
    device: { path: 'id' },
    time: { path: 'at', unit: 'ms' },
    identity: [{ path: 'n' }],
    metrics: [{ name: 'temperature', path: 'celsius', unit: 'Cel', digits: 1 }],
};

export async function addThermometer(store: ObjectStore): Promise<void> {
    await addInput(store, 'profiles/', THERMOMETER.name, THERMOMETER);
}
