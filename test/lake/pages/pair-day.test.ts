/** The files that a pair's day comes from, and which devices have an address. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { registerDevice } from '#lake/devices';
import type { Lake } from '#lake/lake';
import { addressesPage } from '#lake/pages/addresses';
import { pairDayPage } from '#lake/pages/pair-day';
import { askPage, openDirectory } from '#test/support/ask-page';
import { makeFolder } from '#test/support/temporary';
import { uploadFlows } from '#test/support/uploaded-lake';

interface Answer {
    state: string;
    files: Record<string, unknown>[];
    total: Record<string, string>;
    inLake: Record<string, string>;
    mismatches: string[];
}

const PAIR = { src: '192.0.2.1', dst: '198.51.100.1', site: 'main', day: '2026-03-31' };
const ask = (lake: Lake, more: Partial<typeof PAIR> = {}) => askPage<Answer>(pairDayPage, lake, { ...PAIR, ...more });

const FILES = [
    { name: 'a.csv', rows: [{ packets: '9007199254740993' }, { src: '10.0.0.9' }, { duration: 'x' }] },
    { name: 'b.csv', rows: [{ packets: 5 }] },
    { name: 'c.csv', rows: [{ src: '10.0.0.9', timestamp: '01/04/2026' }] },
];

test('names each file with what it adds, and the total is what the lake says', async () => {
    const found = await ask(await openDirectory(await uploadFlows(FILES)));
    expect(found).toMatchObject({
        state: 'found',
        files: [
            { source: 'raw/a.csv', flows: '1', fwd_pkts_sum: '9007199254740993', rowsKept: '2', rowsRejected: '1', share: 0.5 },
            { source: 'raw/b.csv', flows: '1', fwd_pkts_sum: '5', rowsKept: '1', rowsRejected: '0', share: 0.5 },
        ],
        total: { flows: '2', fwd_pkts_sum: '9007199254740998' },
        mismatches: [],
    });
    expect(found.inLake).toEqual(found.total);
});

test('a day without the pair, and a day without any file, are two answers', async () => {
    const lake = await openDirectory(await uploadFlows(FILES));
    expect(await ask(lake, { day: '2026-04-01' })).toEqual({ state: 'none', day: '2026-04-01' });
    expect(await ask(lake, { day: '2026-04-02' })).toEqual({ state: 'no_flows', day: '2026-04-02' });
});

test('says where the files do not come to what the lake says', async () => {
    const directory = await uploadFlows(FILES.slice(0, 1));
    await rm(join(directory, 'summaries'), { recursive: true });
    const { mismatches, files } = await ask(await openDirectory(directory));
    expect(files).toEqual([]);
    expect(mismatches.join('\n')).toContain('is gone: what it contributed cannot be told apart');
});

test('tells the registered devices of addresses, with the days of each', async () => {
    const lake = await openDirectory(await makeFolder());
    const store = await lake.store();
    const change = { device: 'boiler-1', profile: 'plain-json', site: 'berlin', ip: '10.0.0.7', place: 'cellar' };
    await registerDevice(store, change, { today: '2026-01-01' });
    await registerDevice(store, { device: 'boiler-1', ip: '10.0.0.8', from: '2026-02-01' }, { today: '2026-02-01' });
    await registerDevice(store, { device: 'boiler-2', profile: 'plain-json', site: 'osaka', ip: '2001:db8::7' }, { today: '2026-01-01' });
    const devices = async (of: string) => (await askPage<{ devices: unknown[] }>(addressesPage, lake, { of })).devices;
    expect(await devices('2001:0db8::7,10.0.0.7,10.0.0.99')).toEqual([
        { ip: '10.0.0.7', site: 'berlin', device: 'boiler-1', profile: 'plain-json', place: 'cellar', from: null, to: '2026-02-01' },
        { ip: '2001:db8::7', site: 'osaka', device: 'boiler-2', profile: 'plain-json', place: null, from: null, to: null },
    ]);
    expect(await devices('10.0.0.99')).toEqual([]);
    expect(await devices('')).toEqual([]);
});
