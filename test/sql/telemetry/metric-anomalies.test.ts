/** metric_anomalies: hours that are unusual for that device at that time of day. */
import { type FleetReading, openFleet } from '#test/support/fleet-fixture';
import { dayAfter } from '#test/support/lake-fixture';

const ASK = 'select day, hour, mean, usual, score from metric_anomalies order by day, hour';

/** One reading at 13:00 of each day from a Monday on; none where the value is undefined. */
function daily(values: readonly (number | undefined)[], more: Partial<FleetReading> = {}): FleetReading[] {
    return values.flatMap((value, at) => (value === undefined ? [] : [{ at: `${dayAfter(at)}T13:00:00Z`, is: value.toFixed(1), ...more }]));
}

const steady = (days: number): number[] => Array.from({ length: days }, (_, at) => 20 + (at % 3) / 10);

test('an hour far above or below its own past stands out, and the days behind it do not', async () => {
    const values = steady(28);
    values[21] = 26;
    values[22] = 14;
    const { ask } = await openFleet({ readings: daily(values) });
    expect(await ask(ASK)).toEqual([
        expect.objectContaining({ day: dayAfter(21), hour: 13n, mean: 26, usual: 20.1, score: expect.any(Number) }),
        expect.objectContaining({ day: dayAfter(22), mean: 14 }),
    ]);
    const [high, low] = await ask('select score from metric_anomalies order by score desc');
    expect([Number(high?.score) > 20, Number(low?.score) < -20]).toEqual([true, true]);
});

test('weekends are judged by weekends', async () => {
    // 30 degrees on each weekend: usual for a weekend, had it been a workday it would stand out.
    const values = steady(70).map((value, at) => (at % 7 > 4 ? value + 10 : value));
    values[66] = 30;
    const { ask } = await openFleet({ readings: daily(values) });
    expect((await ask(ASK)).map(({ day }) => day)).toEqual([dayAfter(66)]);
});

test('fewer than seven days give no verdict, nor do days that are longer ago than six weeks', async () => {
    const { ask } = await openFleet({ readings: daily([...steady(9), 40]) });
    // Seven workdays and the next one.
    expect((await ask(ASK)).map(({ day }) => day)).toEqual([dayAfter(9)]);
    const { ask: askShort } = await openFleet({ readings: daily([...steady(8), 40]) });
    expect(await askShort(ASK)).toEqual([]);
    const gap = Array.from({ length: 42 }, () => undefined);
    const { ask: askOld } = await openFleet({ readings: daily([...steady(14), ...gap, 40]) });
    expect(await askOld(ASK)).toEqual([]);
});

test('an hour that was read much less often than usual gives no verdict', async () => {
    const often = daily(steady(15)).flatMap((reading) =>
        [0, 1, 2, 3].map((minute) => ({ ...reading, at: reading.at.replace(':00:00Z', `:0${minute}:00Z`) })),
    );
    const { ask } = await openFleet({ readings: [...often, ...daily([...steady(15).map(() => undefined), 40])] });
    expect(await ask(ASK)).toEqual([]);
});
