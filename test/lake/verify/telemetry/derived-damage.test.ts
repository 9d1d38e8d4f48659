/** Tables derived from readings: `verify` finds and names whatever is wrong with one of their objects, and `--repair` mends it. */
import { createHash } from 'node:crypto';
import { copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readMadeOfAtEnd, readRows, readState, writeRows } from '#lake/parquet';
import type { Rows } from '#lake/rows';
import { type DayTable, withWords } from '#lake/tables';
import { derivedTables } from '#lake/telemetry/derivations';
import { episodes, metricHours } from '#lake/telemetry/derived-tables';
import { fakeWorld, runLine } from '#test/cli/fake-surroundings';
import { makeFolder } from '#test/support/temporary';

const PROFILE = {
    name: 'room',
    device: { path: 'id' },
    time: { path: 't', unit: 's' },
    identity: [{ path: 'n' }],
    dueEvery: '6h',
    metrics: [
        { name: 'temperature', path: 'temp', unit: 'Cel', digits: 1 },
        { name: 'state', path: 'state', kind: 'text' },
    ],
    alerts: [{ rule: 'hot', severity: 'warning', message: 'too warm', metric: 'temperature', above: { raise: 30, clear: 28 } }],
};
const [FIRST, SECOND, THIRD] = ['2026-01-05', '2026-01-06', '2026-01-08'] as const;
const MESSAGES = [
    { at: `${FIRST}T09:00:00Z`, id: 'a', temp: 21.3, state: 'on' },
    { at: `${FIRST}T09:10:00Z`, id: 'a', temp: 31 },
    { at: `${FIRST}T10:00:00Z`, id: 'a', temp: 33.5 },
    { at: `${FIRST}T10:00:00Z`, id: 'b', temp: -4 },
    { at: `${FIRST}T10:20:00Z`, id: 'a', temp: 27 },
    { at: `${SECOND}T11:30:00Z`, id: 'a', temp: 34 },
    { at: `${THIRD}T12:00:00Z`, id: 'a', temp: 20 },
];
const LINES = MESSAGES.map(({ at, ...message }, n) => `${JSON.stringify({ ...message, t: Date.parse(at) / 1000, n })}\n`).join('');

let folder: string;
let sound: string;
let lake: string;

beforeAll(async () => {
    folder = await makeFolder();
    sound = join(folder, 'sound');
    lake = sound;
    expect(await run('profile', 'add', await write('profile.json', JSON.stringify(PROFILE)))).toMatchObject({ exitCode: 0 });
    expect(await run('upload', '--kind', 'telemetry', '--profile', 'room', await write('a.jsonl', LINES))).toMatchObject({ exitCode: 0 });
});

beforeEach(async () => {
    lake = join(await makeFolder(), 'lake');
    await cp(sound, lake, { recursive: true });
});

function run(...argv: string[]) {
    return runLine(['--lake', lake, '--output', 'json', ...argv], { world: fakeWorld({}) });
}

async function write(path: string, content: string): Promise<string> {
    await writeFile(join(folder, path), content);
    return join(folder, path);
}

interface Verified {
    exitCode: number;
    differences: Record<string, unknown>[];
    stderr: string;
}

async function verify(...argv: string[]): Promise<Verified> {
    const { exitCode, stdout, stderr } = await run('verify', ...argv);
    return { exitCode, stderr, differences: stdout === '' ? [] : JSON.parse(stdout) };
}

function pathOf({ prefix }: DayTable, day: string): string {
    return join(lake, prefix, `day=${day}`, 'part-00.parquet');
}

/** What stands in a derived object. */
interface Held {
    rows: Rows;
    madeOf: Record<string, unknown>;
    state: unknown;
    format: number;
}

/** Changes an object in place, as nobody but a fault would. */
async function change(table: DayTable, day: string, turn: (held: Held) => Partial<Held>): Promise<void> {
    const path = pathOf(table, day);
    const bytes = new Uint8Array(await readFile(path));
    const words = withWords(table);
    const packed = readState(bytes);
    const held: Held = {
        rows: await readRows(words, bytes),
        madeOf: JSON.parse(readMadeOfAtEnd(bytes, { sizeBytes: bytes.length }) ?? ''),
        state: packed && JSON.parse(inflateSync(packed).toString()),
        format: derivedTables.find((derived) => derived.table === table)?.format ?? 0,
    };
    const { rows, madeOf, state, format } = { ...held, ...turn(held) };
    const entries = { format, madeOf: JSON.stringify(madeOf), state: state === undefined ? undefined : deflateSync(JSON.stringify(state)) };
    await writeFile(path, writeRows(words, rows, entries));
}

