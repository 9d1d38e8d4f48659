/** `flowlake features --of metrics` in a directory: the rows of the view by day, and what a training job is told of them. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { splitDays } from '#lake/reports/feature-manifests';
import { makeFolder } from '#test/support/temporary';
import { fakeWorld, runLine } from './fake-surroundings.ts';

const DAY_S = 86_400;
const AT = 1_767_225_600;
const DAYS = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04'];

async function makeLake() {
    const folder = await makeFolder();
    const run = (...argv: string[]) => runLine(['--lake', join(folder, 'lake'), '--output', 'json', ...argv], { world: fakeWorld({}) });
    const profile = {
        name: 'room',
        device: { path: 'd' },
        time: { path: 't', unit: 's' },
        metrics: [{ name: 'v', path: 'v', unit: '1', digits: 3 }],
    };
    await writeFile(join(folder, 'room.json'), JSON.stringify(profile));
    await writeFile(
        join(folder, 'a.jsonl'),
        [0, 1, 1, 3].map((day, at) => `{"d":"a7","t":${AT + day * DAY_S + at * 60},"v":${at}.5}\n`).join(''),
    );
    await run('profile', 'add', join(folder, 'room.json'));
    await run('upload', '--kind', 'telemetry', '--profile', 'room', join(folder, 'a.jsonl'));
    return { folder, run };
}

const jsonOf = async (path: string) => JSON.parse(await readFile(path, 'utf8'));

test('each day’s object has the rows of the view, and the manifests name the days in three parts by time', async () => {
    const { folder, run } = await makeLake();
    const { exitCode, stdout, stderr } = await run('features', '--of', 'metrics', '--from', '2026-01-01', '--to', '2026-01-31');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const days = DAYS.filter((day) => day !== '2026-01-03');
    expect(JSON.parse(stdout)).toEqual(
        days.map((period) => ({ table: 'metric_features', period, what: 'written', sources: null, rows: 1 })),
    );
    const exported = join(folder, 'lake/exports/metric_features');
    const [row] = await parquetReadObjects({ file: await asyncBufferFromFile(join(exported, 'day=2026-01-02/part-00.parquet')) });
    expect(row).toMatchObject({ device: 'a7', metric: 'v', n: 2n, mean: 2, last_mean: 0.5, past_24h_mean: 0.5, running_hours: 2n });
    const folderOfRange = join(exported, '_manifests/2026-01-01_2026-01-31');
    const manifest = (day: string) => [{ prefix: 'exports/metric_features/' }, `day=${day}/part-00.parquet`];
    expect(await jsonOf(join(folderOfRange, 'train.manifest'))).toEqual(manifest('2026-01-01'));
    expect(await jsonOf(join(folderOfRange, 'validation.manifest'))).toEqual(manifest('2026-01-02'));
    expect(await jsonOf(join(folderOfRange, 'test.manifest'))).toEqual(manifest('2026-01-04'));
    const schema = await jsonOf(join(folderOfRange, 'schema.json'));
    expect(schema).toMatchObject({ table: 'metric_features', content_type: 'application/x-parquet', from: '2026-01-01', to: '2026-01-31' });
    expect(schema.split).toMatchObject({ by: 'time', train: { days: ['2026-01-01'], rows: 1 } });
    expect(schema.columns.slice(0, 3)).toEqual(['site', 'device', 'metric'].map((name) => ({ name, type: 'string' })));
    expect(schema.columns).toContainEqual({ name: 'min', type: 'double' });
    expect(schema.columns.some(({ name }: { name: string }) => name === 'day')).toBe(false);
});

test('a dry run says what would be done, of days with values', async () => {
    const { run } = await makeLake();
    const { stdout } = await run('features', '--of', 'metrics', '--from', '2026-01-02', '--to', '2026-01-03', '--dry-run');
    expect(JSON.parse(stdout)).toEqual([
        { table: 'metric_features', period: '2026-01-02', what: 'is to be written', sources: null, rows: 1 },
    ]);
});

test('no day is in two parts, none is left out, and later ones are never before earlier ones', () => {
    for (let count = 0; count < 120; count += 1) {
        const days = Array.from({ length: count }, (_, at) => String(at).padStart(3, '0'));
        const { train, validation, test: last } = splitDays(days);
        expect([...train, ...validation, ...last]).toEqual(days);
        expect([train, validation, last].map((part) => part.length > 0)).toEqual(
            count < 3 ? [count > 0, false, false] : [true, true, true],
        );
    }
    expect(Object.values(splitDays(Array.from({ length: 100 }, (_, at) => String(at + 100)))).map(({ length }) => length)).toEqual([
        70, 15, 15,
    ]);
});
