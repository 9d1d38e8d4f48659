/** What is told of messages after they are in the lake: exports of a device, and of files that lost most of their messages. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { makeFolder } from '#test/support/temporary';
import { fakeWorld, runLine } from './fake-surroundings.ts';

const PROFILE = {
    name: 'room',
    device: { path: 'd' },
    time: { path: 't', unit: 's' },
    metrics: ['v', 'w'].map((name) => ({ name, path: name, unit: '1', digits: 3 })),
};
const AT = 1_767_225_600;

let folder: string;

beforeEach(async () => {
    folder = await makeFolder();
    await writeFile(join(folder, 'room.json'), JSON.stringify(PROFILE));
    await run('profile', 'add', join(folder, 'room.json'));
});

function run(...argv: string[]) {
    return runLine(['--lake', join(folder, 'lake'), ...argv], { world: fakeWorld({}) });
}

/** Uploads a file of these messages, of one device and a second apart. */
async function upload(name: string, messages: readonly object[]) {
    const path = join(folder, name);
    await writeFile(path, messages.map((message, at) => `${JSON.stringify({ d: 'a7', t: AT + at, ...message })}\n`).join(''));
    return run('upload', '--kind', 'telemetry', '--profile', 'room', path);
}

test('the readings of a device go into a Parquet file with every digit, and times as times', async () => {
    await upload('a.jsonl', [{ v: '-123456789.125' }, { v: 0.001 }]);
    const out = join(folder, 'a7.parquet');
    expect(await run('export', '--device', 'a7', '-o', out)).toMatchObject({ exitCode: 0 });
    const connection = await (await DuckDBInstance.create()).connect();
    const sql = `select device, metric, at_ms, cast(measured_at as varchar), value, typeof(value) from read_parquet('${out}') order by at_ms`;
    const rows = (await connection.runAndReadAll(sql)).getRowsJson();
    connection.closeSync();
    expect(rows).toEqual([
        ['a7', 'v', String(AT * 1000), '2026-01-01 00:00:00', '-123456789.125000000', 'DECIMAL(28,9)'],
        ['a7', 'v', String((AT + 1) * 1000), '2026-01-01 00:00:01', '0.001000000', 'DECIMAL(28,9)'],
    ]);
});

describe('a file whose messages have metrics without a reading', () => {
    test('has lost no message by that, and is not said to', async () => {
        const { exitCode, stderr } = await upload('a.jsonl', [
            { v: 1, w: null },
            { v: 2, w: null },
        ]);
        expect(exitCode).toBe(0);
        expect(stderr).not.toMatch(/rows? rejected/);
        expect(stderr).toMatch(/Metrics in messages of 1 file have no reading/);
    });

    test('and that lost more than half of its messages says how many, and the most frequent reason', async () => {
        const { stderr } = await upload('a.jsonl', [
            { v: null, w: null },
            { v: null, w: null },
            { v: 1, w: null },
        ]);
        expect(stderr).toMatch(
            /a\.jsonl: 2 of 3 rows rejected, most often \(with metrics_rejected\) as no_value; the first:\n {2}line 1: /,
        );
    });

    test('shows the first message also where rejects are many', async () => {
        // No two texts alike: the packed rejects are larger than what is read of a file at once.
        let seed = 1;
        const noise = () => {
            seed = (seed * 48_271) % 2_147_483_647;
            return seed.toString(36);
        };
        const messages = Array.from({ length: 800 }, () => ({ x: Array.from({ length: 600 }, noise).join('') }));
        const { exitCode, stderr } = await upload('many.jsonl', [...messages, { v: 1 }]);
        expect({ exitCode, stderr }).toEqual({
            exitCode: 0,
            stderr: expect.stringMatching(/many\.jsonl: 800 of 801 rows rejected as no_reading; the first:\n {2}line 1: /),
        });
    });
});

test('a device that the lake does not know has no alerts to be shown, and that is said', async () => {
    await upload('a.jsonl', [{ v: 1 }]);
    expect(await run('alerts', 'a7')).toMatchObject({ exitCode: 0, stderr: '0 rows\n' });
    expect(await run('alerts', 'a8', '--site', 'main')).toMatchObject({
        exitCode: 1,
        stdout: '',
        stderr: 'flowlake: No device a8 at site main. The nearest: a7; flowlake devices lists all\n',
    });
});

