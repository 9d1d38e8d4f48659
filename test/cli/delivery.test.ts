/** `flowlake simulate` and `delivery` beside a lake that is served in this process. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { commands } from '#cli/commands';
import type { DirectoryLake } from '#lake/lake';
import { openLake } from '#lake/open-lake';
import { type Serving, serve } from '#lake/serve/serve';
import { runLine as runWith } from './fake-surroundings.ts';

let folder: string;
let lake: DirectoryLake;
let serving: Serving;

beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flowlake-delivery-'));
    const directory = join(folder, 'lake');
    const opened = await openLake(
        { kind: 'directory', name: directory, directory },
        { environment: {}, signal: new AbortController().signal, mayBeNew: true },
    );
    lake = opened as DirectoryLake;
    serving = await serve(lake, {
        ...{ host: '127.0.0.1', mqttPort: 0, httpPort: 0, names: [], isHttps: false, sealEveryMs: undefined, hooks: [] },
        ...{ forwardTo: undefined, isNewToken: false, environment: {}, now: () => new Date(), say: () => undefined },
    });
});

afterEach(async () => {
    await serving.stop(AbortSignal.abort());
    await lake.close();
    await rm(folder, { recursive: true, force: true });
});

const journal = () => join(folder, 'sent.jsonl');

const run = (directory: string, ...words: string[]) =>
    runWith(['--lake', join(folder, directory), '--output', 'json', ...words], { commands });

const simulate = (...words: string[]) =>
    run('lake', 'simulate', '--credentials', join(folder, 'devices'), '--journal', journal(), '--for', '1s', ...words);

const accountsOf = async () => {
    const { exitCode, stdout } = await run('lake', 'delivery', '--journal', journal());
    return { exitCode, all: JSON.parse(stdout).at(-1) };
};

test.each(['mqtts', 'http'])('every message of a fleet with faults is accounted for, by %s', async (way) => {
    const to = way === 'http' ? ['--to', serving.httpUrl] : [];
    const faults = 'loss=0.2,repeat=0.2,reset=0.1';
    expect(await simulate('--devices', '3', '--rate', '60', '--faults', faults, ...to)).toMatchObject({ exitCode: 0 });
    const { exitCode, all } = await accountsOf();
    expect(exitCode).toBe(0);
    expect(all).toMatchObject({ device: '(all)', lost: 0, waiting: 0, unacknowledged: 0, rejected: 0 });
    expect(all.received).toBe(all.sent);
    expect(all.dropped).toBeGreaterThan(0);
    expect(all.repeated).toBeGreaterThan(0);
});

test('what was acknowledged and is nowhere is lost, and the exit code says so; what was not is not', async () => {
    await simulate('--devices', '1', '--rate', '5');
    const lines = await readFile(journal(), 'utf8');
    const sent = (message: string) =>
        `{"event":"sent","device":"sim-0001","message":"${message}","hash":"0000000000000000","at_ms":1,"measured_ms":1}\n`;
    const more = `${sent('1:1')}{"event":"acknowledged","device":"sim-0001","message":"1:1","at_ms":2}\n${sent('1:2')}{"event":"se`;
    await writeFile(journal(), lines + more);
    expect(await accountsOf()).toMatchObject({ exitCode: 1, all: { lost: 1, unacknowledged: 1 } });
});

test('a journal of another lake, one that is there already, and what is none are said', async () => {
    expect(await simulate('--devices', '1', '--rate', '5')).toMatchObject({ exitCode: 0 });
    expect(await simulate('--devices', '1', '--rate', '5')).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('is there: give the journal another name'),
    });
    await run('other', 'device', 'add', 'x', '--profile', 'plain-json');
    expect(await run('other', 'delivery', '--journal', journal())).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('is it the journal of another one?'),
    });
    await writeFile(journal(), 'a,b,c\n');
    expect(await run('lake', 'delivery', '--journal', journal())).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('Line 1 is no line of a journal'),
    });
    expect(await run('lake', 'delivery')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Which journal?') });
});
