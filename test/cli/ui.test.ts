/** `flowlake ui` as its user starts it. */
import { chmod, readdir, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DEPLOYMENT_TAGS } from '#lake/deployment';
import { runLine } from '#test/cli/fake-surroundings';
import { collect, type RunOptions, runFlowlake, startFlowlake } from '#test/support/flowlake';
import { openFixture } from '#test/support/lake-fixture';
import { type S3Server, startS3Server } from '#test/support/s3-server';
import { makeFolder } from '#test/support/temporary';

async function makeLake(): Promise<string> {
    const { directory } = await openFixture([{ day: '2026-01-05' }], { directory: join(await makeFolder(), 'lake') });
    return directory;
}

/** Starts it, asks it by `use`, and ends it as Ctrl-C does. */
async function withUi(lake: string, use: (address: URL) => Promise<void>, options: Partial<RunOptions> = {}) {
    const child = startFlowlake(['--lake', lake, 'ui'], { folder: '/', ...options });
    const ended = collect(child);
    const address = await new Promise<string>((resolve, reject) => {
        child.stdout?.on('data', (text: string) => resolve(text.trim()));
        void ended.then(({ stderr }) => reject(new Error(stderr)));
    });
    try {
        await use(new URL(address));
    } finally {
        child.kill('SIGINT');
    }
    return ended;
}

async function askAbout(address: URL): Promise<unknown> {
    const logged = await fetch(address, { redirect: 'manual' });
    const cookie = logged.headers.get('set-cookie')?.split(';')[0] ?? '';
    return (await fetch(new URL('/pages/about', address), { headers: { cookie } })).json();
}

test('prints an address of this machine with a token, answers there, and ends well by Ctrl-C', async () => {
    const lake = await makeLake();
    const { exitCode, stdout, stderr } = await withUi(lake, async (address) => {
        expect(address.href).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}$/);
        expect(await askAbout(address)).toMatchObject({ lake, kind: 'directory', isPaid: false, hasLive: false, hasApi: false });
        expect(await (await fetch(new URL('/', address))).text()).toContain('<div id="app">');
    });
    expect([exitCode, stdout.split('\n').length, stderr]).toEqual([
        0,
        2,
        'Open this address in a browser of this machine. Ctrl-C ends it\n',
    ]);
});

test('each start has a token of its own', async () => {
    const lake = await makeLake();
    const tokens = new Set<string | null>();
    for (let start = 0; start < 2; start += 1) {
        await withUi(lake, async ({ searchParams }) => void tokens.add(searchParams.get('token')));
    }
    expect(tokens.size).toBe(2);
});

test('shows a lake that its user may not write to, and writes nothing', async () => {
    const lake = await makeLake();
    const before = await namesAndTimes(lake);
    for (const folder of [join(lake, '..'), lake]) {
        await chmod(folder, 0o755);
    }
    await withUi(lake, async (address) => expect(await askAbout(address)).toMatchObject({ lake }), { as: 65_534 });
    expect(await namesAndTimes(lake)).toEqual(before);
});

async function namesAndTimes(folder: string): Promise<[string, number][]> {
    const names = (await readdir(folder, { recursive: true })).sort();
    return Promise.all(names.map(async (name): Promise<[string, number]> => [name, (await stat(join(folder, name))).mtimeMs]));
}

test('a port that is taken, or is none, is said with what to do', async () => {
    const lake = await makeLake();
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const taken = await runFlowlake(`--lake ${lake} ui --port ${port}`, { folder: '/' });
    expect([taken.exitCode, taken.stderr]).toEqual([
        2,
        `flowlake: Port ${port} of 127.0.0.1 is taken by another program: choose another one with --port, 0 for any free one\n`,
    ]);
    other.close();
    const none = await runLine(['--lake', lake, 'ui', '--port', '70000']);
    expect([none.exitCode, none.stderr]).toEqual([2, 'flowlake: --port 70000 is no port: 1 to 65535, or 0 for any free one\n']);
});

test('a lake that is not there is said, and what would make one', async () => {
    const { exitCode, stderr } = await runLine(['--lake', join(await makeFolder(), 'none'), 'ui']);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('upload something first')]);
});

describe('a deployed lake', () => {
    let s3: S3Server;

    beforeAll(async () => {
        s3 = await startS3Server();
        s3.makeBucket('my-lake', { [DEPLOYMENT_TAGS.stage]: 'test' });
    });

    afterAll(() => s3.stop());

    const environment = () => ({
        ...{ AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
        AWS_ENDPOINT_URL_S3: s3.endpoint,
    });

    test('is one whose reading is paid for, and says so', async () => {
        const about = async (address: URL) => expect(await askAbout(address)).toMatchObject({ lake: 's3://my-lake', isPaid: true });
        const { exitCode } = await withUi('s3://my-lake', about, { environment: environment() });
        expect(exitCode).toBe(0);
    });

    test('that is not there is said before any address is printed', async () => {
        const { exitCode, stdout, stderr } = await runFlowlake('--lake s3://no-such-lake ui', { folder: '/', environment: environment() });
        expect([exitCode, stdout, stderr]).toEqual([1, '', expect.stringContaining('no-such-lake')]);
    });
});

test('latest state that cannot be opened is said, and the rest is shown', async () => {
    const lake = await makeLake();
    const { mkdir, writeFile } = await import('node:fs/promises');
    await mkdir(join(lake, '.flowlake/live'), { recursive: true });
    await writeFile(join(lake, '.flowlake/live/state.sqlite'), 'no database');
    const { stderr } = await withUi(lake, async (address) => expect(await askAbout(address)).toMatchObject({ hasLive: false }));
    expect(stderr).toMatch(/^Latest state of devices is not shown: /);
});