/** The rows with another value in a column, of the rows that are meant. */
function turned(rows: Rows, column: string, turn: (value: unknown) => unknown, isMeant: (row: number) => boolean = () => true): Rows {
    const values = Array.from(rows[column] as ArrayLike<unknown>, (value, row) => (isMeant(row) ? turn(value) : value));
    return { ...rows, [column]: values } as Rows;
}

function picked(rows: Rows, places: readonly number[]): Rows {
    return Object.fromEntries(
        Object.entries(rows).map(([name, values]) => [name, places.map((place) => (values as ArrayLike<unknown>)[place])]),
    ) as Rows;
}

function placesIn(rows: Rows): number[] {
    return [...Array((rows.site as unknown[]).length).keys()];
}

/** Expects the faults to be found and named, and mended. */
async function expectMended(...named: Record<string, unknown>[]): Promise<void> {
    const found = await verify();
    expect(found.exitCode).toBe(1);
    for (const one of named) {
        expect(found.differences).toContainEqual(expect.objectContaining(one));
    }
    expect(await verify('--repair')).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('Will derive anew') });
}

const TABLES = [metricHours, episodes];

/** Expects a fault of both tables to be found, named and mended. */
async function expectBothMended(named: (table: DayTable) => Record<string, unknown>): Promise<void> {
    await expectMended(...TABLES.map((table) => ({ table: table.name, ...named(table) })));
}

async function changeBoth(day: string, turn: (held: Held) => Partial<Held>): Promise<void> {
    for (const table of TABLES) {
        await change(table, day, turn);
    }
}

test('a lake that nothing happened to is equal, and says what was compared', async () => {
    const { exitCode, differences, stderr } = await verify();
    expect({ exitCode, differences }).toEqual({ exitCode: 0, differences: [] });
    // At the end of each day the silences of both devices are open, and of the second one an alert; two alerts and two silences ended.
    expect(stderr).toContain('90 figures of 6 device metric hours on 3 days and 77 figures of 11 episodes on 3 days');
});

const later = (value: unknown): unknown => (typeof value === 'bigint' ? value + 1n : value);

test('each figure of metric_hours that is wrong is named by device, metric, hour and column, and all are mended', async () => {
    const nine = BigInt(Date.parse(`${FIRST}T09:00:00Z`));
    const figures = metricHours.columns.map(({ name }) => name).filter((name) => !metricHours.sortedBy.includes(name));
    await change(metricHours, FIRST, ({ rows }) => {
        const isMeant = (row: number): boolean => rows.hour_ms?.[row] === nine && rows.metric?.[row] === 'temperature';
        return { rows: figures.reduce((before, figure) => turned(before, figure, later, isMeant), rows) };
    });
    const place = {
        kind: 'device_metric_hour',
        table: 'metric_hours',
        day: FIRST,
        device: 'a',
        metric: 'temperature',
        hour_ms: String(nine),
    };
    await expectMended(...figures.map((figure) => ({ ...place, figure })));
    expect(figures).toHaveLength(15);
    expect(await verify()).toEqual({ exitCode: 0, differences: [], stderr: expect.stringContaining('all equal') });
});

test('a figure of metric_hours that is lost is named, and mended', async () => {
    await change(metricHours, FIRST, ({ rows }) => ({ rows: turned(rows, 'sum_sq', () => null) }));
    await expectMended({ device: 'a', metric: 'temperature', figure: 'sum_sq', in_lake: null });
});

test('each figure of episodes that is wrong is named by device, rule and column, and all are mended', async () => {
    const figures = episodes.columns.map(({ name }) => name).filter((name) => !episodes.sortedBy.includes(name));
    const wrong = (value: unknown): unknown => (typeof value === 'string' ? `${value}!` : later(value));
    await change(episodes, FIRST, ({ rows }) => ({
        rows: figures.reduce((before, figure) => turned(before, figure, wrong, (row) => rows.rule?.[row] === 'hot'), rows),
    }));
    await expectMended(...figures.map((figure) => ({ kind: 'episode', table: 'episodes', day: FIRST, device: 'a', rule: 'hot', figure })));
    expect(figures).toHaveLength(7);
    expect(await verify()).toEqual({ exitCode: 0, differences: [], stderr: expect.stringContaining('all equal') });
});

