/** How a device's way is proven to a lake in a directory: serve takes the message, and its API shows the reading. */
import { setTimeout as wait } from 'node:timers/promises';
import { withToken } from '#lake/credentials';
import type { DirectoryLake } from '#lake/lake';
import { readServing } from '#lake/serve/live-files';
import {
    type Attempt,
    ask,
    type CheckHome,
    type CheckOptions,
    fieldsOf,
    type Latest,
    type NetworkHints,
    NOTHING,
    Stop,
    type Target,
} from './check-network.ts';

const LOOK_EVERY_MS = 200;

/** Time for a running serve to see a token that was just made. */
const TOKEN_MS = 6_000;

/** The home of a lake in a directory, as its serve is reached. */
export async function homeHere(
    lake: DirectoryLake,
    device: string,
    { host, mqttPort, httpPort, http }: CheckOptions,
    { now }: { now: () => Date },
): Promise<CheckHome> {
    const serving = readServing(lake.directory);
    const target: Target = {
        host: host ?? serving.host,
        mqttPort: mqttPort === 0 ? serving.mqttPort : mqttPort,
        httpBase: new URL(serving.httpBase),
    };
    if (host !== undefined) {
        target.httpBase.hostname = host.includes(':') ? `[${host}]` : host;
    }
    if (httpPort !== 0) {
        target.httpBase.port = `${httpPort}`;
    }
    const store = await lake.store();
    const hints: NetworkHints = {
        closed: `start flowlake serve, or say its port: ${http ? '--http-port' : '--mqtt-port'}`,
        mute: "a firewall may be between; serve listens on other machines' networks with --host 0.0.0.0 only",
        refused: 'the log of serve says why',
        ended: 'it refuses this certificate, and its log says why (device show, device list)',
        notStored: 'the inbox cannot store (is the disk full?), see the log of serve',
        noApi: 'is serve running there? --http-port says another port',
    };
    return {
        ...{ target, hints, clientId: `${device.slice(0, 100)}-check`, ifLate: 'see flowlake status and the log of serve' },
        async withLatest(attempt, use) {
            const { token } = attempt.files;
            const look = (one: string) => use(() => askLatest(attempt, one, hints), 'API');
            await (token === undefined ? withToken(store, device, { now: now() }, look) : look(token));
        },
    };
}

/** Asks the API as the device. A token that was just made is known to serve after a second or two. */
async function askLatest({ device, files: { ca }, target: { httpBase } }: Attempt, token: string, hints: NetworkHints): Promise<Latest> {
    const url = new URL(`/v1/devices/${encodeURIComponent(device)}`, httpBase);
    const until = performance.now() + TOKEN_MS;
    for (;;) {
        const { status, text } = await ask(url, { token, ca, hints });
        if (status === 200) {
            return latestOf(text);
        }
        if (status === 404) {
            return NOTHING;
        }
        if (status !== 401 || performance.now() > until) {
            throw new Stop(`GET ${url.href}: HTTP ${status}: ${text.slice(0, 300)}`);
        }
        await wait(LOOK_EVERY_MS);
    }
}

function latestOf(text: string): Latest {
    const fields = fieldsOf(text);
    const rejected = fieldsOf(fields.last_rejected);
    const metrics = Object.entries(typeof fields.metrics === 'object' && fields.metrics !== null ? fields.metrics : {}).map(
        ([name, metric]) => {
            const { value = null, text: word = null, unit = null, received_ms: receivedMs = null } = fieldsOf(metric);
            return [name, { value, text: word, unit, receivedMs }] as const;
        },
    );
    return {
        receivedMs: typeof fields.last_received_ms === 'number' ? fields.last_received_ms : null,
        rejected: typeof rejected.why === 'string' ? { receivedMs: rejected.received_ms, why: rejected.why } : undefined,
        refused: fields.refused ?? 0,
        metrics: Object.fromEntries(metrics),
    };
}
