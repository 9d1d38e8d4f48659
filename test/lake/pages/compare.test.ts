/** Two periods compared: what is new, gone, grown and shrunk, and what goes from site to site. */
import fc from 'fast-check';
import { registerDevice } from '#lake/devices';
import type { Lake } from '#lake/lake';
import { comparePage, compareTotalsPage } from '#lake/pages/compare';
import { siteMatrixPage } from '#lake/pages/site-matrix';
import { askPage, openDirectory } from '#test/support/ask-page';
import { dayAfter, type Flow, openFixture, putFlows } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';

type Row = Record<string, string>;

interface Rows {
    rows: Row[];
    next: string | null;
    previous: string | null;
}

interface Totals {
    state: string;
    before: { there: number };
    after: { there: number };
    changes: Row[];
}

/** 2^53 + 1, which no double is. */
const LARGE = 9_007_199_254_740_993n;

/** The first three days against the three behind them. */
const PERIODS = { before_from: dayAfter(0), before_to: dayAfter(2), from: dayAfter(3), to: dayAfter(5) };

const flows: Flow[] = [
    { day: dayAfter(0), site: 'berlin', src: 'a', dst: 'b', packets: LARGE },
    { day: dayAfter(3), site: 'berlin', src: 'a', dst: 'b', packets: LARGE + 1n },
    { day: dayAfter(1), site: 'berlin', src: 'b', dst: 'a', packets: 9n },
    { day: dayAfter(4), site: 'osaka', src: 'a', dst: 'c', packets: 7n },
    { day: dayAfter(2), site: 'osaka', src: 'c', dst: 'c', packets: 5n },
    { day: dayAfter(5), site: 'osaka', src: 'c', dst: 'c', packets: 2n },
    { day: dayAfter(2), site: 'osaka', src: 'd', dst: 'e', packets: 4n },
    { day: dayAfter(5), site: 'osaka', src: 'd', dst: 'e', packets: 4n },
    // In none of the periods.
    { day: dayAfter(9), site: 'osaka', src: 'd', dst: 'e', packets: 400n },
];

let lake: Lake;
beforeAll(async () => {
    lake = await openDirectory((await openFixture(flows)).directory);
});

const compare = (parameters: Row, of = lake) => askPage<Rows>(comparePage, of, { ...PERIODS, ...parameters });
const total = (parameters: Row, of = lake) => askPage<Totals>(compareTotalsPage, of, { ...PERIODS, ...parameters });

test('tells of each pair what became of it, the largest change first, with all digits', async () => {
    const { rows } = await compare({});
    expect(rows).toEqual([
        pair(['berlin', 'b', 'a'], 'gone', 9n, 0n),
        pair(['osaka', 'a', 'c'], 'new', 0n, 7n),
        pair(['osaka', 'c', 'c'], 'shrunk', 5n, 2n),
        pair(['berlin', 'a', 'b'], 'grown', LARGE, LARGE + 1n),
        pair(['osaka', 'd', 'e'], 'same', 4n, 4n),
    ]);
});

function pair([site, src, dst]: [string, string, string], change: string, before: bigint, after: bigint): Row {
    return { site, src_ip: src, dst_ip: dst, change, ...figures(before, after) };
}

function figures(before: bigint, after: bigint): Row {
    const difference = after - before;
    return {
        before_sum: String(before),
        after_sum: String(after),
        difference: String(difference),
        distance: String(difference < 0n ? -difference : difference),
    };
}

test('of devices both ends count, one that sends to itself once', async () => {
    expect((await compare({ by: 'device', site: 'osaka' })).rows).toEqual([
        { site: 'osaka', address: 'a', change: 'new', ...figures(0n, 7n) },
        { site: 'osaka', address: 'c', change: 'grown', ...figures(5n, 9n) },
        { site: 'osaka', address: 'd', change: 'same', ...figures(4n, 4n) },
        { site: 'osaka', address: 'e', change: 'same', ...figures(4n, 4n) },
    ]);
});

test('sites, other measures and other orders', async () => {
    expect((await compare({ by: 'site' })).rows).toEqual([
        { site: 'berlin', change: 'shrunk', ...figures(LARGE + 9n, LARGE + 1n) },
        { site: 'osaka', change: 'grown', ...figures(9n, 13n) },
    ]);
    expect((await compare({ by: 'site', measure: 'flows', sort: 'after', order: 'asc' })).rows).toEqual([
        { site: 'berlin', change: 'shrunk', ...figures(2n, 1n) },
        { site: 'osaka', change: 'grown', ...figures(2n, 3n) },
    ]);
    expect((await compare({ change: 'new' })).rows.map(({ src_ip, dst_ip }) => `${src_ip} ${dst_ip}`)).toEqual(['a c']);
});

test('a pair whose flows have no duration is there all the same', async () => {
    const { directory } = await openFixture([
        { day: dayAfter(0), duration: null },
        { day: dayAfter(3), duration: null },
    ]);
    expect((await compare({ measure: 'duration' }, await openDirectory(directory))).rows[0]?.change).toBe('same');
});

test('totals balance: each change with its number and sums, and the days that the lake has of each period', async () => {
    expect(await total({})).toEqual({
        state: 'found',
        by: 'pair',
        measure: 'packets',
        before: { from: dayAfter(0), to: dayAfter(2), asked: 3, there: 3 },
        after: { from: dayAfter(3), to: dayAfter(5), asked: 3, there: 3 },
        changes: [
            { change: 'new', number: '1', before_sum: '0', after_sum: '7' },
            { change: 'gone', number: '1', before_sum: '9', after_sum: '0' },
            { change: 'grown', number: '1', before_sum: String(LARGE), after_sum: String(LARGE + 1n) },
            { change: 'shrunk', number: '1', before_sum: '5', after_sum: '2' },
            { change: 'same', number: '1', before_sum: '4', after_sum: '4' },
        ],
    });
    expect((await total({ to: dayAfter(8) })).after.there).toBe(3);
});

