/** The server that the clients dial: what is started here can be killed and started again. One function starts it, so that another server can take its place. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readInbox, type TakenMessage } from './file-inbox.ts';
import { ROOT } from './live-clients.ts';

export interface LiveServer {
    host: string;
    mqttPort: number;
    /** Beginning of the addresses of the HTTP API. */
    httpBase: string;
    /** Lines of its log. */
    log: string[];
    /** All that is durable in the inbox or the lake. */
    taken(): Promise<TakenMessage[]>;
    /** kill -9. */
    kill(): Promise<void>;
    /** Starts it again on the same ports. */
    start(): Promise<void>;
    close(): Promise<void>;
}

/** Starts a server over the lake in a directory. */
export async function startServer(directory: string): Promise<LiveServer> {
    let child: ChildProcess | undefined;
    const log: string[] = [];
    const server: LiveServer = {
        ...{ host: 'localhost', mqttPort: 0, httpBase: '', log },
        async taken() {
            return readInbox(join(directory, '.flowlake/live/inbox.jsonl'));
        },
        async kill() {
            const gone = child && once(child, 'close');
            child?.kill('SIGKILL');
            await gone;
        },
        async start() {
            const program = [
                join(ROOT, 'test/live/support/broker-of-lake.ts'),
                directory,
                `${server.mqttPort}`,
                new URL(server.httpBase || 'http://localhost:0').port || '0',
            ];
            const started = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...program], {
                stdio: ['pipe', 'pipe', 'inherit'],
            });
            child = started;
            const lines = createInterface({ input: started.stdout });
            const [first] = await once(lines, 'line');
            const [mqttPort, httpPort] = String(first).split(' ');
            server.mqttPort = Number(mqttPort);
            server.httpBase = `http://localhost:${httpPort}`;
            lines.on('line', (line) => log.push(line));
        },
        async close() {
            const gone = child && once(child, 'close');
            child?.stdin?.end();
            await gone;
        },
    };
    await server.start();
    return server;
}