describe('a device or site that the lake does not know is all that is said, with the nearest', () => {
    test.each([
        ['readings a8', 'No device a8. The nearest: a7; flowlake devices lists all'],
        ['readings a8 --every 1h', 'No device a8. The nearest: a7; flowlake devices lists all'],
        ['readings a8 --metric v --plot', 'No device a8. The nearest: a7; flowlake devices lists all'],
        ['export --device a8', 'No device a8. The nearest: a7; flowlake devices lists all'],
        ['readings a7 --metric x', 'No such readings of a7; it has v at main'],
        ['readings a7 --site berlin', 'No such readings of a7; it has v at main'],
        ['devices a8', 'No device a8. The nearest: a7; flowlake devices lists all'],
        ['devices a7 --site berlin', 'No device a7 at site berlin: it is at main'],
        ['devices --site mian', 'No device is at a site mian. The nearest: main; flowlake devices lists all'],
        ['alerts --site mian', 'No device is at a site mian. The nearest: main; flowlake devices lists all'],
    ])('%s', async (line, why) => {
        await upload('a.jsonl', [{ v: 1 }]);
        for (const output of ['table', 'json', 'csv']) {
            const asked = line.includes('--plot') ? [] : ['--output', output];
            expect(await run(...asked, ...line.split(' '))).toEqual({ exitCode: 1, stdout: '', stderr: `flowlake: ${why}\n` });
        }
    });

    test('one that is registered, and of which nothing has come, has no readings', async () => {
        await run('device', 'add', 'b1', '--profile', 'room');
        await upload('a.jsonl', [{ v: 1 }]);
        expect(await run('readings', 'b1')).toEqual({
            exitCode: 1,
            stdout: '',
            stderr: 'flowlake: No readings of b1: it is registered, and nothing of it has come yet\n',
        });
    });

    test('one that has readings at other times shows no rows, and says when it has some', async () => {
        await upload('a.jsonl', [{ v: 1 }]);
        expect(await run('readings', 'a7', '--from', '2026-02-01', '--output', 'json')).toEqual({
            exitCode: 0,
            stdout: '[]\n',
            stderr: 'No readings of a7 in that time: it has some from 2026-01-01T00:00:00.000Z to 2026-01-01T00:00:00.000Z\n',
        });
    });
});

describe('an upload that does not say by which profile', () => {
    test('is refused before anything is put, also as a trial, and names the profiles that there are', async () => {
        const [path, other] = [join(folder, 'a.jsonl'), join(folder, 'b.jsonl')];
        await writeFile(path, `${JSON.stringify({ d: 'a7', t: AT, v: 1 })}\n`);
        await writeFile(other, `${JSON.stringify({ d: 'a7', t: AT, v: 2 })}\n`);
        for (const more of [[], ['--dry-run']]) {
            const { exitCode, stdout, stderr } = await run('upload', '--kind', 'telemetry', ...more, path, other);
            expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
            expect(stderr).toContain(`Nothing tells by which profile to read ${path} and 1 more: add --profile NAME\n`);
            expect(stderr).toMatch(/profiles of the lake: room\nprofiles of the program: .*plain-json.*zigbee2mqtt\n/);
        }
        expect(await run('status', '--output', 'json')).toMatchObject({ stdout: expect.not.stringContaining('a.jsonl') });
    });

    test('is taken where the file says it line by line, as an object of the chain does', async () => {
        const line = {
            sequence: '7',
            arrived_ms: AT * 1000,
            way: 'http',
            profile: 'room',
            payload: JSON.stringify({ d: 'a7', t: AT, v: 1 }),
        };
        const path = join(folder, 'chain.jsonl');
        await writeFile(path, `${JSON.stringify(line)}\n{"end":"7"}\n`);
        expect(await run('upload', '--kind', 'telemetry', path)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('added') });
        expect(await run('readings', 'a7', '--output', 'json')).toMatchObject({ stdout: expect.stringContaining('"metric":"v"') });
    });

    test('and that has no file of messages at all says what each is', async () => {
        const path = join(folder, 'a.parquet');
        await writeFile(path, 'PAR1 and more');
        expect(await run('upload', '--kind', 'telemetry', path)).toMatchObject({
            exitCode: 1,
            stderr: expect.stringContaining('a Parquet file'),
        });
    });
});

test.each([
    ['readings a7 --every 1h --last 3', '--last is of single readings: leave it out, or --every'],
    ['readings a7 --metric v --plot --last 3', '--last is of single readings: leave it out, or --plot'],
    ['sample x --kind telemetry --flows 3', '--flows is of flows: leave it out, or --kind telemetry'],
    ['sample x --kind telemetry --pairs 3', '--pairs is of flows: leave it out, or --kind telemetry'],
    ['sample x --kind telemetry --as zeek', '--as is of flows: leave it out, or --kind telemetry'],
    ['sample x --devices 3', '--devices is of telemetry: leave it out, or add --kind telemetry'],
])('flowlake %s has an option that would do nothing, and is refused', async (line, why) => {
    expect(await run(...line.split(' '))).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(why) });
});
