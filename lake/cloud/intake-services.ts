/** What POST /v1/telemetry needs on AWS: its messages go into the stream, and it is told which are there. */
import { StorageError, UsageError } from '#lake/errors';
import { Problem } from '#lake/live/api/problem';
import type { ApiServices, Taken } from '#lake/live/api/services';
import type { InboxWriter } from '#lake/live/inbox';
import { judgeArrival } from '#lake/live/judge-arrival';
import type { DeviceLookup } from './device-lookup.ts';

export interface IntakeServicesOptions {
    inbox: InboxWriter;
    devices: Pick<DeviceLookup, 'find'>;
    /** UTC epoch milliseconds. */
    now: () => number;
}

/** Seconds after which a throttled device may go on: a shard counts what it takes by the second. */
const RETRY_S = 1;

/** The services of a function that takes messages and answers no question. Whose a token is, the authorizer has said. */
export function openIntakeServices({ inbox, devices, now }: IntakeServicesOptions): ApiServices {
    return {
        // A request that comes with its token is one whose token is nobody's.
        authenticate: async () => undefined,
        async accept(device, messages) {
            // All messages of a request have one topic. Without one nothing is there to be judged; whoever reads the stream judges again.
            const topic = messages[0]?.topic;
            const found = topic === undefined ? undefined : await devices.find(device, { atMs: now() });
            const known = found?.ok ? found.device : undefined;
            const stored = messages.map(async ({ payload, topic: own, headers }): Promise<Taken> => {
                const message = judgeArrival({ way: 'http', device, topic: own, headers, payload }, { known, arrivedMs: now() });
                await inbox.append(message);
                return message.refused === undefined ? { is: 'stored' } : { is: 'refused', why: message.refused };
            });
            return takenOf(await Promise.allSettled(stored));
        },
        fleet: askedElsewhere,
        devices: askedElsewhere,
        device: askedElsewhere,
        readings: askedElsewhere,
        steps: askedElsewhere,
        alerts: askedElsewhere,
        acknowledge: askedElsewhere,
        health: askedElsewhere,
        events: undefined,
    };
}

/** @throws Problem where the stream takes nothing more of the device for a while; what is no matter of storing */
function takenOf(stored: readonly PromiseSettledResult<Taken>[]): Taken[] {
    const taken = stored.map((one): Taken => {
        if (one.status === 'fulfilled') {
            return one.value;
        }
        if (!(one.reason instanceof StorageError)) {
            throw one.reason;
        }
        return { is: 'not_stored', why: one.reason.message };
    });
    const isNothingStored = taken.every(({ is }) => is === 'not_stored');
    if (isNothingStored && stored.some((one) => one.status === 'rejected' && isThrottled(one.reason))) {
        throw new Problem('too_many', `The stream takes no more of this device at the moment: go on in ${RETRY_S} s`, {
            headers: { 'retry-after': String(RETRY_S) },
        });
    }
    return taken;
}

/** True for an error that says that the stream took too much at once: the code of Kinesis, or of its key, ends the message. */
function isThrottled(error: unknown): boolean {
    return (
        error instanceof StorageError && /\((?:ProvisionedThroughputExceeded|LimitExceeded|KMSThrottling)Exception\)$/.test(error.message)
    );
}

async function askedElsewhere(): Promise<never> {
    throw new UsageError(
        'This function takes messages, and answers no questions: the routes of the HTTP API lead to the wrong one. Deploy again (npx cdk deploy)',
    );
}
