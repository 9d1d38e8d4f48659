/** One pair: its days there and back, what was usual, and the days without a file. The figures are those of `query`, with all digits. */
import type { Lake } from '#lake/lake';
import { nearestPairsPage } from '#lake/pages/nearest-pairs';
import { pairPage } from '#lake/pages/pair';
import { askPage, openDirectory } from '#test/support/ask-page';
import { dayAfter, type FixtureLake, type Flow, openFixture, type Row } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';
import { uploadFlows } from '#test/support/uploaded-lake';

interface PairDay extends Record<string, unknown> {
    day: string;
    usual: Record<string, { usual: string; low: string; high: string; score: number }>;
}

interface Answer {
    state: string;
    site: string;
    first: string;
    last: string;
    days: number;
    range: { from: string; to: string };
    missing: string[];
    there: PairDay[];
    back: PairDay[];
    problem: string | null;
    commands: { there: string; back: string; register: string[] };
    sites: { site: string; days: number; first: string; last: string }[];
}

const ask = (lake: Lake, parameters: Record<string, string>) => askPage<Answer>(pairPage, lake, parameters);

/** 2^53 + 1, which no double is. */
const LARGE = 9_007_199_254_740_993n;
const ENDS = { src: '10.0.0.7', dst: '10.0.0.1' };

/** Four weeks from a Monday on. The Tuesday of the fourth is ten times the usual there; nothing is heard of berlin on the Wednesday of the third. */
const ODD = 22;
const SILENT = 16;
const flows: Flow[] = Array.from({ length: 28 }, (_, at) => at).flatMap((at): Flow[] =>
    at === SILENT
        ? [{ day: dayAfter(at), site: 'osaka', src: '10.9.0.1', dst: '10.9.0.2' }]
        : [
              { day: dayAfter(at), site: 'berlin', ...ENDS, packets: at === ODD ? 10n * LARGE : LARGE + BigInt(at), duration: LARGE },
              { day: dayAfter(at), site: 'berlin', src: ENDS.dst, dst: ENDS.src, packets: 5n, duration: null },
              { day: dayAfter(at), site: 'berlin', src: '10.0.0.8', dst: ENDS.dst },
          ],
);

let fixture: FixtureLake;
let lake: Lake;
beforeAll(async () => {
    fixture = await openFixture(flows);
    lake = await openDirectory(fixture.directory);
});

/** The row as the page has it: whole numbers are texts. */
function asTexts(row: Row): Record<string, unknown> {
    const { site: _, src_ip: __, dst_ip: ___, ...rest } = row;
    return Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value]));
}

test('the days are those of pair_running, there and back, digit by digit', async () => {
    const { there, back, state } = await ask(lake, ENDS);
    expect(state).toBe('found');
    const rows = async (src: string) => (await fixture.ask(`select * from pair_running where src_ip = '${src}' order by day`)).map(asTexts);
    expect(there.map(({ usual: _, ...day }) => day)).toEqual(await rows(ENDS.src));
    expect(back.map(({ usual: _, ...day }) => day)).toEqual(await rows(ENDS.dst));
    expect(there).toHaveLength(27);
    expect(there[1]?.fwd_pkts_sum).toBe(String(LARGE + 1n));
});

test('what was usual is what pair_usual says; a day without enough past has nothing', async () => {
    const { there, back } = await ask(lake, ENDS);
    const judged = await fixture.ask(`select * from pair_usual where src_ip in ('${ENDS.src}', '${ENDS.dst}')`);
    const found = [there, back].flatMap((days) => days.flatMap(({ usual }) => Object.values(usual)));
    expect(found).toHaveLength(judged.length);
    for (const { src_ip, day, measure, usual, usual_low, usual_high, score } of judged) {
        const days = src_ip === ENDS.src ? there : back;
        expect(days.find((one) => one.day === day)?.usual[String(measure)]).toEqual({
            usual: String(usual),
            low: String(usual_low),
            high: String(usual_high),
            score,
        });
    }
    expect(there[0]?.usual).toEqual({});
});

test('the odd Tuesday has a score beyond 3.5, and no other day has', async () => {
    const { there } = await ask(lake, ENDS);
    const unusual = there.filter(({ usual }) => Object.values(usual).some(({ score }) => score >= 3.5));
    expect(unusual.map(({ day }) => day)).toEqual([dayAfter(ODD)]);
});

