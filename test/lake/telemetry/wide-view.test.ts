import { expect, test } from '@jest/globals';
import { wideViewOf } from '#lake/telemetry/wide-view';

const viewOf = (metrics: Parameters<typeof wideViewOf>[0]['metrics'], name = 'room-7.b') =>
    wideViewOf({ name, device: { path: 'id' }, time: 'arrival', metrics });

test('a profile is a view with a column for each metric, texts and numbers', () => {
    expect(viewOf([{ name: 'temperature' }, { name: 'status', kind: 'text' }, { name: 'open', kind: 'yes/no' }])).toEqual({
        name: 'readings_wide_room_7_b',
        sql: `select
    site,
    device,
    at_ms,
    measured_at,
    message,
    min(received_ms) as received_ms,
    max(case when metric = 'temperature' then value end) as temperature,
    max(case when metric = 'status' then text end) as status,
    max(case when metric = 'open' then value end) as open,
    day
from readings
where profile = 'room-7.b'
group by site, device, at_ms, measured_at, message, day`,
    });
});

test('names that SQL does not take are changed, and stay apart', () => {
    const { sql } = viewOf([
        { name: 'Sale.Total' },
        { name: 'sale total' },
        { name: 'order' },
        { name: '2nd' },
        { name: 'day' },
        { name: "o'clock" },
    ]);
    expect([...sql.matchAll(/metric = '(.*)' then value end\) as (\w+)/g)].map(([, metric, column]) => [metric, column])).toEqual([
        ['Sale.Total', 'sale_total'],
        ['sale total', 'sale_total_2'],
        ['order', 'order_'],
        ['2nd', 'm_2nd'],
        ['day', 'day_2'],
        ["o''clock", 'o_clock'],
    ]);
});

test('metrics that messages name themselves, and what is no reading, have no column', () => {
    expect(
        viewOf([{ name: 'temperature.{n}' }, { name: 'setting', notReading: 'a setting' }, { name: 'a' }, { name: 'a' }]).sql,
    ).not.toMatch(/temperature|setting|a_2/);
});
