/** The calendar: days with their amounts, days that are missed, days that cannot be read. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Lake } from '#lake/lake';
import { openLake } from '#lake/open-lake';
import { calendarPage } from '#lake/pages/calendar';
import { daysPage } from '#lake/pages/days';
import { emptiedDayOfBefore } from '#test/support/emptied-day';
import { openFleet } from '#test/support/fleet-fixture';
import { pairDaysKey } from '#test/support/flow-tables';
import { dayAfter, openFixture } from '#test/support/lake-fixture';
import { pageContext } from '#test/support/page-context';
import { makeFolder } from '#test/support/temporary';

const lakes: Lake[] = [];
afterAll(() => Promise.all(lakes.map((lake) => lake.close())));

async function open(directory: string): Promise<Lake> {
    const lake = await openLake(
        { kind: 'directory', name: directory, directory },
        { environment: {}, signal: new AbortController().signal },
    );
    lakes.push(lake);
    return lake;
}

interface Calendar {
    from: string;
    to: string;
    first: string | null;
    last: string | null;
    days: { day: string; is: string; amount?: string; sites?: number; why?: string }[];
}

async function calendar(directory: string, parameters: Record<string, string> = {}): Promise<Calendar> {
    return (await calendarPage.answer(
        calendarPage.parameters.parse(parameters),
        pageContext(await open(directory)),
    )) as unknown as Calendar;
}

const dayOf = ({ days }: Calendar, day: string) => days.find((one) => one.day === day);
const daysThat = ({ days }: Calendar, is: string) => days.filter((one) => one.is === is).map(({ day }) => day);

/** 2026-01-05 is a Monday. */
const flows = [
    { day: dayAfter(0), site: 'berlin' },
    { day: dayAfter(0), site: 'osaka' },
    { day: dayAfter(0), site: 'osaka', src: '10.0.0.9' },
    { day: dayAfter(3), site: 'berlin' },
];

test('a day without figures between others is missing, one beyond them is outside, and neither is 0', async () => {
    const { directory, ask } = await openFixture(flows);
    const found = await calendar(directory);
    expect(found).toMatchObject({ from: '2025-01-06', to: '2026-01-11', first: dayAfter(0), last: dayAfter(3) });
    expect(found.days).toHaveLength(53 * 7);
    expect(dayOf(found, dayAfter(0))).toEqual({ day: dayAfter(0), is: 'there', amount: '3', sites: 2 });
    expect(daysThat(found, 'missing')).toEqual([dayAfter(1), dayAfter(2)]);
    expect(dayOf(found, dayAfter(4))).toEqual({ day: dayAfter(4), is: 'outside' });
    expect(dayOf(found, '2026-01-04')).toEqual({ day: '2026-01-04', is: 'outside' });
    const asked = await ask('select day, cast(sum(flows) as bigint) as flows from day_totals group by day order by day');
    expect(asked.map(({ day, flows: amount }) => [day, String(amount)])).toEqual(
        found.days.flatMap(({ day, amount }) => (amount === undefined ? [] : [[day, amount]])),
    );
});

test('a site that has stopped is missing up to the last day of the lake', async () => {
    const { directory } = await openFixture(flows);
    const found = await calendar(directory, { site: 'osaka' });
    expect(daysThat(found, 'there')).toEqual([dayAfter(0)]);
    expect(daysThat(found, 'missing')).toEqual([dayAfter(1), dayAfter(2), dayAfter(3)]);
});

test('a site that was there before the year began is missing from its first day on, one that came later is not', async () => {
    const old = await openFixture([...flows, { day: '2024-12-01', site: 'osaka' }]);
    expect(daysThat(await calendar(old.directory, { site: 'osaka' }), 'missing')[0]).toBe('2025-01-06');
    const young = await openFixture([...flows, { day: '2024-12-01', site: 'berlin' }]);
    expect(daysThat(await calendar(young.directory, { site: 'osaka' }), 'missing')[0]).toBe(dayAfter(1));
});

test('a day that cannot be read says so and hides no other one', async () => {
    const { directory } = await openFixture([...flows, { day: dayAfter(1) }]);
    await writeFile(join(directory, pairDaysKey(dayAfter(1))), 'PAR1 no more');
    const found = await calendar(directory);
    expect(daysThat(found, 'unreadable')).toEqual([dayAfter(1)]);
    expect(dayOf(found, dayAfter(1))?.why).toMatch(/verify/);
    expect(daysThat(found, 'there')).toEqual([dayAfter(0), dayAfter(3)]);
    expect(daysThat(found, 'missing')).toEqual([dayAfter(2)]);
});

test('readings are counted by the same days', async () => {
    const readings = [0, 0, 2].map((day, at) => ({ at: `${dayAfter(day)}T10:0${at}:00Z`, is: '20.0' }));
    const { directory } = await openFleet({ readings });
    const found = await calendar(directory, { of: 'telemetry' });
    expect(dayOf(found, dayAfter(0))).toMatchObject({ is: 'there', amount: '2' });
    expect(daysThat(found, 'missing')).toEqual([dayAfter(1)]);
});

test('an empty lake has no calendar and no days', async () => {
    const directory = await makeFolder();
    expect(await calendar(directory)).toEqual({ of: 'flows', from: null, to: null, first: null, last: null, days: [] });
    expect(await daysPage.answer({}, pageContext(await open(directory)))).toMatchObject({ newest: null });
});

test('the newest day is one that has rows: an object without any is not the newest', async () => {
    const { directory } = await openFixture(flows);
    await openFixture([{ day: dayAfter(9) }], { directory });
    expect(await daysPage.answer({}, pageContext(await open(directory)))).toMatchObject({ newest: dayAfter(9) });
    await writeFile(join(directory, pairDaysKey(dayAfter(9))), emptiedDayOfBefore());
    expect(await daysPage.answer({}, pageContext(await open(directory)))).toMatchObject({
        newest: dayAfter(3),
        kinds: [
            { kind: 'flows', first: dayAfter(0), last: dayAfter(3), count: 2 },
            { kind: 'telemetry', first: null, count: 0 },
        ],
    });
});

test('parameters that nobody knows are refused', () => {
    for (const parameters of [{ to: '2026-13-01' }, { of: 'cats' }, { week: '1' }]) {
        expect(calendarPage.parameters.safeParse(parameters).success).toBe(false);
    }
});
