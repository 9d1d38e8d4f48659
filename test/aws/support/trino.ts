/** Trino, the engine inside Athena, on this machine: it reads the tables and views of a Glue catalog and the objects of its S3. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const HOME = fileURLToPath(new URL('../../../.tools/trino', import.meta.url));

/** Trino 476 needs Java 24 (https://trino.io/docs/476/installation/deployment.html). */
const OLDEST_JAVA = 24;

/** It starts in 20 s on an idle machine. */
const START_WITHIN_MS = 180_000;

export interface Trino {
    url: string;
    stop(): Promise<void>;
}

export interface TrinoOptions {
    port: number;
    /** Address at which Glue and S3 answer. */
    endpoint: string;
    /** Has the keys for them, and JAVA_HOME where Java is somewhere else. */
    environment: Environment;
    /** The unpacked server. */
    home?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What is missing on this machine and how to get it, in one line; undefined where nothing is. */
export function trinoMissing({
    home = HOME,
    environment = process.env,
}: {
    home?: string;
    environment?: Environment;
} = {}): string | undefined {
    if (!existsSync(join(home, 'lib')) || !existsSync(join(home, 'plugin/hive'))) {
        return 'Trino (the engine inside Athena) is not installed: npm run tools -- trino (a download of 450 MB)';
    }
    return findJava(environment) === undefined
        ? `Trino needs Java ${OLDEST_JAVA} or newer, and there is none in JAVA_HOME or below /usr/lib/jvm`
        : undefined;
}

/** The engine's catalog is `awsdatacatalog`, as on AWS. Its folder goes when it stops. @throws where something is missing or it does not come up */
export async function startTrino({ port, endpoint, environment, home = HOME }: TrinoOptions): Promise<Trino> {
    const missing = trinoMissing({ home, environment });
    const java = findJava(environment);
    if (java === undefined || missing !== undefined) {
        throw new Error(missing);
    }
    const folder = await mkdtemp(join(tmpdir(), 'flowlake-trino-'));
    await writeSettings({ folder, port, endpoint, environment, home });
    const log = await open(join(folder, 'trino.log'), 'w');
    const settings = ['node.environment=test', `node.data-dir=${join(folder, 'data')}`, `config=${join(folder, 'etc/config.properties')}`];
    const server = spawn(
        java,
        [
            '-Xmx3G',
            '-Djdk.attach.allowAttachSelf=true',
            ...settings.map((setting) => `-D${setting}`),
            '-cp',
            'lib/*',
            'io.trino.server.TrinoServer',
        ],
        // It looks for lib/ and plugin/ in the folder that it is started in.
        { cwd: folder, env: { PATH: environment.PATH }, stdio: ['ignore', log.fd, log.fd] },
    );
    await log.close();
    const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
    const url = `http://127.0.0.1:${port}`;
    const deadline = Date.now() + START_WITHIN_MS;
    while (!(await isReady(url))) {
        if (server.exitCode !== null || Date.now() > deadline) {
            server.kill('SIGKILL');
            throw new Error(`Trino did not start (${folder}): ${await lastLines(join(folder, 'trino.log'))}`);
        }
        await sleep(500);
    }
    return {
        url,
        async stop() {
            // It holds nothing that is worth an orderly end, which takes it some seconds.
            server.kill('SIGKILL');
            await ended;
            await rm(folder, { recursive: true, force: true });
        },
    };
}

async function writeSettings({ folder, port, endpoint, environment, home = HOME }: TrinoOptions & { folder: string }): Promise<void> {
    const {
        AWS_ACCESS_KEY_ID: accessKey = 'test',
        AWS_SECRET_ACCESS_KEY: secretKey = 'test',
        AWS_REGION: region = 'us-east-1',
    } = environment;
    await mkdir(join(folder, 'etc/catalog'), { recursive: true });
    await Promise.all(['lib', 'plugin'].map((name) => symlink(join(home, name), join(folder, name))));
    await writeFile(
        join(folder, 'etc/config.properties'),
        properties({
            coordinator: 'true',
            'node-scheduler.include-coordinator': 'true',
            'http-server.http.port': String(port),
            // Not to be reached from elsewhere.
            'node.internal-address': '127.0.0.1',
            'discovery.uri': `http://127.0.0.1:${port}`,
            'catalog.management': 'static',
        }),
    );
    await writeFile(
        join(folder, 'etc/catalog/awsdatacatalog.properties'),
        properties({
            'connector.name': 'hive',
            'hive.metastore': 'glue',
            'hive.metastore.glue.region': region,
            'hive.metastore.glue.endpoint-url': endpoint,
            'hive.metastore.glue.aws-access-key': accessKey,
            'hive.metastore.glue.aws-secret-key': secretKey,
            'fs.native-s3.enabled': 'true',
            's3.endpoint': endpoint,
            's3.region': region,
            's3.path-style-access': 'true',
            's3.aws-access-key': accessKey,
            's3.aws-secret-key': secretKey,
            'hive.partition-projection-enabled': 'true',
            'hive.hive-views.enabled': 'true',
        }),
    );
}

function properties(values: Readonly<Record<string, string>>): string {
    return Object.entries(values)
        .map(([name, value]) => `${name}=${value}\n`)
        .join('');
}

/** The program of the newest Java that is new enough: JAVA_HOME, else what is installed. */
function findJava({ JAVA_HOME }: Environment): string | undefined {
    const installed = existsSync('/usr/lib/jvm') ? readdirSync('/usr/lib/jvm').map((name) => join('/usr/lib/jvm', name)) : [];
    const candidates = [JAVA_HOME, ...installed.sort((a, b) => versionIn(b) - versionIn(a))];
    return candidates
        .filter((folder) => folder !== undefined)
        .filter((folder) => versionIn(folder) >= OLDEST_JAVA)
        .map((folder) => join(folder, 'bin/java'))
        .find((program) => existsSync(program));
}

/** The version that the folder's name tells: `temurin-25-jdk-amd64`. */
function versionIn(folder: string): number {
    return Number(/(?:java-(?:1\.)?|jdk-?|temurin-|zulu-?|corretto-)(\d+)/.exec(folder)?.[1] ?? 0);
}

async function isReady(url: string): Promise<boolean> {
    try {
        const info: unknown = await (await fetch(`${url}/v1/info`)).json();
        return typeof info === 'object' && info !== null && 'starting' in info && info.starting === false;
    } catch {
        return false;
    }
}

async function lastLines(file: string): Promise<string> {
    return (await readFile(file, 'utf8')).split('\n').slice(-20).join('\n');
}
