/** What the HTTP API asks on AWS: the table of latest state tells, Athena remembers. Messages go another way, and events too. */
import { StorageError, UsageError } from '#lake/errors';
import type { ApiServices } from '#lake/live/api/services';
import type { LiveClock } from '#lake/live/device-state';
import { lakeReadings, type ReadingsSource } from '#lake/live/lake-readings';
import type { Callers } from './api-callers.ts';
import type { DeviceLookup } from './device-lookup.ts';

export interface ApiServicesOptions {
    callers: Callers;
    state: Pick<ApiServices, 'fleet' | 'devices' | 'device' | 'alerts' | 'acknowledge'> & { clock(): Promise<LiveClock> };
    ask: ReadingsSource['ask'];
    devices: Pick<DeviceLookup, 'find'>;
    /** UTC epoch milliseconds. */
    now: () => number;
    /** Called with why a token was refused. */
    say: (why: string) => void;
}

export function openApiServices({ callers, state, ask, devices, now, say }: ApiServicesOptions): ApiServices {
    async function isRegistered(device: string): Promise<boolean> {
        const found = await devices.find(device, { atMs: now() });
        if (!found.ok && found.isDamaged) {
            throw new StorageError(found.why);
        }
        return found.ok;
    }

    return {
        fleet: () => state.fleet(),
        devices: (question) => state.devices(question),
        device: (id) => state.device(id),
        alerts: (question) => state.alerts(question),
        acknowledge: (order) => state.acknowledge(order),
        ...lakeReadings({ ask, isRegistered, now }),
        async authenticate(token) {
            const called = await callers.of(token);
            if (!called.ok) {
                say(called.why);
            }
            return called.ok ? called.caller : undefined;
        },
        async accept() {
            throw new UsageError(
                'This function answers questions, and takes no messages: the routes of the HTTP API lead to the wrong one. Deploy again (npx cdk deploy)',
            );
        },
        // Whether Kinesis takes messages is known to who puts them there: a function that cannot store says so itself.
        health: async () => ({ isTaking: true, isPipelineLate: (await state.clock()).isPipelineLate }),
        events: undefined,
    };
}