describe('a row of a derived table', () => {
    test('that is missing is named, and mended', async () => {
        await changeBoth(FIRST, ({ rows }) => ({ rows: picked(rows, placesIn(rows).slice(1)) }));
        await expectBothMended(() => ({ day: FIRST, device: 'a', in_lake: null }));
    });

    test('that is one too many is named, and mended', async () => {
        await changeBoth(FIRST, ({ rows }) => {
            const places = placesIn(rows);
            return {
                rows: turned(
                    picked(rows, [...places, places.length - 1]),
                    'device',
                    () => 'z',
                    (row) => row === places.length,
                ),
            };
        });
        await expectBothMended(() => ({ day: FIRST, device: 'z', recomputed: null }));
    });

    test('that stands there twice is named, and mended', async () => {
        await changeBoth(FIRST, ({ rows }) => ({ rows: picked(rows, [0, ...placesIn(rows)]) }));
        await expectBothMended(() => ({ day: FIRST, device: 'a', recomputed: null }));
    });

    test('that is out of order is named, and mended', async () => {
        await changeBoth(FIRST, ({ rows }) => ({ rows: picked(rows, placesIn(rows).reverse()) }));
        await expectBothMended(() => ({ kind: 'damaged', day: FIRST, figure: 'rows are not in the order of their keys' }));
    });
});

