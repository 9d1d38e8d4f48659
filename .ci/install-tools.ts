/**
 * Installs into .tools/ what the tests against a local AWS need beside Node: `npm run tools` installs all, `npm run tools -- ministack trino` those
 * that are named. Each is pinned, installed once, and left alone when it is there. What the machine lacks for one is said in one line.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { argv, exit, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TOOLS = join(ROOT, '.tools');

const TRINO = '476';

interface Tool {
    what: string;
    /** Programs of the machine that its installation needs, and how one gets them. */
    needs: Readonly<Record<string, string>>;
    /** Installs into a folder that becomes .tools/<name> when all went well. */
    install(folder: string): Promise<void>;
}

const PYTHON = { python3: 'python3 with venv and pip (Debian: apt-get install python3-venv)' };

const MAVEN = { mvn: 'Maven (Debian: apt-get install maven)' };

const tools: Readonly<Record<string, Tool>> = {
    ministack: {
        what: 'ministack, a local AWS',
        needs: PYTHON,
        install: async (folder) => installPython(folder, ['ministack==1.5.33']),
    },
    spark: {
        what: 'Spark 3.5, the engine inside Glue',
        needs: { ...PYTHON, ...MAVEN },
        async install(folder) {
            installPython(folder, ['-r', join(ROOT, 'test/glue-jobs/requirements.txt')]);
            const find = 'import pyspark; print(pyspark.__path__[0])';
            const jars = join(execFileSync(join(folder, 'bin/python'), ['-c', find], { encoding: 'utf8' }).trim(), 'jars');
            // Spark's way to S3: the versions that its Hadoop was built with.
            for (const artifact of ['org.apache.hadoop:hadoop-aws:3.3.4', 'com.amazonaws:aws-java-sdk-bundle:1.12.262']) {
                copyArtifact(artifact, jars);
            }
        },
    },
    readers: {
        what: 'pyarrow, pandas and Polars',
        needs: PYTHON,
        install: async (folder) => installPython(folder, ['-r', join(ROOT, 'test/engines/requirements.txt')]),
    },
    trino: {
        what: `Trino ${TRINO}, the engine inside Athena (450 MB)`,
        needs: { ...MAVEN, ...PYTHON, tar: 'tar' },
        async install(folder) {
            for (const artifact of [`io.trino:trino-server-core:${TRINO}:tar.gz`, `io.trino:trino-hive:${TRINO}:zip`]) {
                copyArtifact(artifact, `${folder}/downloads`);
            }
            run('tar', ['xzf', `${folder}/downloads/trino-server-core-${TRINO}.tar.gz`, '-C', folder, '--strip-components=1']);
            run('python3', ['-m', 'zipfile', '-e', `${folder}/downloads/trino-hive-${TRINO}.zip`, `${folder}/plugin`]);
            await rename(`${folder}/plugin/trino-hive-${TRINO}`, `${folder}/plugin/hive`);
            await rm(`${folder}/downloads`, { recursive: true });
        },
    },
};

const names = argv.length > 2 ? argv.slice(2) : Object.keys(tools);
let isAnyMissing = false;
for (const name of names) {
    isAnyMissing = !(await installOnce(name)) || isAnyMissing;
}
exit(isAnyMissing ? 1 : 0);

async function installOnce(name: string): Promise<boolean> {
    const tool = tools[name];
    if (tool === undefined) {
        stdout.write(`There is no tool ${name}: choose of ${Object.keys(tools).join(', ')}\n`);
        return false;
    }
    const home = join(TOOLS, name);
    if (existsSync(home)) {
        stdout.write(`${name}: is there\n`);
        return true;
    }
    const missing = Object.entries(tool.needs).filter(([program]) => !isInstalled(program));
    if (missing.length > 0) {
        stdout.write(`${name}: ${tool.what} needs ${missing.map(([, how]) => how).join(', ')}\n`);
        return false;
    }
    stdout.write(`${name}: installing ${tool.what} ...\n`);
    await mkdir(TOOLS, { recursive: true });
    // A virtual environment knows its own path, so it is made where it stays.
    const folder = name === 'trino' ? await mkdtemp(join(TOOLS, 'new-')) : home;
    try {
        await tool.install(folder);
        if (folder !== home) {
            await rename(folder, home);
        }
        return true;
    } catch (error) {
        await rm(folder, { recursive: true, force: true });
        stdout.write(`${name}: could not be installed: ${error instanceof Error ? error.message : String(error)}\n`);
        return false;
    }
}

function copyArtifact(artifact: string, folder: string): void {
    run('mvn', ['-q', '-B', 'dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`]);
}

function installPython(folder: string, packages: string[]): void {
    run('python3', ['-m', 'venv', folder]);
    run(join(folder, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', ...packages]);
}

function run(program: string, args: string[]): void {
    execFileSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
}

function isInstalled(program: string): boolean {
    try {
        execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
        return true;
    } catch {
        return false;
    }
}
