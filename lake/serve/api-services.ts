/** What the HTTP API asks, answered by this machine: the inbox takes, the database of latest state tells, the lake's tables remember. */
import type { Lake } from '#lake/lake';
import type { ApiServices, Taken } from '#lake/live/api/services';
import type { CredentialIndex } from '#lake/live/credential-index';
import type { Intake } from '#lake/live/intake';
import type { KnownDevices } from '#lake/live/known-devices';
import { lakeReadings } from '#lake/live/lake-readings';
import type { ReaderToken } from './reader-token.ts';
import { type StateServicesOptions, stateServices } from './state-services.ts';

export interface ServicesOptions extends StateServicesOptions {
    lake: Pick<Lake, 'ask'>;
    intake: Intake;
    credentials: CredentialIndex;
    devices: KnownDevices;
    reader: ReaderToken;
    /** Why the inbox refuses messages at the moment; undefined where it takes them. */
    inboxProblem: () => string | undefined;
    now: () => number;
}

/** Name that a reader with the token has in acknowledgements. */
export const READER = 'reader';

export function createServices(options: ServicesOptions): ApiServices {
    const { lake, intake, credentials, devices, reader, clock, inboxProblem, now } = options;
    return {
        ...stateServices(options),
        ...lakeReadings({
            ask: (name, parameters) => lake.ask(name, parameters),
            isRegistered: async (device) => devices.find(device) !== undefined,
            now,
        }),
        async authenticate(token) {
            if (reader.is(token)) {
                return { is: 'reader', name: READER };
            }
            const identity = credentials.authenticateToken(token);
            return identity.ok ? { is: 'device', device: identity.device } : undefined;
        },
        accept: (device, messages) =>
            Promise.all(
                messages.map(async ({ payload, topic, headers }): Promise<Taken> => {
                    const why = await intake.take({ way: 'http', device, topic, headers, payload });
                    return why === undefined ? { is: 'stored' } : { is: 'refused', why };
                }),
            ),
        health: async () => ({ isTaking: inboxProblem() === undefined, isPipelineLate: clock().isPipelineLate }),
    };
}
