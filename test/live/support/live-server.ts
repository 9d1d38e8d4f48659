/** The server that the clients dial: the built `flowlake serve`, which can be killed and started again. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { gunzipSync } from 'node:zlib';
import { liveFile } from '#lake/serve/live-files';
import { openDirectoryStore } from '#lake/store/directory';
import { decodeLine } from '#lake/telemetry/chain-line';
import { startFlowlake } from '#test/support/flowlake';

/** A message as the lake has taken it in. */
export interface TakenMessage {
    device: string;
    topic: string;
    payload: string;
    refused: string | undefined;
}

export interface LiveServer {
    host: string;
    mqttPort: number;
    /** Beginning of the addresses of the HTTP API. */
    httpBase: string;
    /** Lines of its log. */
    log: string[];
    /** All that is durable in the inbox or the lake, in order of arrival. */
    taken(): Promise<TakenMessage[]>;
    /** kill -9. */
    kill(): Promise<void>;
    /** Starts it again on the same ports. */
    start(): Promise<void>;
    /** Stops it as Ctrl-C does. */
    close(): Promise<void>;
}

/** Messages wait in the inbox for as long as a test takes; a start seals what was there before. */
const SEAL_EVERY = '10m';

/** Starts to serve the lake in a directory. */
export async function startServer(directory: string): Promise<LiveServer> {
    let child: ChildProcess | undefined;
    const log: string[] = [];
    const server: LiveServer = {
        ...{ host: 'localhost', mqttPort: 0, httpBase: 'http://localhost:0', log },
        async taken() {
            // The inbox first: what leaves it meanwhile is in the chain by then.
            const bySequence = new Map([...readInbox(directory), ...(await readChain(directory))]);
            return [...bySequence].sort(([a], [b]) => Number(a) - Number(b)).map(([, message]) => message);
        },
        async kill() {
            const gone = child && once(child, 'close');
            child?.kill('SIGKILL');
            await gone;
        },
        async start() {
            const ports = ['--mqtt-port', `${server.mqttPort}`, '--http-port', new URL(server.httpBase).port];
            child = startFlowlake(['--lake', directory, 'serve', ...ports, '--seal-every', SEAL_EVERY], { folder: dirname(directory) });
            const ended = once(child, 'close');
            const isReady = new Promise<void>((resolve) => {
                createInterface({ input: child?.stderr ?? process.stdin }).on('line', (line) => {
                    log.push(line);
                    const [, mqttPort] = /^MQTT +mqtts:\/\/\S+:(\d+) /.exec(line) ?? [];
                    const [, httpPort] = /^HTTP +http:\/\/\S+:(\d+) /.exec(line) ?? [];
                    server.mqttPort = mqttPort === undefined ? server.mqttPort : Number(mqttPort);
                    server.httpBase = httpPort === undefined ? server.httpBase : `http://localhost:${httpPort}`;
                    if (line.startsWith('A new device:')) {
                        resolve();
                    }
                });
            });
            await Promise.race([
                isReady,
                ended.then(() => {
                    throw new Error(`serve ended:\n${log.slice(-20).join('\n')}`);
                }),
            ]);
        },
        async close() {
            const gone = child && once(child, 'close');
            child?.kill('SIGTERM');
            await gone;
        },
    };
    await server.start();
    return server;
}

type Numbered = [sequence: string, message: TakenMessage];

function readInbox(directory: string): Numbered[] {
    const file = liveFile(directory, 'inbox.sqlite');
    if (!existsSync(file)) {
        return [];
    }
    const database = new DatabaseSync(file, { readOnly: true });
    try {
        return database
            .prepare('select id, facts, payload from messages order by id')
            .all()
            .map(({ id, facts, payload }) => {
                const { device, topic = '', refused } = JSON.parse(String(facts));
                return [`${id}`, { device, topic, payload: Buffer.from(payload as Uint8Array).toString(), refused }];
            });
    } finally {
        database.close();
    }
}

async function readChain(directory: string): Promise<Numbered[]> {
    const store = openDirectoryStore(directory);
    const found: Numbered[] = [];
    for await (const { key } of store.list('raw/kind=telemetry/')) {
        const object = await store.get(key);
        const lines = object ? gunzipSync(object.bytes).toString().trimEnd().split('\n') : [];
        for (const line of lines) {
            const decoded = decodeLine(line);
            if (decoded.is === 'message') {
                const { sequence, device = '', topic = '', payload, refused } = decoded.message;
                found.push([sequence, { device, topic, payload: `${payload}`, refused }]);
            }
        }
    }
    return found;
}
