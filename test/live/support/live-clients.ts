/** The clients that devices have, each as a program that sends messages and says what it saw. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const CLIENTS = join(ROOT, 'test/live/clients');

/** Where `npm run tools -- mqtt-clients` has put the clients in Python. */
export const PYTHON_FOLDER = join(ROOT, '.tools/mqtt-clients/bin');

export interface SendOptions {
    host: string;
    port: number;
    /** Paths. */
    ca: string;
    certificate?: string;
    key?: string;
    clientId: string;
    messages: readonly { topic: string; payload?: string; bytes?: number }[];
    /** Between two messages. */
    pauseMs?: number;
    /** For all acknowledgements together, once all is sent. */
    timeoutMs?: number;
    version?: 4 | 5;
}

export interface Said {
    is: 'connected' | 'disconnected' | 'refused' | 'error' | 'acknowledged';
    at?: number;
    why?: string;
    reason?: string;
}

export interface Sending {
    /** What the client said so far. */
    said: Said[];
    /** Numbers of the messages that it saw acknowledged. */
    acknowledged(): number[];
    /** Exit code: 0 where all were acknowledged. */
    ended: Promise<number | null>;
    kill(): void;
}

export interface LiveClient {
    name: string;
    /** Why it cannot run here; undefined where it can. */
    missing: string | undefined;
    send(options: SendOptions): Sending;
    /** True if it can speak MQTT 5. */
    speaks5: boolean;
    /** True if it dials with a certificate or not at all. */
    needsCertificate?: boolean;
}

function hasProgram(program: string): boolean {
    try {
        execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
        return true;
    } catch {
        return false;
    }
}

const noPython = existsSync(join(PYTHON_FOLDER, 'python')) ? undefined : 'npm run tools -- mqtt-clients installs it';

function program(command: string, args: readonly string[], options: SendOptions): Sending {
    const given = { pauseMs: 0, timeoutMs: 15_000, ...options };
    return follow(spawn(command, [...args, JSON.stringify(given)], { stdio: ['ignore', 'pipe', 'pipe'] }));
}

function follow(child: ChildProcess): Sending {
    const said: Said[] = [];
    const noise: string[] = [];
    if (child.stdout) {
        createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line)));
    }
    child.stderr?.on('data', (piece) => noise.push(String(piece)));
    return {
        said,
        acknowledged: () => said.flatMap(({ is, at }) => (is === 'acknowledged' && at !== undefined ? [at] : [])),
        ended: new Promise((resolve) => {
            child.once('close', (code) => {
                if (code !== 0 && noise.length > 0) {
                    said.push({ is: 'error', why: noise.join('').slice(-2_000) });
                }
                resolve(code);
            });
        }),
        kill: () => void child.kill('SIGKILL'),
    };
}

/** A program that sends one message a run and is run again until it succeeds, as a script on a device would. */
function oneByOne(command: string, argumentsOf: (options: SendOptions, at: number) => string[], options: SendOptions): Sending {
    const said: Said[] = [];
    const { pauseMs = 0, timeoutMs = 15_000, messages } = options;
    let isKilled = false;
    const run = (at: number): Promise<boolean> =>
        new Promise((resolve) => {
            const child = spawn(command, argumentsOf(options, at), { stdio: ['pipe', 'ignore', 'pipe'] });
            const { payload, bytes = 0 } = messages[at] ?? {};
            let noise = '';
            child.stderr.on('data', (piece) => {
                noise += piece;
            });
            child.stdin.on('error', () => undefined);
            child.stdin.end(payload ?? 'x'.repeat(bytes));
            child.once('close', (code) => {
                said.push(code === 0 ? { is: 'acknowledged', at } : { is: 'error', why: noise });
                resolve(code === 0);
            });
        });
    async function all(): Promise<number> {
        const until = performance.now() + timeoutMs + pauseMs * messages.length;
        for (const at of messages.keys()) {
            for (let isSent = false; !isSent; ) {
                if (isKilled || performance.now() > until) {
                    return 1;
                }
                isSent = await run(at);
                await new Promise((resolve) => setTimeout(resolve, isSent ? pauseMs : 300));
            }
        }
        return 0;
    }
    return {
        said,
        acknowledged: () => said.flatMap(({ at }) => (at === undefined ? [] : [at])),
        ended: all(),
        kill: () => {
            isKilled = true;
        },
    };
}

export const CLIENTS_OF_DEVICES: readonly LiveClient[] = [
    {
        name: 'AWSIoTPythonSDK',
        missing: noPython,
        speaks5: false,
        needsCertificate: true,
        send: (options) => program(join(PYTHON_FOLDER, 'python'), [join(CLIENTS, 'aws_python_sdk.py')], options),
    },
    {
        name: 'awsiotsdk',
        missing: noPython,
        speaks5: true,
        send: (options) => program(join(PYTHON_FOLDER, 'python'), [join(CLIENTS, 'aws_iot_sdk.py')], options),
    },
    {
        name: 'paho-mqtt',
        missing: noPython,
        speaks5: true,
        send: (options) => program(join(PYTHON_FOLDER, 'python'), [join(CLIENTS, 'paho_mqtt.py')], options),
    },
    {
        name: 'mqtt.js',
        missing: undefined,
        speaks5: true,
        send: (options) => program(process.execPath, ['--disable-warning=ExperimentalWarning', join(CLIENTS, 'mqtt-js.ts')], options),
    },
    {
        name: 'mosquitto_pub',
        missing: hasProgram('mosquitto_pub') ? undefined : 'the system has none (Debian: apt-get install mosquitto-clients)',
        speaks5: false,
        send: (options) =>
            oneByOne(
                'mosquitto_pub',
                ({ host, port, ca, certificate, key, clientId, messages }, at) => [
                    ...['-h', host, '-p', `${port}`, '--cafile', ca, '-i', clientId, '-q', '1', '-s', '-t', messages[at]?.topic ?? ''],
                    ...(certificate === undefined || key === undefined ? [] : ['--cert', certificate, '--key', key]),
                ],
                options,
            ),
    },
];
