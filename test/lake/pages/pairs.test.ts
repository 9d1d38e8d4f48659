/** Pairs: searched, sorted, a page at a time, and the figures those of `query`. */
import fc from 'fast-check';
import type { Lake } from '#lake/lake';
import { pairsPage } from '#lake/pages/pairs';
import { askPage, openDirectory } from '#test/support/ask-page';
import { dayAfter, type FixtureLake, type Flow, openFixture, putFlows } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';
import { uploadFlows } from '#test/support/uploaded-lake';

interface Answer {
    state: string;
    rows: Record<string, string>[];
    totals: Record<string, string> | null;
    next: string | null;
    previous: string | null;
    searched: Record<string, string | null>;
    first: string;
    last: string;
}

const ask = (lake: Lake, parameters: Record<string, string> = {}) => askPage<Answer>(pairsPage, lake, parameters);

/** 2^53 + 1, which no double is. */
const LARGE = 9_007_199_254_740_993n;

const flows: Flow[] = [
    { day: dayAfter(0), site: 'berlin', src: '10.1.0.7', dst: '10.2.0.1', packets: LARGE, duration: LARGE },
    { day: dayAfter(1), site: 'berlin', src: '10.1.0.7', dst: '10.2.0.1', packets: LARGE, duration: 5n },
    { day: dayAfter(1), site: 'osaka', src: '10.1.0.70', dst: '10.1.0.7', packets: 3n, duration: null },
    { day: dayAfter(2), site: 'osaka', src: '2001:db8::1', dst: '2001:db8:1::1', packets: 5n },
    { day: dayAfter(2), site: 'osaka', src: '2001:db8::1', dst: '2001:db8:1::2', packets: 5n },
];

let fixture: FixtureLake;
let lake: Lake;
beforeAll(async () => {
    fixture = await openFixture(flows);
    lake = await openDirectory(fixture.directory);
});

const names = ({ rows = [] }: Partial<Answer>) => rows.map(({ src_ip, dst_ip }) => `${src_ip} ${dst_ip}`);

test('the figures are those of query, with all their digits', async () => {
    const { rows, totals } = await ask(lake);
    expect(rows[0]).toEqual({
        site: 'berlin',
        src_ip: '10.1.0.7',
        dst_ip: '10.2.0.1',
        days: '2',
        first_day: dayAfter(0),
        last_day: dayAfter(1),
        flows: '2',
        flow_duration_us_sum: String(LARGE + 5n),
        fwd_pkts_sum: String(2n * LARGE),
    });
    const asked = await fixture.askQuery('top_pairs', [null, null, null, 'packets', 99n]);
    expect(rows).toEqual(asked.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value)]))));
    expect(totals).toEqual({
        pairs: '4',
        flows: '5',
        flow_duration_us_sum: String(LARGE + 5n + 2000n),
        fwd_pkts_sum: String(2n * LARGE + 13n),
    });
});

test.each<[Record<string, string>, string[]]>([
    [{ address: '10.1.0.7' }, ['10.1.0.7 10.2.0.1', '10.1.0.70 10.1.0.7']],
    [{ src: '10.1.0.7' }, ['10.1.0.7 10.2.0.1']],
    [{ dst: '10.1.0.7*' }, ['10.1.0.70 10.1.0.7']],
    [{ address: '10.2.0.0/16' }, ['10.1.0.7 10.2.0.1']],
    [{ src: '10.1.0.64/26', site: 'osaka' }, ['10.1.0.70 10.1.0.7']],
    [{ src: '10.1.0.64/26', site: 'berlin' }, []],
    [{ address: '2001:DB8:1::/48' }, ['2001:db8::1 2001:db8:1::1', '2001:db8::1 2001:db8:1::2']],
    [{ from: dayAfter(1), to: dayAfter(1) }, ['10.1.0.7 10.2.0.1', '10.1.0.70 10.1.0.7']],
    [{ by: 'packets', order: 'asc', site: 'osaka' }, ['10.1.0.70 10.1.0.7', '2001:db8::1 2001:db8:1::1', '2001:db8::1 2001:db8:1::2']],
    [{ by: 'name', order: 'desc', site: 'osaka' }, ['2001:db8::1 2001:db8:1::2', '2001:db8::1 2001:db8:1::1', '10.1.0.70 10.1.0.7']],
])('%o finds %o', async (parameters, found) => {
    expect(names(await ask(lake, parameters))).toEqual(found);
});

