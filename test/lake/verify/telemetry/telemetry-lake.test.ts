/** A lake of telemetry is verified from its raw files: equal where nothing happened, and each fault that is put into it is found and named. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { readRows, writeRows } from '#lake/parquet';
import type { Rows } from '#lake/rows';
import { readingSummaries, readings } from '#lake/telemetry/tables';
import { fleetFiles } from '#sample/telemetry/sample-files';
import { fakeWorld, runLine } from '#test/cli/fake-surroundings';
import { makeFolder } from '#test/support/temporary';

const PROFILE = {
    name: 'room',
    device: { path: 'id' },
    time: { path: 't', unit: 's' },
    identity: [{ path: 'n' }],
    metrics: [
        { name: 'temperature', path: 'temp', unit: 'Cel', digits: 1, max: 85 },
        { name: 'state', path: 'state', kind: 'text' },
    ],
};
const NINE = Date.parse('2026-01-05T09:00:00Z') / 1000;
const MESSAGES = [
    { id: 'a', t: NINE, n: 1, temp: 21.3, state: 'on' },
    { id: 'a', t: NINE, n: 1, temp: 21.3, state: 'on' },
    { id: 'b', t: NINE + 60, n: 1, temp: -4, fw: '2' },
    { id: 'b', t: NINE + 4000, n: 2, temp: 99 },
    { id: 'b', t: NINE + 4060, n: 3, temp: '5.55' },
    { t: NINE, temp: 1 },
];
const LINES = MESSAGES.map((message) => `${JSON.stringify(message)}\n`).join('');

let folder: string;
let lake: string;

beforeEach(async () => {
    folder = await makeFolder();
    lake = join(folder, 'lake');
});

function run(...argv: string[]) {
    return runLine(['--lake', lake, '--output', 'json', ...argv], { world: fakeWorld({}) });
}

async function write(path: string, content: string | Uint8Array): Promise<string> {
    const full = join(folder, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, content);
    return full;
}

async function makeLake(profile: object, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
    await run('profile', 'add', await write('profile.json', JSON.stringify(profile)));
    for (const [name, content] of Object.entries(files)) {
        const upload = await run('upload', '--kind', 'telemetry', '--profile', 'room', await write(name, content));
        expect(upload).toMatchObject({ exitCode: 0 });
    }
}

/** The differences that `verify` names, and its exit code. */
async function verify(): Promise<{ exitCode: number; differences: Record<string, unknown>[]; stderr: string }> {
    const { exitCode, stdout, stderr } = await run('verify');
    return { exitCode, stderr, differences: stdout === '' ? [] : JSON.parse(stdout) };
}

/** Changes the rows of every object of the table in place, as nobody but a fault would. */
async function change(table: typeof readings, turn: (rows: Rows) => Rows): Promise<void> {
    for (const name of await readdir(join(lake, table.prefix), { recursive: true })) {
        if (name.endsWith('.parquet')) {
            const path = join(lake, table.prefix, name);
            await writeFile(path, writeRows(table, turn(await readRows(table, await readFile(path)))));
        }
    }
}

function turned(rows: Rows, column: string, turn: (value: unknown, row: number) => unknown): Rows {
    return { ...rows, [column]: (rows[column] as unknown[]).map(turn) } as Rows;
}

test('a lake of the sample is recomputed, every figure of it', async () => {
    for (const { path, chunks } of fleetFiles({ days: 1, devices: 8 })) {
        await write(join('fleet', path), Buffer.concat([...chunks]));
    }
    for (const maker of ['thermostat', 'tracker', 'till', 'cellar']) {
        expect(await run('profile', 'add', join(folder, 'fleet', 'profiles', `${maker}.json`))).toMatchObject({ exitCode: 0 });
        expect(await run('upload', '--kind', 'telemetry', '--profile', maker, join(folder, 'fleet', maker))).toMatchObject({ exitCode: 0 });
    }
    expect(await verify()).toEqual({ exitCode: 0, differences: [], stderr: expect.stringContaining('all equal') });
});

test.each([
    ['JSON lines', { 'a.jsonl': LINES }],
    ['gzip', { 'a.jsonl.gz': gzipSync(LINES) }],
    ['an array', { 'a.json': JSON.stringify(MESSAGES) }],
    ['an array over lines', { 'a.json': JSON.stringify(MESSAGES, undefined, 2) }],
    ['objects over lines', { 'a.json': MESSAGES.map((message) => JSON.stringify(message, undefined, 2)).join('\n') }],
    ['objects side by side', { 'a.jsonl': MESSAGES.map((message) => JSON.stringify(message)).join('') }],
    [
        'rows',
        {
            'a.csv': `id;t;n;temp;state\n${MESSAGES.map(({ id = '', t, n = '', temp, state = '' }) => `${id};${t};${n};${temp};${state}`).join('\n')}`,
        },
    ],
    [
        'a log',
        {
            'a.jsonl': MESSAGES.map((payload, at) => JSON.stringify({ topic: 'x', payload, arrived_ms: (NINE + 5000 + at) * 1000 })).join(
                '\n',
            ),
        },
    ],
    ['two files that share messages', { 'a.jsonl': LINES, 'b.jsonl': `{"id":"c","t":${NINE},"n":1,"temp":1}\n${LINES}` }],
])('%s: equal', async (_, files) => {
    await makeLake(PROFILE, files);
    expect(await verify()).toEqual({ exitCode: 0, differences: [], stderr: expect.stringContaining('all equal') });
});