test('a day without a file of the site is missing, a day on which others were heard is not', async () => {
    const { missing, there } = await ask(lake, ENDS);
    expect(missing).toEqual([dayAfter(SILENT)]);
    expect(there.some(({ day }) => day === dayAfter(SILENT))).toBe(false);
    // Osaka was heard on one day only: what was before nobody knows, and behind it the others went on.
    const quiet = await ask(lake, { src: '10.9.0.1', dst: '10.9.0.2', from: dayAfter(0), to: dayAfter(20) });
    expect(quiet.missing).toEqual([17, 18, 19, 20].map((at) => dayAfter(at)));
    const gone = await openFixture([
        { day: dayAfter(0), site: 'a' },
        { day: dayAfter(2), site: 'a', src: 'x' },
        { day: dayAfter(3), site: 'b' },
    ]);
    expect(await ask(await openDirectory(gone.directory), { src: '10.0.0.1', dst: '10.0.0.2', site: 'a' })).toMatchObject({
        range: { from: dayAfter(0), to: dayAfter(3) },
        missing: [dayAfter(1), dayAfter(3)],
    });
});

test('the running figures count from the first day, whatever days are shown', async () => {
    const { there, range } = await ask(lake, { ...ENDS, from: dayAfter(7), to: dayAfter(9) });
    expect(there.map(({ day, running_days }) => [day, running_days])).toEqual([7, 8, 9].map((at) => [dayAfter(at), String(at + 1)]));
    expect(range).toEqual({ from: dayAfter(7), to: dayAfter(9) });
});

test('a pair that several sites tell of is asked for by site', async () => {
    const { directory } = await openFixture([
        { day: dayAfter(0), site: 'berlin' },
        { day: dayAfter(1), site: 'berlin' },
        { day: dayAfter(2), site: 'osaka' },
    ]);
    const two = await openDirectory(directory);
    const pair = { src: '10.0.0.1', dst: '10.0.0.2' };
    expect(await ask(two, pair)).toMatchObject({
        state: 'sites',
        sites: [
            { site: 'berlin', days: 2, first: dayAfter(0), last: dayAfter(1) },
            { site: 'osaka', days: 1, first: dayAfter(2), last: dayAfter(2) },
        ],
    });
    expect(await ask(two, { ...pair, site: 'osaka' })).toMatchObject({ state: 'found', site: 'osaka' });
});

test('addresses are found however they are written', async () => {
    const { directory } = await openFixture([{ day: dayAfter(0), src: '2001:db8::1', dst: '2001:db8::2' }]);
    const found = await ask(await openDirectory(directory), { src: '2001:0DB8:0::1', dst: ' 2001:db8::2 ' });
    expect(found.state).toBe('found');
});

test('an unknown pair, one without data on the days, and a lake without flows are three answers', async () => {
    const uploaded = await openDirectory(await uploadFlows([{ name: 'a.csv', rows: [{}, { timestamp: '02/04/2026 10:00' }] }]));
    const pair = { src: '192.0.2.1', dst: '198.51.100.1' };
    expect(await ask(await openDirectory(await makeFolder()), pair)).toEqual({ state: 'no_flows' });
    expect(await ask(uploaded, { ...pair, dst: '198.51.100.2' })).toEqual({
        state: 'unknown',
        src: pair.src,
        dst: '198.51.100.2',
        site: null,
    });
    expect(await ask(uploaded, { ...pair, site: 'mars' })).toMatchObject({ state: 'unknown', site: 'mars' });
    expect(await ask(uploaded, { ...pair, from: '2027-01-01' })).toEqual({
        state: 'no_days',
        ...pair,
        site: 'main',
        days: 2,
        first: '2026-03-31',
        last: '2026-04-02',
    });
    expect(await ask(uploaded, pair)).toMatchObject({ state: 'found', missing: ['2026-04-01'] });
});

test('commands to be typed quote what a shell would take for something else', async () => {
    const { directory } = await openFixture([{ day: dayAfter(0), site: '$(touch x); y', dst: 'fe80::1%`z`' }]);
    const { commands } = await ask(await openDirectory(directory), { src: '10.0.0.1', dst: 'fe80::1%`z`' });
    expect(commands.there).toBe(`flowlake --lake ${directory} export 10.0.0.1 'fe80::1%\`z\`' --site '$(touch x); y' -o report.html`);
    expect(commands.register[1]).toContain("--ip 'fe80::1%`z`'");
});

test('a pair that is not there has nearest ones', async () => {
    const { pairs } = await askPage<{ pairs: Record<string, string>[] }>(nearestPairsPage, lake, { src: ENDS.src, dst: '10.0.0.11' });
    expect(pairs[0]).toEqual({ site: 'berlin', ...ENDS, likeness: 'one address', days: '27', flows: '27' });
});

test('totals that are too large for exact statistics are shown all the same, and it is said why the others are not', async () => {
    const huge = 9_000_000_000_000_000_000n;
    const { directory } = await openFixture(Array.from({ length: 3 }, (_, at) => ({ day: dayAfter(at), packets: huge })));
    const { there, problem } = await ask(await openDirectory(directory), { src: '10.0.0.1', dst: '10.0.0.2' });
    expect(problem).toContain('too large for exact statistics');
    expect(there.map(({ fwd_pkts_sum }) => fwd_pkts_sum)).toEqual([huge, huge, huge].map(String));
    expect(there[0]).not.toHaveProperty('fwd_pkts_running_mean');
});
