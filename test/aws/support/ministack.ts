/** An AWS of one's own on this machine: ministack, in a process and folders of its own. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PYTHON = join(ROOT, '.tools/ministack/bin/python3');

/** ministack with what AWS does and it does not: see the modules there. */
const PROGRAM = join(ROOT, 'test/aws/support/ministack');

/** Runs the Spark jobs, where it is installed. */
const SPARK_PYTHON = join(ROOT, '.tools/spark/bin/python');

/** It starts in two seconds on an idle machine. */
const START_WITHIN_MS = 60_000;

export interface Ministack {
    endpoint: string;
    /** Port at which devices connect to its IoT Core, by MQTT over TLS. */
    mqttPort: number;
    /** What a program needs in its environment to talk to it instead of to AWS. */
    environment: Record<string, string>;
    stop(): Promise<void>;
}

export interface MinistackOptions {
    /** Its state, its log and its Lambdas' code go there. */
    folder: string;
    port?: number;
    /** True if the rights of roles are enforced, over TLS. */
    isGuarded?: boolean;
}

/** What is missing on this machine and how to get it, in one line; undefined where nothing is. */
export function ministackMissing(): string | undefined {
    return existsSync(PYTHON)
        ? undefined
        : 'ministack (the local AWS) is not installed: npm run tools -- ministack (needs python3 with venv and pip)';
}

/** Started with its state in `folder`; the Lambdas that are deployed into it run on the Node that runs this. @throws where it is missing or does not come up */
export async function startMinistack({ folder, port, isGuarded = false }: MinistackOptions): Promise<Ministack> {
    const missing = ministackMissing();
    if (missing !== undefined) {
        throw new Error(missing);
    }
    const gatewayPort = port ?? (await freePort());
    const mqttPort = await freePort();
    /** It is made when the server starts. */
    const certificate = join(folder, 'tmp/ministack-tls/server.crt');
    const folders = { STATE_DIR: join(folder, 'state'), S3_DATA_DIR: join(folder, 's3'), TMPDIR: join(folder, 'tmp') };
    await Promise.all(Object.values(folders).map((path) => mkdir(path, { recursive: true })));
    const log = await open(join(folder, 'ministack.log'), 'w');
    const server = spawn(PYTHON, ['-B', PROGRAM], {
        cwd: folder,
        env: {
            HOME: folder,
            ...folders,
            GATEWAY_PORT: String(gatewayPort),
            IOT_MTLS_PORT: String(mqttPort),
            PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
            ...(existsSync(SPARK_PYTHON) && { SPARK_PYTHON }),
            ...(isGuarded && { AUTH: 'true', USE_SSL: '1', NODE_EXTRA_CA_CERTS: certificate }),
        },
        stdio: ['ignore', log.fd, log.fd],
        // A group of its own, so that its Lambda workers end with it.
        detached: true,
    });
    await log.close();
    const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
    const endpoint = isGuarded ? `https://localhost:${gatewayPort}` : `http://127.0.0.1:${gatewayPort}`;
    const deadline = Date.now() + START_WITHIN_MS;
    while (!(await isListening(gatewayPort)) || !(await isListening(mqttPort))) {
        if (server.exitCode !== null || Date.now() > deadline) {
            throw new Error(`ministack did not start: see ${join(folder, 'ministack.log')}`);
        }
        await sleep(200);
    }
    if (isGuarded) {
        // Others learn of it by their environment.
        setDefaultCACertificates([...getCACertificates('default'), await readFile(certificate, 'utf8')]);
    }
    return {
        endpoint,
        mqttPort,
        environment: {
            AWS_ENDPOINT_URL: endpoint,
            AWS_ACCESS_KEY_ID: 'test',
            AWS_SECRET_ACCESS_KEY: 'test',
            AWS_REGION: 'us-east-1',
            // Nobody's own profile or metadata service is asked.
            AWS_EC2_METADATA_DISABLED: 'true',
            ...(isGuarded && { NODE_EXTRA_CA_CERTS: certificate }),
        },
        async stop() {
            if (server.pid !== undefined && server.exitCode === null) {
                process.kill(-server.pid, 'SIGTERM');
            }
            await ended;
        },
    };
}

function isListening(port: number): Promise<boolean> {
    return new Promise((resolve) => {
        const socket = connect({ port, host: '127.0.0.1' });
        const end = (is: boolean) => {
            socket.destroy();
            resolve(is);
        };
        socket.once('connect', () => end(true));
        socket.once('error', () => end(false));
    });
}

/** A port that nobody listens on now. */
export function freePort(): Promise<number> {
    return new Promise((resolve, reject) => {
        const server = createServer();
        server.on('error', reject);
        server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            server.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no free port'))));
        });
    });
}
