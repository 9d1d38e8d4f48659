/**
 * Installs into .tools/ what the tests against a local AWS, engines, exporters and programs with dashboards need beside Node: `npm run tools` installs all, `npm run tools --
 * ministack trino` those that are named. Each is pinned, and left alone while it was installed from these very pins. What the machine lacks for one is said in one line.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { argv, env, exit, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TOOLS = join(ROOT, '.tools');

const TRINO = '476';

/** File in a tool's folder that says what the tool was installed from. */
const PINS = 'installed-from.txt';

interface Tool {
    what: string;
    /** Programs of the machine that its installation needs, and how one gets them. */
    needs: Readonly<Record<string, string>>;
    /** All that decides which versions are installed, as text. */
    pins: string;
    /** Installs into an empty folder. */
    install(folder: string): Promise<void>;
}

const PYTHON = { python3: 'python3 with venv and pip (Debian: apt-get install python3-venv)' };

const MAVEN = { mvn: 'Maven (Debian: apt-get install maven)' };

/** Spark's way to S3: the versions that its Hadoop was built with. */
const SPARK_JARS = ['org.apache.hadoop:hadoop-aws:3.3.4', 'com.amazonaws:aws-java-sdk-bundle:1.12.262'];

const tools: Readonly<Record<string, Tool>> = {
    ministack: pythonTool('ministack, a local AWS', requirements('test/aws/support/ministack/requirements.txt')),
    spark: {
        what: 'Spark 3.5, the engine inside Glue',
        needs: { ...PYTHON, ...MAVEN },
        pins: `${requirements('test/glue-jobs/requirements.txt')}${SPARK_JARS.join('\n')}\n`,
        async install(folder) {
            await installPython(folder, requirements('test/glue-jobs/requirements.txt'));
            const find = 'import pyspark; print(pyspark.__path__[0])';
            const jars = join(execFileSync(join(folder, 'bin/python'), ['-c', find], { encoding: 'utf8' }).trim(), 'jars');
            for (const artifact of SPARK_JARS) {
                copyArtifact(artifact, jars);
            }
        },
    },
    readers: pythonTool('pyarrow, pandas, Polars, DataFusion, ClickHouse and other readers', requirements('test/engines/requirements.txt')),
    daft: pythonTool('Daft', requirements('test/engines/requirements-daft.txt')),
    nfstream: pythonTool('NFStream', requirements('test/exporters/requirements-nfstream.txt')),
    // Their numpy is older than Python 3.13.
    'cicflowmeter-us': pythonTool('cicflowmeter 0.2.0', requirements('test/exporters/requirements-cicflowmeter-us.txt'), ['3.11', '3.12']),
    pyflowmeter: pythonTool('pyflowmeter', requirements('test/exporters/requirements-pyflowmeter.txt'), ['3.11', '3.12']),
    'mqtt-clients': pythonTool("MQTT clients in Python: AWS's two SDKs for devices, and paho", requirements('test/live/requirements.txt')),
    'cicflowmeter-s': pythonTool('cicflowmeter 0.5.0', requirements('test/exporters/requirements-cicflowmeter-s.txt'), [
        '3.12',
        '3.13',
        '3.14',
    ]),
    // Its numpy is older than Python 3.13.
    superset: pythonTool('Superset with DuckDB', requirements('test/bi/requirements-superset.txt'), ['3.11', '3.12']),
    notebook: pythonTool('what runs the notebook', requirements('docs/bi/notebook/requirements.txt')),
    trino: {
        what: `Trino ${TRINO}, the engine inside Athena (450 MB)`,
        needs: { ...MAVEN, ...PYTHON, tar: 'tar' },
        pins: `Trino ${TRINO}\n`,
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
    if (pinsOf(home) === tool.pins) {
        stdout.write(`${name}: is there\n`);
        return true;
    }
    const missing = Object.entries(tool.needs).filter(([program]) => !isInstalled(program));
    if (missing.length > 0) {
        stdout.write(`${name}: ${tool.what} needs ${missing.map(([, how]) => how).join(', ')}\n`);
        return false;
    }
    stdout.write(`${name}: installing ${tool.what} ...\n`);
    // A virtual environment knows its own path, so it is made where it stays; what was there of other versions comes back if that fails.
    const before = join(TOOLS, `.before-${name}`);
    if (existsSync(before)) {
        // An installation was cut off: what it left is half a tool.
        await rm(home, { recursive: true, force: true });
    } else if (existsSync(home)) {
        await rename(home, before);
    }
    try {
        await mkdir(home, { recursive: true });
        await tool.install(home);
        await writeFile(join(home, PINS), tool.pins);
        await rm(before, { recursive: true, force: true });
        return true;
    } catch (error) {
        await rm(home, { recursive: true, force: true });
        if (existsSync(before)) {
            await rename(before, home);
        }
        stdout.write(`${name}: could not be installed: ${error instanceof Error ? error.message : String(error)}\n`);
        return false;
    }
}

/** What the tool in a folder was installed from, written when all went well; undefined where that cannot be told. */
function pinsOf(home: string): string | undefined {
    return existsSync(join(home, PINS)) ? readFileSync(join(home, PINS), 'utf8') : undefined;
}

function copyArtifact(artifact: string, folder: string): void {
    run('mvn', ['-q', '-B', 'dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`]);
}

function requirements(path: string): string {
    return readFileSync(join(ROOT, path), 'utf8');
}

/** Packages of Python; `versions` are those of Python that they run on, where the machine's own may not be one of them. */
function pythonTool(what: string, pins: string, versions?: readonly string[]): Tool {
    return { what, needs: PYTHON, pins, install: (folder) => installPython(folder, pins, versions && findPython(versions)) };
}

async function installPython(folder: string, pins: string, python = 'python3'): Promise<void> {
    run(python, ['-m', 'venv', folder]);
    const list = join(folder, 'requirements.txt');
    await writeFile(list, pins);
    run(join(folder, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', '-r', list]);
}

/** A Python of one of these versions: the machine's own, one beside it, or one of pyenv. */
function findPython(versions: readonly string[]): string {
    const pyenv = join(env.PYENV_ROOT ?? join(homedir(), '.pyenv'), 'versions');
    const kept = existsSync(pyenv) ? readdirSync(pyenv).map((version) => join(pyenv, version, 'bin/python3')) : [];
    const found = ['python3', ...versions.map((version) => `python${version}`), ...kept].find((python) =>
        versions.includes(versionOf(python)),
    );
    if (found === undefined) {
        throw new Error(`it needs Python ${versions.join(' or ')} (pyenv install ${versions[0]})`);
    }
    return found;
}

/** Version of a Python as `3.12`; empty where there is none. */
function versionOf(python: string): string {
    const ask = 'import sys; print("%d.%d" % sys.version_info[:2])';
    try {
        return execFileSync(python, ['-c', ask], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch {
        return '';
    }
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
