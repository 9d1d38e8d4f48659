/** Which tables a statement scans, and how often. */
import { expect, test } from '@jest/globals';
import { scansOf } from '#lake/query/scans-of';
import { QUERY_NAMES, readQuery, readView, VIEW_NAMES } from '#lake/query/sql-files';

const scans = (sql: string) => Object.fromEntries(scansOf(sql).tables);

test.each<[string, Record<string, number>]>([
    ['select 1', {}],
    ['select * from pair_days', { pair_days: 1 }],
    ['SELECT * FROM Pair_Days', { pair_days: 1 }],
    ['from pair_days select day', { pair_days: 1 }],
    ['summarize sources', { sources: 1 }],
    ['table devices', { devices: 1 }],
    ['select * from "pair_days"', { pair_days: 1 }],
    ['select * from awsdatacatalog.lake.pair_days', { pair_days: 1 }],
    ['select * from pair_days as a, pair_days as b', { pair_days: 2 }],
    ['select * from pair_days order by day, sources', { pair_days: 1 }],
    ['select * from pair_days join (sources join devices on true) on true', { pair_days: 1, sources: 1, devices: 1 }],
    ['select * from (sources cross join devices)', { sources: 1, devices: 1 }],
    ['select (select max(day) from pair_days), day from (select * from pair_days)', { pair_days: 2 }],
    ['(select day from pair_days) union all (select day from readings)', { pair_days: 1, readings: 1 }],
    ['with steps as (select * from pair_days) select * from steps as a join steps as b on a.day = b.day', { pair_days: 2 }],
    ['with a as (select * from pair_days), b (x) as (select day from a, a as c) select * from b, b as d', { pair_days: 4 }],
    ['with pair_days as (select * from sources) select * from pair_days', { sources: 1 }],
    ['select * from (with a as (select 1 from devices) select * from a) as x', { devices: 1 }],
    ['select extract(day from at), trim(both from text) from readings', { readings: 1 }],
    ['select site is distinct from device from readings', { readings: 1 }],
    ["select 'from sources' from pair_days -- from devices\n/* join devices */", { pair_days: 1 }],
    ['select * from unnest(sequence(1, 3)) as t (n), lateral (select * from devices) as d', { devices: 1 }],
    ['select * from pair_running', scans(readView('pair_running'))],
    ['select * from device_traffic', { metric_hours: 1, devices: 1, pair_days: 2 }],
    ['show tables', {}],
    ['explain select * from pair_days', { pair_days: 1 }],
])('%s', (sql, expected) => {
    expect(scans(sql)).toEqual(expected);
    expect([...scansOf(sql).unknown]).toEqual([]);
});

test('names what is no relation of the lake, and steps that read themselves', () => {
    expect(scansOf('select * from pair_days, other.elsewhere')).toMatchObject({ unknown: new Set(['elsewhere']) });
    expect(scansOf('with recursive r as (select 1 union all select * from r) select * from r').unknown).toEqual(new Set(['r']));
});

test('every view and query of the package scans known tables only', () => {
    const texts = [...VIEW_NAMES.map(readView), ...QUERY_NAMES.map(readQuery)];
    expect(texts.flatMap((sql) => [...scansOf(sql).unknown])).toEqual([]);
    expect(texts.map((sql) => scansOf(sql).tables.size).filter((size) => size === 0)).toEqual([]);
});

test.each([
    '((((',
    ')))) from pair_days',
    "'",
    '"',
    'with',
    'with a',
    'with a as',
    'with a (',
    'from',
    'from ,',
    '/*',
    `${'('.repeat(4000)}select`,
])('comes to an end for what is no SQL: %.20s', (sql) => {
    expect(scansOf(sql).unknown.size).toBeLessThanOrEqual(1);
});
