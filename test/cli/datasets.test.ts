/** `flowlake datasets` in a directory: the objects of the chain, and what became of them. */
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { ChainWriter } from '#lake/live/chain';
import { openDirectoryStore } from '#lake/store/directory';
import { addThermometer, chainMessage } from '#test/support/chain-messages';
import { makeFolder } from '#test/support/temporary';
import { fakeWorld, runLine } from './fake-surroundings.ts';

let folder: string;

beforeEach(async () => {
    folder = await makeFolder();
    const store = openDirectoryStore(join(folder, 'lake'));
    await addThermometer(store);
    const writer = new ChainWriter(store, { stream: 'live-1', shard: 'main', now: () => new Date('2026-01-05T11:00:00Z') });
    await writer.append([chainMessage(1), chainMessage(2, { refused: 'topic of another device' })]);
    await run('reconcile');
    await writer.append([chainMessage(3, { device: 'till-1', profile: undefined }), chainMessage(3601)]);
});

const run = (...argv: string[]) => runLine(['--lake', join(folder, 'lake'), ...argv], { world: fakeWorld({}) });

async function ask(...argv: string[]) {
    const { exitCode, stdout, stderr } = await run('--output', 'json', 'datasets', ...argv);
    return { exitCode, stderr, rows: JSON.parse(stdout) };
}

test('an object that was read and one that was not, oldest first, each with what it holds', async () => {
    expect(await ask()).toMatchObject({
        exitCode: 0,
        stderr: '',
        rows: [
            {
                ...{
                    state: 'read',
                    stream: 'live-1',
                    shard: 'main',
                    first: '1',
                    last: '2',
                    messages: 2,
                    refused: 1,
                    devices: 1,
                    device_names: 'th-1',
                },
                ...{ first_arrived_at: '2026-01-05 10:00:01.000', last_arrived_at: '2026-01-05 10:00:02.000', profiles: 'thermometer 2' },
                ...{
                    readings: 1,
                    messages_rejected: 1,
                    read_with: 'thermometer@1',
                    first_day: '2026-01-05',
                    last_day: '2026-01-05',
                    day_count: 1,
                },
            },
            {
                state: 'in chain',
                first: '3',
                last: '3601',
                devices: 2,
                device_names: 'th-1 till-1',
                profiles: 'thermometer 1',
                readings: null,
            },
        ],
    });
});

test('a device, a profile, a time and a state narrow it, and a table is narrow enough for a person', async () => {
    expect((await ask('--device', 'till-1')).rows).toMatchObject([{ first: '3' }]);
    expect((await ask('--device', 'till-2')).rows).toEqual([]);
    expect((await ask('--profile', 'thermometer', '--to', '2026-01-05T10:00:03')).rows).toMatchObject([{ first: '1' }]);
    expect((await ask('--from', '2026-01-05T10:30')).rows).toMatchObject([{ first: '3' }]);
    expect((await ask('--state', 'in chain')).rows).toMatchObject([{ first: '3' }]);
    expect(await ask('--limit', '1')).toMatchObject({ rows: [{ first: '3' }], stderr: 'The newest 1 of 2 objects; --limit shows more\n' });
    const { stdout } = await run('datasets');
    expect(stdout).toContain('in chain');
    expect(stdout).not.toContain('.jsonl.gz');
});

test('a lake in a directory has no index to rebuild, and says so', async () => {
    expect(await run('datasets', '--rebuild')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('has no index to rebuild') });
});
