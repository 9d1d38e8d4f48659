/** A real Superset with the dashboards of docs/bi/superset/ in it, set up as docs/bi.md says. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '#test/aws/support/ministack';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Where `npm run tools -- superset` has put it. */
const PROGRAMS = join(ROOT, '.tools/superset/bin');

const START_SECONDS = 300;

export interface Superset {
    url: string;
    user: string;
    password: string;
    close(): Promise<void>;
}

/** Starts Superset in an empty folder. @throws where it is not installed, with what to type */
export async function startSuperset({ folder, database }: { folder: string; database: string }): Promise<Superset> {
    const program = join(PROGRAMS, 'superset');
    if (!existsSync(program)) {
        throw new Error('Superset is not here: npm run tools -- superset');
    }
    const [user, password] = ['admin', randomBytes(12).toString('hex')];
    const config = join(folder, 'superset_config.py');
    const sections = { SECRET: randomBytes(32).toString('hex'), HOME: folder };
    await writeFile(
        config,
        (await readConfig()).replaceAll(/\b(SECRET|HOME)\b/g, (_, name: keyof typeof sections) => sections[name]),
    );
    const environment = {
        PATH: `${PROGRAMS}:${process.env.PATH}`,
        HOME: folder,
        FLASK_APP: 'superset',
        SUPERSET_HOME: folder,
        SUPERSET_CONFIG_PATH: config,
    };
    const run = async (...words: string[]) => {
        await promisify(execFile)(program, words, { cwd: folder, env: environment, maxBuffer: 1 << 26 }).catch((cause: Error) => {
            throw new Error(`superset ${words[0]} failed: ${cause.message.slice(-2000)}`, { cause });
        });
    };
    await run('db', 'upgrade');
    await run(
        ...['fab', 'create-admin', '--username', user, '--password', password],
        ...['--firstname', 'A', '--lastname', 'B', '--email', 'a@b.c'],
    );
    await run('init');
    await run('import-dashboards', '--username', user, '--path', await packDashboards({ folder, database }));
    const port = await freePort();
    const url = `http://localhost:${port}`;
    const server = spawn(program, ['run', '--port', String(port), '--with-threads'], { cwd: folder, env: environment, stdio: 'ignore' });
    await waitUntilHealthy(url, server);
    return {
        ...{ url, user, password },
        async close() {
            if (server.exitCode === null) {
                const ended = new Promise((resolve) => server.once('exit', resolve));
                server.kill('SIGKILL');
                await ended;
            }
        },
    };
}

/** The settings that docs/bi.md tells to write, where `SECRET` and `HOME` are to be filled in. */
async function readConfig(): Promise<string> {
    const [, config] = /```python\n(# superset_config\.py\n.*?)```/s.exec(await readFile(join(ROOT, 'docs/bi.md'), 'utf8')) ?? [];
    if (config === undefined) {
        throw new Error('docs/bi.md shows no superset_config.py');
    }
    return config;
}

/** The folder of dashboards as the ZIP that Superset imports, with the address of the database filled in. */
async function packDashboards({ folder, database }: { folder: string; database: string }): Promise<string> {
    const copy = join(folder, 'flowlake');
    await cp(join(ROOT, 'docs/bi/superset'), copy, { recursive: true });
    const file = join(copy, 'databases/flowlake.yaml');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('/path/to/my-lake.duckdb', database));
    const zip = join(folder, 'flowlake.zip');
    await promisify(execFile)(join(PROGRAMS, 'python'), ['-m', 'zipfile', '-c', zip, 'flowlake'], { cwd: folder });
    return zip;
}

async function waitUntilHealthy(url: string, server: ChildProcess): Promise<void> {
    for (let second = 0; second < START_SECONDS && server.exitCode === null; second += 1) {
        const isHealthy = await fetch(`${url}/health`).then(
            ({ ok }) => ok,
            () => false,
        );
        if (isHealthy) {
            return;
        }
        await wait(1000);
    }
    server.kill('SIGKILL');
    throw new Error(`Superset did not answer at ${url} within ${START_SECONDS} s`);
}