test('a lake without flows, and periods without any, are two answers', async () => {
    expect(await total({}, await openDirectory(await makeFolder()))).toEqual({ state: 'no_flows' });
    const far = { from: '2030-01-08', to: '2030-01-14', before_from: '2030-01-01', before_to: '2030-01-07' };
    expect(await total(far)).toMatchObject({ state: 'no_days', first: dayAfter(0), last: dayAfter(9) });
});

test('a period that ends before it begins is refused', async () => {
    await expect(compare({ from: dayAfter(5), to: dayAfter(3) })).rejects.toThrow('ends before it begins');
    await expect(total({ before_from: dayAfter(2), before_to: dayAfter(0) })).rejects.toThrow('ends before it begins');
});

test('pages forward and back show each row once', async () => {
    const many = fc.array(
        fc.record({
            day: fc.nat({ max: 5 }).map((at) => dayAfter(at)),
            site: fc.constantFrom('berlin', "o'hare"),
            src: fc.constantFrom('a', 'b', 'c', 'd'),
            dst: fc.constantFrom('a', 'b', 'c', 'd'),
            packets: fc.constantFrom(0n, 1n, 2n, LARGE),
        }),
        { minLength: 20, maxLength: 50 },
    );
    await fc.assert(
        fc.asyncProperty(
            many,
            fc.constantFrom('pair', 'device', 'site'),
            fc.constantFrom('change', 'before', 'after'),
            fc.constantFrom('asc', 'desc'),
            fc.integer({ min: 1, max: 5 }),
            async (made, by, sort, order, limit) => {
                const directory = await makeFolder();
                await putFlows(directory, made);
                const one = await openDirectory(directory);
                const whole = await compare({ by, sort, order }, one);
                const { changes } = await total({ by }, one);
                expect(changes.reduce((sum, { number }) => sum + Number(number), 0)).toBe(whole.rows.length);
                const pages: Rows[] = [];
                for (let after: string | null = ''; after !== null; after = pages.at(-1)!.next) {
                    pages.push(await compare({ by, sort, order, limit: String(limit), ...(after !== '' && { after }) }, one));
                }
                expect(pages.flatMap(({ rows }) => rows)).toEqual(whole.rows);
                for (let at = pages.length - 1; at > 0; at -= 1) {
                    const back = await compare({ by, sort, order, limit: String(limit), before: pages[at]!.previous! }, one);
                    expect(back.rows).toEqual(pages[at - 1]?.rows);
                }
            },
        ),
        { numRuns: 6 },
    );
});

interface Cell {
    from: string | null;
    to: string | null;
    before_sum: string;
    after_sum: string;
}

test('the matrix has the sites that the registry knows on the day, and says what it does not know', async () => {
    const directory = await makeFolder();
    await putFlows(directory, [
        { day: dayAfter(0), site: 'berlin', src: '10.1.0.1', dst: '10.2.0.1', packets: LARGE },
        { day: dayAfter(3), site: 'berlin', src: '10.1.0.1', dst: '10.2.0.1', packets: 3n },
        // Of two sites: at its own the probe knows it, from a third one nobody does.
        { day: dayAfter(3), site: 'osaka', src: '192.168.0.1', dst: '10.1.0.1', packets: 5n },
        { day: dayAfter(3), site: 'lisbon', src: '192.168.0.1', dst: '10.1.0.1', packets: 11n },
        { day: dayAfter(4), site: 'lisbon', src: '8.8.8.8', dst: '8.8.4.4', packets: 13n },
    ]);
    const one = await openDirectory(directory);
    const store = await one.store();
    const register = (device: string, site: string, ip: string, from?: string) =>
        registerDevice(store, { device, site, ip, profile: 'plain-json', from }, { today: dayAfter(0) });
    await register('a', 'berlin', '10.1.0.1');
    await register('b', 'osaka', '10.2.0.1');
    await register('c', 'berlin', '192.168.0.1');
    await register('d', 'osaka', '192.168.0.1');
    const matrix = async () => (await askPage<{ cells: Cell[] }>(siteMatrixPage, one, PERIODS)).cells.sort(byNames);
    expect(await matrix()).toEqual(
        [
            { from: 'berlin', to: 'osaka', before_sum: String(LARGE), after_sum: '3' },
            { from: null, to: 'berlin', before_sum: '0', after_sum: '11' },
            { from: null, to: null, before_sum: '0', after_sum: '13' },
            { from: 'osaka', to: 'berlin', before_sum: '0', after_sum: '5' },
        ].sort(byNames),
    );
    // The device moves on the third day.
    await register('b', 'lisbon', '10.2.0.1', dayAfter(3));
    expect(await matrix()).toContainEqual({ from: 'berlin', to: 'lisbon', before_sum: '0', after_sum: '3' });
});

function byNames(a: Cell, b: Cell): number {
    return `${a.from} ${a.to}` < `${b.from} ${b.to}` ? -1 : 1;
}

test('a lake without registered addresses knows no site of any', async () => {
    const { cells } = await askPage<{ cells: Cell[] }>(siteMatrixPage, lake, PERIODS);
    expect(cells.map(({ from, to }) => [from, to])).toEqual([[null, null]]);
});