describe('the object of a day of a derived table', () => {
    const keyOf = (table: DayTable, day: string): string => `${table.prefix}day=${day}/part-00.parquet`;

    test('is named where it is missing, and mended', async () => {
        await Promise.all(TABLES.map((table) => rm(pathOf(table, FIRST))));
        await expectBothMended((table) => ({ kind: 'day', day: FIRST, figure: 'object', in_lake: null, recomputed: keyOf(table, FIRST) }));
    });

    test('is named where its bytes are rubbish, and mended', async () => {
        await Promise.all(TABLES.map((table) => writeFile(pathOf(table, SECOND), 'rubbish')));
        await expectBothMended((table) => ({ kind: 'damaged', day: SECOND, in_lake: keyOf(table, SECOND) }));
    });

    test('is named where it has rows of a day without readings, and mended', async () => {
        const day = '2026-01-07';
        for (const path of TABLES.map((table) => pathOf(table, day))) {
            await mkdir(dirname(path), { recursive: true });
            await copyFile(path.replace(day, FIRST), path);
        }
        const { differences } = await verify();
        for (const { name } of TABLES) {
            const figure = `etag of readings ${FIRST}T09`;
            expect(differences).toContainEqual(expect.objectContaining({ kind: 'made_of', table: name, day, figure, recomputed: null }));
        }
        await expectBothMended(() => ({ day, device: 'a', recomputed: null }));
        expect(await verify()).toEqual({ exitCode: 0, differences: [], stderr: expect.stringContaining('all equal') });
    });

    /** Changes the text of what the objects say that they were made of. */
    const sayOther = (turn: (text: string) => string): Promise<void> =>
        changeBoth(FIRST, ({ madeOf }) => ({ madeOf: JSON.parse(turn(JSON.stringify(madeOf))) }));

    test('is named where it was made of another object of readings, and mended', async () => {
        await sayOther((text) => text.replace(/"etag":"./, '"etag":"x'));
        await expectBothMended(() => ({ kind: 'made_of', day: FIRST, figure: `etag of readings ${FIRST}T09` }));
    });

    test('is named where it does not name an object of readings that is there, and mended', async () => {
        await changeBoth(FIRST, ({ madeOf }) => ({ madeOf: { ...madeOf, parts: (madeOf.parts as object[]).slice(1) } }));
        await expectBothMended(() => ({ kind: 'made_of', day: FIRST, figure: `etag of readings ${FIRST}T09`, in_lake: null }));
    });

    test('is named where it was made by another version of a profile, and mended', async () => {
        await sayOther((text) => text.replaceAll('"room":1', '"room":7'));
        await expectBothMended(() => ({ kind: 'made_of', day: FIRST, figure: 'version of profile room', in_lake: '7', recomputed: '1' }));
    });

    test('is named where it does not name the profile, and mended', async () => {
        await sayOther((text) => text.replaceAll('"room":1', ''));
        await expectBothMended(() => ({ kind: 'made_of', day: FIRST, figure: 'version of profile room', in_lake: null, recomputed: '1' }));
    });

    test('is named where it says nothing of what it was made of, and mended', async () => {
        await changeBoth(FIRST, () => ({ madeOf: {} }));
        await expectBothMended(() => ({ kind: 'made_of', day: FIRST, figure: 'what it was made of', in_lake: null }));
    });

    test('is named where it was made by older rules, and mended', async () => {
        await changeBoth(FIRST, ({ format }) => ({ format: format - 1 }));
        await expectBothMended(() => ({ kind: 'made_of', day: FIRST, figure: 'format' }));
    });

    test('is not judged where it was made by newer rules, and that is said', async () => {
        await changeBoth(FIRST, ({ format }) => ({ format: format + 1 }));
        expect(await verify()).toMatchObject({ exitCode: 3, differences: [], stderr: expect.stringContaining('newer version') });
    });
});

function hashOf(state: unknown): string {
    return createHash('sha256').update(JSON.stringify(state)).digest('hex');
}

describe('the chain of states', () => {
    interface State {
        devices: { device: string; lastMs: number; spans: Record<string, { worst: string }> }[];
    }
    const moved = (state: unknown): State => ({
        devices: (state as State).devices.map((device) => ({ ...device, lastMs: device.lastMs + (device.device === 'a' ? 1 : 0) })),
    });

    test('a state that is not what the readings come to is named by device and fact, and mended', async () => {
        await change(episodes, FIRST, ({ state, madeOf }) => ({
            state: moved(state),
            madeOf: { ...madeOf, closing: hashOf(moved(state)) },
        }));
        const { differences } = await verify();
        // The next day opened with the right one.
        expect(differences).toContainEqual(
            expect.objectContaining({ kind: 'made_of', day: SECOND, figure: `state that it opened with, of ${FIRST}` }),
        );
        await expectMended({ kind: 'state', table: 'episodes', day: FIRST, device: 'a', figure: 'state: lastMs' });
    });

    test('a state that is not the one that the object names is named, and mended', async () => {
        await change(episodes, THIRD, ({ state }) => ({ state: moved(state) }));
        await expectMended({ kind: 'state', table: 'episodes', day: THIRD, figure: 'hash of its state' });
    });

    test('a state that cannot be read is named, and mended', async () => {
        await change(episodes, THIRD, () => ({ state: { devices: 1 } }));
        await expectMended({ kind: 'state', table: 'episodes', day: THIRD, recomputed: 'a state' });
        await change(episodes, THIRD, () => ({ state: undefined }));
        await expectMended({ kind: 'state', table: 'episodes', day: THIRD, figure: 'it holds no state' });
    });

    test('a day that opened with another state than the one before it ended with is named, and mended', async () => {
        await change(episodes, SECOND, ({ madeOf }) => ({ madeOf: { ...madeOf, opening: 'x' } }));
        await expectMended({ kind: 'made_of', day: SECOND, figure: `state that it opened with, of ${FIRST}`, in_lake: 'x' });
    });

    test('days behind a wrong one are judged by what the readings come to, and some days alone by what stands before them', async () => {
        await change(episodes, FIRST, ({ state }) => ({ state: moved(state) }));
        const whole = await verify();
        expect(new Set(whole.differences.map(({ day }) => day))).toEqual(new Set([FIRST]));
        const alone = await verify('--from', SECOND, '--to', SECOND);
        expect(alone.exitCode).toBe(1);
        expect(alone.differences).toContainEqual(expect.objectContaining({ day: SECOND, device: 'a', rule: 'silent' }));
    });

    test('a day alone is not compared where what stands before it is no state', async () => {
        await change(episodes, FIRST, () => ({ state: { devices: 1 } }));
        const { exitCode, differences } = await verify('--from', SECOND, '--to', SECOND);
        expect({ exitCode, differences }).toEqual({ exitCode: 3, differences: [] });
    });

    test('some days alone are equal in a lake that nothing happened to', async () => {
        for (const day of [FIRST, SECOND, THIRD]) {
            expect(await verify('--from', day, '--to', day)).toMatchObject({ exitCode: 0, differences: [] });
        }
    });
});

test('derived tables are judged by the summaries where a raw file is gone', async () => {
    await rm(join(lake, 'raw', 'kind=telemetry', 'a.jsonl'));
    expect(await verify('--allow-pruned')).toMatchObject({ exitCode: 0, differences: [] });
    await change(metricHours, FIRST, ({ rows }) => ({ rows: turned(rows, 'sum', later) }));
    const { exitCode, differences } = await verify('--allow-pruned');
    expect(exitCode).toBe(1);
    expect(differences).toContainEqual(expect.objectContaining({ table: 'metric_hours', device: 'a', figure: 'sum' }));
});

test('a dry run says which days it would derive, and changes nothing', async () => {
    await rm(pathOf(metricHours, FIRST));
    const dry = await verify('--repair', '--dry-run');
    expect(dry.exitCode).toBe(1);
    expect(dry.stderr).toContain(`Would derive anew metric_hours ${FIRST}`);
    expect((await verify()).exitCode).toBe(1);
});

test('an hour of readings that is wrong leaves what is derived from the right ones named as stale, and is mended with it', async () => {
    const path = join(lake, 'readings', `day=${FIRST}`, '09.parquet');
    await writeFile(path, 'rubbish');
    await expectMended({ kind: 'made_of', table: 'metric_hours', day: FIRST, figure: `etag of readings ${FIRST}T09` });
});
