/** The program as a process: exit codes, streams that close, signals, and how soon it is there. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAIN = join(ROOT, 'cli/main.ts');
let folder: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flowlake-test-'));
});

afterEach(async () => {
    for (const child of children.splice(0)) {
        child.kill('SIGKILL');
    }
    await rm(folder, { recursive: true, force: true });
});

function start(...argv: string[]): ChildProcess & { said: { stdout: string; stderr: string } } {
    const child = spawn(process.execPath, [MAIN, ...argv], { env: { PATH: process.env.PATH, FLOWLAKE_LAKE: folder } });
    children.push(child);
    const said = { stdout: '', stderr: '' };
    child.stderr.on('data', (chunk: Buffer) => {
        said.stderr += chunk;
    });
    return Object.assign(child, { said });
}

async function runProgram(...argv: string[]): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
    const child = start(...argv);
    child.stdin?.end();
    child.stdout?.on('data', (chunk: Buffer) => {
        child.said.stdout += chunk;
    });
    const [exitCode] = await once(child, 'close');
    return { exitCode, ...child.said };
}

test('ends with 0, 1 or 2, data on stdout and words on stderr', async () => {
    const [done, failed, misused] = await Promise.all([
        runProgram('query', 'select 1 as one', '--output', 'csv'),
        runProgram('--lake', join(folder, 'none'), 'pairs'),
        runProgram('pais'),
    ]);
    expect(done).toEqual({ exitCode: 0, stdout: 'one\n1\n', stderr: '' });
    expect(failed).toEqual({ exitCode: 1, stdout: '', stderr: expect.stringContaining('flowlake: No lake at ') });
    expect(misused).toEqual({ exitCode: 2, stdout: '', stderr: expect.stringContaining('(Did you mean pairs?)') });
});

test('ends quietly when the reader has seen enough', async () => {
    const child = start('query', 'select * from range(3000000)', '--output', 'csv');
    child.stdout?.once('data', () => child.stdout?.destroy());
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(child.said.stderr).toBe('');
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends work with 130 and leaves no unfinished file', async (signal) => {
    const samples = join(folder, 'samples');
    const child = start('sample', samples, '--flows', '100000000', '--days', '1');
    await waitUntil(async () => (await filesIn(samples)).length > 0);
    child.kill(signal);
    expect(await once(child, 'close')).toEqual([130, null]);
    expect(child.said.stderr).toBe('flowlake: interrupted\n');
    expect(await filesIn(samples)).toEqual([]);
});

test('the second Ctrl-C ends at once what the first could not', async () => {
    // A table of one row is one write, and nobody reads it to its end: it would wait for ever.
    const child = start('query', "select repeat('x', 10000000) as x");
    await once(child.stdout!, 'readable');
    child.kill('SIGINT');
    await once(child.stderr!, 'data');
    expect(child.said.stderr).toBe('flowlake: stopping; Ctrl-C once more ends it at once\n');
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([130, null]);
});

test('--help loads the words and nothing that does the work', async () => {
    const tell = `import { registerHooks } from 'node:module';
        registerHooks({ load: (url, context, next) => (process._rawDebug(url), next(url, context)) });`;
    const child = spawn(process.execPath, ['--import', `data:text/javascript,${encodeURIComponent(tell)}`, MAIN, '--help']);
    let loaded = '';
    child.stderr.on('data', (chunk: Buffer) => {
        loaded += chunk;
    });
    await once(child, 'close');
    const files = loaded.split('\n').flatMap((url) => (url.startsWith('file:') ? [url.slice(pathToFileURL(ROOT).href.length)] : []));
    expect(files).toContain('cli/commands/query/command.ts');
    const words =
        /^(cli\/(main|run|command|commands|option|output|draw\/text-width|parse-line|version|commands\/[a-z-]+\/(command|steps))\.ts|lake\/(addresses|devices-table|errors|instant|kinds|lake|layout|package-root|tables|live\/dataset-states|flows\/(kind|options|tables|doubts)|telemetry\/(kind|derivations|derived-tables|doubts|nothing-found|steps|tables|wide-view))\.ts|node_modules\/(commander|get-east-asian-width)\/.*)$/;
    expect(files.filter((file) => !words.test(file))).toEqual([]);
});

async function filesIn(directory: string): Promise<string[]> {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

async function waitUntil(isTrue: () => Promise<boolean>): Promise<void> {
    while (!(await isTrue())) {
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
}