const RECORDS = { ...PROFILE, device: { path: 'name' }, identity: undefined, metrics: [{ name: 'x', path: 'value', digits: 1 }] };
const SENML = { ...RECORDS, decoder: 'senml', time: { path: 'time', unit: 's' } };
const base64 = (hex: string): string => Buffer.from(hex.replaceAll(' ', ''), 'hex').toString('base64');
/** A line of a log of a broker whose payload is no text. */
const logged = (hex: string, topic = 'x'): string => JSON.stringify({ topic, payload_base64: base64(hex), arrived_ms: (NINE + 60) * 1000 });

test.each([
    ['a pack of SenML', SENML, { 'a.json': `[{"bn":"x","bt":${NINE},"v":1},{"n":"y","v":2},{"n":"z"}]` }],
    ['a list of packs of SenML', SENML, { 'a.json': `[[{"n":"x","v":1,"bt":${NINE}}],\n[{"n":"y","v":2,"bt":${NINE}},3]]` }],
    ['packs of SenML line by line', SENML, { 'a.jsonl': `[{"n":"x","v":1,"bt":${NINE}}]\n[{"n":"y","v":2,"bt":${NINE}}]\n[]\n` }],
    [
        'SenML in CBOR',
        { ...SENML, decoder: 'senml-cbor' },
        { 'a.jsonl': `${logged('81 a3 00 61 78 02 fb 40354ccccccccccd 22 1a 695b7f20')}\n${logged('82 01')}` },
    ],
    [
        'CBOR',
        { ...PROFILE, decoder: 'cbor', identity: undefined, device: { from: 'topic' }, time: 'arrival' },
        { 'a.jsonl': `${logged('a1 64 74656d70 f9 4d53')}\n${logged('a1 64 74656d70 c4 82 20 18d5')}\n${logged('a1')}` },
    ],
    [
        'Sparkplug B',
        { ...RECORDS, decoder: 'sparkplug-b', time: 'arrival' },
        {
            'a.jsonl': [
                logged('12 09 0a 01 61 10 07 20 03 50 05', 'spBv1.0/g/NBIRTH/e'),
                logged('12 0f 10 07 58 fbffffffffffffffff01', 'spBv1.0/g/NDATA/e'),
                logged('12 04 10 08 50 05', 'spBv1.0/g/NDATA/e'),
                logged('12 ff', 'spBv1.0/g/NDATA/e'),
                logged('', 'spBv1.0/g/NDEATH/e'),
            ].join('\n'),
        },
    ],
])('%s: equal', async (_, profile, files) => {
    await makeLake(profile, files);
    const { exitCode, differences, stderr } = await verify();
    expect({ exitCode, differences }).toEqual({ exitCode: 0, differences: [] });
    expect(stderr).toMatch(/figures of [1-9]\d* readings? .* with \d+ rows? of 1 source: all equal/);
});

test('a file that is not followed is verified by its summaries, and that is said', async () => {
    await makeLake(PROFILE, { 'a.csv': `id,t,n,temp,state\na,${NINE},1,2,"on\noff"\n` });
    const { exitCode, stderr } = await verify();
    expect(exitCode).toBe(3);
    expect(stderr).toContain('its committed summaries were taken instead');
});

describe('a fault', () => {
    beforeEach(() => makeLake(PROFILE, { 'a.jsonl': LINES }));

    test.each([
        [
            'a wrong reading',
            'value',
            (rows: Rows) => turned(rows, 'value', (value) => (value === 21_300_000_000n ? 21_400_000_000n : value)),
            'value',
            'a',
        ],
        [
            'a copy counted twice',
            'copies',
            (rows: Rows) => turned(rows, 'copies', (copies, row) => (rows.device?.[row] === 'b' ? 2n : copies)),
            'copies',
            'b',
        ],
        [
            'another time of arrival',
            'received_ms',
            (rows: Rows) => turned(rows, 'received_ms', (ms) => (ms as bigint) + 1n),
            'received_ms',
            'a',
        ],
    ])('%s is found', async (_, _column, turn, figure, device) => {
        await change(readingSummaries, turn);
        await change(readings, turn);
        const { exitCode, differences } = await verify();
        expect(exitCode).toBe(1);
        expect(differences).toContainEqual(expect.objectContaining({ figure, device }));
    });

    test('a lost reading is found', async () => {
        const lose = (rows: Rows): Rows => {
            const kept = (rows.text as unknown[]).map((text) => text !== 'on');
            return Object.fromEntries(
                Object.entries(rows).map(([name, values]) => [name, (values as unknown[]).filter((_, at) => kept[at])]),
            ) as Rows;
        };
        await change(readingSummaries, lose);
        await change(readings, lose);
        const { exitCode, differences } = await verify();
        expect(exitCode).toBe(1);
        expect(differences).toContainEqual(expect.objectContaining({ device: 'a', metric: 'state', in_lake: null }));
    });

    test('a profile that was exchanged behind the lake is found', async () => {
        const scaled = { ...PROFILE, metrics: [{ ...PROFILE.metrics[0], scale: 2 }, PROFILE.metrics[1]] };
        const version = join(lake, 'profiles', 'room', '1.json');
        expect(JSON.parse(await readFile(version, 'utf8'))).toEqual(PROFILE);
        await writeFile(version, JSON.stringify(scaled));
        const { exitCode, differences } = await verify();
        expect(exitCode).toBe(1);
        expect(differences).toContainEqual(expect.objectContaining({ device: 'a', metric: 'temperature', figure: 'value' }));
    });
});
