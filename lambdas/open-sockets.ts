/** The table of WebSocket connections and of the log of events, as a function finds it. */
import type { Environment } from '#lake/aws/client-config';
import { CloudEventLog } from '#lake/cloud/event-log';
import { Sockets } from '#lake/cloud/sockets';
import { StateCalls } from '#lake/cloud/state-calls';
import { createDynamoClient } from '#lake/cloud/state-store';
import { readSetting } from './environment.ts';

export interface OpenSockets {
    calls: StateCalls;
    log: CloudEventLog;
    sockets: Sockets;
}

/** What SOCKET_TABLE names. @throws UsageError where it is not set */
export function openSockets(environment: Environment): OpenSockets {
    const calls = new StateCalls({ client: createDynamoClient({ environment }), table: readSetting(environment, 'SOCKET_TABLE') });
    return { calls, log: new CloudEventLog({ calls, now: Date.now }), sockets: new Sockets({ calls, now: Date.now }) };
}