test('says how a search was understood', async () => {
    expect((await ask(lake, { address: '10.1.0.9/16' })).searched).toEqual({ address: 'in 10.1.0.0/16', src: null, dst: null });
});

test.each([
    [{ address: '10.1.0.0/40' }, 'no length of a network'],
    [{ address: "'; drop table pair_days" }, 'no address'],
    [{ by: 'bytes' }, ''],
    [{ colour: 'red' }, ''],
    [{ from: '2026-02-30' }, ''],
    [{ limit: '0' }, ''],
    [{ after: '{}' }, 'no place between two pages'],
])('%o is refused', (parameters, why) => {
    const { success, error } = pairsPage.parameters.safeParse(parameters);
    expect(success).toBe(false);
    expect(String(error)).toContain(why);
});

test('a cursor of rows that are sorted otherwise is refused', async () => {
    const { next } = await ask(lake, { limit: '1', by: 'packets' });
    await expect(ask(lake, { after: next!, by: 'name' })).rejects.toThrow('is no place in rows that are sorted by site, src_ip, dst_ip');
    await expect(ask(lake, { after: '["x","a","b","c"]' })).rejects.toThrow('is no place');
});

test('no flows, none on these days, and none that were searched for are three answers', async () => {
    const uploaded = await openDirectory(await uploadFlows([{ name: 'a.csv', rows: [{}, { timestamp: '02/04/2026 10:00' }] }]));
    const span = { first: '2026-03-31', last: '2026-04-02' };
    expect(await ask(await openDirectory(await makeFolder()))).toEqual({ state: 'no_flows' });
    expect(await ask(uploaded, { from: '2027-01-01' })).toEqual({ state: 'no_days', ...span });
    expect(await ask(uploaded, { address: '192.0.2.1', from: '2026-04-01', to: '2026-04-01' })).toEqual({ state: 'no_days', ...span });
    expect(await ask(uploaded, { address: '10.9.9.9' })).toEqual({ state: 'none', ...span });
    expect((await ask(uploaded, { address: '192.0.2.1' })).state).toBe('found');
});

test('going through the pages forward and back shows every pair once, in the order of a single page', async () => {
    const many = fc.array(
        fc.record({
            day: fc.nat({ max: 3 }).map((at) => dayAfter(at)),
            site: fc.constantFrom('berlin', 'osaka', "o'hare"),
            src: fc.nat({ max: 5 }).map((at) => `10.0.0.${at}`),
            dst: fc.nat({ max: 5 }).map((at) => `10.0.1.${at}`),
            // Ties on purpose.
            packets: fc.constantFrom(0n, 1n, 2n, LARGE, LARGE + 1n),
        }),
        { minLength: 20, maxLength: 60 },
    );
    await fc.assert(
        fc.asyncProperty(
            many,
            fc.constantFrom('packets', 'flows', 'days', 'first', 'last', 'name', 'duration'),
            fc.constantFrom('asc', 'desc'),
            fc.integer({ min: 1, max: 9 }),
            async (made, by, order, limit) => {
                const directory = await makeFolder();
                await putFlows(directory, made);
                const one = await openDirectory(directory);
                const whole = await ask(one, { by, order, limit: '1000' });
                expect(whole.totals?.pairs).toBe(String(whole.rows.length));
                const pages: Answer[] = [];
                for (let after: string | null = ''; after !== null; after = pages.at(-1)!.next) {
                    pages.push(await ask(one, { by, order, limit: String(limit), ...(after !== '' && { after }) }));
                }
                expect(pages.flatMap(({ rows }) => rows)).toEqual(whole.rows);
                expect(pages[0]?.previous).toBeNull();
                for (let at = pages.length - 1; at > 0; at -= 1) {
                    const back = await ask(one, { by, order, limit: String(limit), before: pages[at]!.previous! });
                    expect(back.rows).toEqual(pages[at - 1]?.rows);
                    expect(back.previous === null).toBe(at === 1);
                    expect(back.next).toBe(pages[at - 1]?.next);
                }
            },
        ),
        { numRuns: 8 },
    );
});
