/** An AWS of one's own on this machine: ministack, in a process and folders of its own. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PYTHON = join(ROOT, '.tools/ministack/bin/python3');

/** ministack with what it lacks and a lake needs. */
const PROGRAM = join(ROOT, 'test/aws/support/ministack_taught.py');

/** It starts in two seconds on an idle machine. */
const START_WITHIN_MS = 60_000;

export interface Ministack {
    endpoint: string;
    /** What a program needs in its environment to talk to it instead of to AWS. */
    environment: Record<string, string>;
    stop(): Promise<void>;
}

/** What is missing on this machine and how to get it, in one line; undefined where nothing is. */
export function ministackMissing(): string | undefined {
    return existsSync(PYTHON)
        ? undefined
        : 'ministack (the local AWS) is not installed: npm run tools -- ministack (needs python3 with venv and pip)';
}

/** Started with its state in `folder`; the Lambdas that are deployed into it run on the Node that runs this. @throws where it is missing or does not come up */
export async function startMinistack({ folder, port }: { folder: string; port?: number }): Promise<Ministack> {
    const missing = ministackMissing();
    if (missing !== undefined) {
        throw new Error(missing);
    }
    const gatewayPort = port ?? (await freePort());
    const folders = { STATE_DIR: join(folder, 'state'), S3_DATA_DIR: join(folder, 's3'), TMPDIR: join(folder, 'tmp') };
    await Promise.all(Object.values(folders).map((path) => mkdir(path, { recursive: true })));
    const log = await open(join(folder, 'ministack.log'), 'w');
    const server = spawn(PYTHON, ['-B', PROGRAM], {
        cwd: folder,
        env: { HOME: folder, ...folders, GATEWAY_PORT: String(gatewayPort), PATH: `${dirname(process.execPath)}:${process.env.PATH}` },
        stdio: ['ignore', log.fd, log.fd],
        // A group of its own, so that its Lambda workers end with it.
        detached: true,
    });
    await log.close();
    const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
    const endpoint = `http://127.0.0.1:${gatewayPort}`;
    const deadline = Date.now() + START_WITHIN_MS;
    while (!(await isHealthy(endpoint))) {
        if (server.exitCode !== null || Date.now() > deadline) {
            throw new Error(`ministack did not start: see ${join(folder, 'ministack.log')}`);
        }
        await sleep(200);
    }
    return {
        endpoint,
        environment: {
            AWS_ENDPOINT_URL: endpoint,
            AWS_ACCESS_KEY_ID: 'test',
            AWS_SECRET_ACCESS_KEY: 'test',
            AWS_REGION: 'us-east-1',
            // Nobody's own profile or metadata service is asked.
            AWS_EC2_METADATA_DISABLED: 'true',
        },
        async stop() {
            if (server.pid !== undefined && server.exitCode === null) {
                process.kill(-server.pid, 'SIGTERM');
            }
            await ended;
        },
    };
}

async function isHealthy(endpoint: string): Promise<boolean> {
    return fetch(`${endpoint}/_ministack/health`).then(
        (answer) => answer.ok,
        () => false,
    );
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
