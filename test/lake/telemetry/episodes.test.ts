import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Episode, EpisodeWalk, NO_STATE, sayUnits } from '#lake/telemetry/episodes';
import type { AlertRule } from '#lake/telemetry/rules';
import { type MadeReading, rulesWith, sortedReadings, unitsOf } from '#test/support/sorted-readings';

const HOT: AlertRule = {
    is: 'threshold',
    rule: 'hot',
    metric: 'temp',
    side: 'above',
    raise: 30_000_000_000n,
    clear: 28_000_000_000n,
    holdForMs: 0,
    severity: 'warning',
    message: 'too warm',
};

/** Episodes of readings that come in parts, one after the other; between two parts the state is written down and read again. */
function episodesOf(rules: Parameters<typeof rulesWith>[0], ...parts: MadeReading[][]): Episode[] {
    let state = NO_STATE;
    const ended: Episode[] = [];
    let open: Episode[] = [];
    for (const part of parts) {
        const walk = new EpisodeWalk(JSON.parse(JSON.stringify(state)), () => rulesWith(rules));
        walk.add(sortedReadings(part));
        state = walk.closing();
        ended.push(...walk.endedEpisodes());
        open = walk.openEpisodes();
    }
    return [...ended, ...open];
}

const spansOf = (episodes: readonly Episode[]) => episodes.map(({ began_ms, ended_ms }) => [began_ms, ended_ms]);

describe('a threshold', () => {
    test('begins at its bound, stays between its two bounds and ends at the other', () => {
        const [hot, ...others] = episodesOf({ alerts: [HOT] }, [
            { at: 1, is: '29.999999999' },
            { at: 2, is: '30' },
            { at: 3, is: '31.5' },
            { at: 4, is: '28.000000001' },
            { at: 5, is: '28' },
        ]);
        expect(others).toEqual([]);
        expect(hot).toEqual({
            site: 'main',
            device: 'd1',
            profile: 'p',
            rule: 'hot',
            kind: 'alert',
            severity: 'warning',
            began_ms: 2,
            ended_ms: 5,
            worst: unitsOf('31.5'),
            readings: 3,
            why: 'too warm: temp was 31.5, and 30 or more raises the alert',
        });
    });

    test('that looks below its bound has the smallest value as its worst', () => {
        const empty: AlertRule = { ...HOT, rule: 'empty', side: 'below', raise: 20n * 10n ** 9n, clear: 25n * 10n ** 9n };
        const episodes = episodesOf({ alerts: [empty] }, [
            { at: 1, is: '20' },
            { at: 2, is: '-4' },
            { at: 3, is: '24' },
            { at: 4, is: '25' },
        ]);
        expect(episodes).toMatchObject([{ began_ms: 1, ended_ms: 4, worst: unitsOf('-4') }]);
        expect(episodes[0]?.why).toMatch(/was -4, and 20 or less/);
    });

    test('counts only once it has held', () => {
        const held: AlertRule = { ...HOT, holdForMs: 10 };
        expect(
            spansOf(
                episodesOf({ alerts: [held] }, [
                    { at: 0, is: '31' },
                    { at: 9, is: '28' },
                    { at: 10, is: '31' },
                    { at: 19, is: '29' },
                    { at: 21, is: '29' },
                    { at: 22, is: '20' },
                ]),
            ),
        ).toEqual([[21, 22]]);
    });

    test('ends at a gap, and is open while nothing ends it', () => {
        expect(
            spansOf(
                episodesOf({ alerts: [HOT], gapLimitMs: 100 }, [
                    { at: 0, is: '31' },
                    { at: 101, is: '31' },
                ]),
            ),
        ).toEqual([
            [0, 100],
            [101, undefined],
        ]);
    });

    test('goes on from the state of before, as if all readings had come at once', () => {
        expect(episodesOf({ alerts: [HOT] }, [{ at: 1, is: '31' }], [], [{ at: 2, is: '33' }], [{ at: 3, is: '1' }])).toMatchObject([
            { began_ms: 1, ended_ms: 3, worst: unitsOf('33'), readings: 2 },
        ]);
    });
});

describe('silence', () => {
    const rules = { dueEveryMs: 60, graceMs: 40 };

    test('lasts from the deadline to the next reading of any metric', () => {
        expect(
            episodesOf(rules, [
                { at: 0, is: '1' },
                { at: 100, is: 'x', metric: 'status' },
                { at: 201, is: '1' },
            ]),
        ).toMatchObject([
            { kind: 'silent', rule: 'silent', began_ms: 200, ended_ms: 201, worst: undefined },
            { kind: 'silent', began_ms: 301, ended_ms: undefined },
        ]);
    });

    test('is not judged where the profile does not say how often a device reports', () => {
        expect(episodesOf({}, [{ at: 0, is: '1' }], [{ at: 10 ** 12, is: '1' }])).toEqual([]);
    });
});

test.each(['constructor', '__proto__', 'toString'])('a rule and a metric called %s are like any other', (name) => {
    const high: AlertRule = { ...HOT, rule: name, metric: name };
    const missing: AlertRule = { is: 'missing', rule: `no-${name}`, metric: name, afterMs: 50, severity: 'info', message: 'gone' };
    const fence: AlertRule = {
        ...{ is: 'fence', rule: name, latitude: 'lat', longitude: name, severity: 'info', message: 'away' },
        ...{ latitudeUnits: 0n, longitudeUnits: 0n, radiusM: 10, backM: 5, holdForMs: 0 },
    };
    const named = (at: number, is: string, message = ''): MadeReading => ({ at, is, metric: name, message });
    const rules = { alerts: [high, missing], gapLimitMs: 1_000 };
    const episodes = episodesOf(rules, [named(1, '31')], [named(2, '32')], [named(3, '20'), named(60, '20')]);
    expect(episodes.length).toBe(2);
    expect(episodes).toMatchObject(
        expect.arrayContaining([
            expect.objectContaining({ rule: name, began_ms: 1, ended_ms: 3, worst: unitsOf('32'), readings: 2 }),
            expect.objectContaining({ rule: `no-${name}`, began_ms: 53, ended_ms: 60 }),
        ]),
    );
    const half = { at: 1, is: '1', metric: 'lat', message: 'm' };
    expect(episodesOf({ alerts: [fence] }, [half], [named(1, '1', 'm')])).toMatchObject([{ rule: name, began_ms: 1, readings: 1 }]);
});

test('a metric that does not come, though its device reports, is missing from its deadline on', () => {
    const missing: AlertRule = {
        is: 'missing',
        rule: 'no-battery',
        metric: 'battery',
        afterMs: 50,
        severity: 'info',
        message: 'battery unknown',
    };
    const readings: MadeReading[] = [0, 40, 51].map((at) => ({ at, is: '1' }));
    expect(episodesOf({ alerts: [missing] }, readings)).toMatchObject([{ rule: 'no-battery', began_ms: 50, ended_ms: undefined }]);
    expect(episodesOf({ alerts: [missing] }, readings, [{ at: 60, is: '3', metric: 'battery' }])).toMatchObject([
        { began_ms: 50, ended_ms: 60 },
    ]);
    expect(episodesOf({ alerts: [missing] }, [{ at: 0, is: '3', metric: 'battery' }], [{ at: 51, is: '3', metric: 'battery' }])).toEqual([
        expect.objectContaining({ began_ms: 50, ended_ms: 51 }),
    ]);
});

test('each of several rules tells that one metric did not come', () => {
    const missing: AlertRule = { is: 'missing', rule: 'late', metric: 'battery', afterMs: 50, severity: 'info', message: 'battery late' };
    const gone: AlertRule = { ...missing, rule: 'gone', afterMs: 90, severity: 'critical', message: 'battery gone' };
    const readings: MadeReading[] = [0, 40, 80, 120].map((at) => ({ at, is: '1' }));
    expect(episodesOf({ alerts: [missing, gone] }, readings, [{ at: 130, is: '3', metric: 'battery' }])).toMatchObject([
        { rule: 'gone', began_ms: 90, ended_ms: 130 },
        { rule: 'late', began_ms: 50, ended_ms: 130 },
    ]);
});

describe('a fence', () => {
    const fence: AlertRule = {
        is: 'fence',
        rule: 'yard',
        latitude: 'lat',
        longitude: 'lon',
        latitudeUnits: 60_000_000_000n,
        longitudeUnits: 179_999_000_000n,
        radiusM: 1000,
        backM: 900,
        holdForMs: 0,
        severity: 'critical',
        message: 'left the yard',
    };
    const at = (ms: number, latitude: string, longitude: string): MadeReading[] => [
        { at: ms, message: `m${ms}`, metric: 'lat', is: latitude },
        { at: ms, message: `m${ms}`, metric: 'lon', is: longitude },
    ];

    test('is left beyond its radius and entered again within the smaller one', () => {
        const episodes = episodesOf({ alerts: [fence] }, [
            ...at(1, '60', '179.999'),
            ...at(2, '60.01', '179.999'),
            ...at(3, '60.0085', '179.999'),
            ...at(4, '60.008', '179.999'),
        ]);
        expect(episodes).toMatchObject([{ began_ms: 2, ended_ms: 4, worst: 1_111_950_000_000n, readings: 2 }]);
        expect(episodes[0]?.why).toBe('left the yard: 1111.95 m from the middle of its fence, which reaches 1000 m');
    });

    test('reaches over the date line, and a degree of longitude is shorter far from the equator', () => {
        // 0.017 degrees at 60 degrees north are 945 m.
        expect(episodesOf({ alerts: [fence] }, at(1, '60', '-179.984'))).toEqual([]);
        expect(episodesOf({ alerts: [fence] }, at(1, '60', '-179.982'))).toMatchObject([{ began_ms: 1, worst: 1_056_353_000_000n }]);
    });

    test('needs latitude and longitude of one message', () => {
        expect(
            episodesOf({ alerts: [fence] }, [
                { at: 1, message: 'a', metric: 'lat', is: '1' },
                { at: 1, message: 'b', metric: 'lon', is: '1' },
            ]),
        ).toEqual([]);
        expect(
            episodesOf({ alerts: [{ ...fence, latitude: 'y', longitude: 'x' }] }, [
                { at: 1, message: 'a', metric: 'x', is: '180' },
                { at: 1, message: 'a', metric: 'y', is: '61' },
            ]),
        ).toHaveLength(1);
    });
});

test('a device that another profile reads from now on leaves what the first one had begun', () => {
    const walk = new EpisodeWalk(NO_STATE, (profile) => rulesWith({ alerts: profile === 'p' ? [HOT] : [] }));
    walk.add(sortedReadings([{ at: 1, is: '31' }]));
    walk.add(sortedReadings([{ at: 5, is: '31', profile: 'q' }]));
    expect(walk.endedEpisodes()).toMatchObject([{ profile: 'p', began_ms: 1, ended_ms: 5 }]);
    expect(walk.closing().devices).toMatchObject([{ profile: 'q', firstMs: 5, spans: {} }]);
});

test('values are said without zeros at their end', () => {
    expect(['0', '-0.5', '12', '3.000000001'].map((text) => sayUnits(unitsOf(text) ?? 0n))).toEqual(['0', '-0.5', '12', '3.000000001']);
});

describe('episodes of any readings', () => {
    let connection: DuckDBConnection;

    beforeAll(async () => {
        connection = await (await DuckDBInstance.create(':memory:')).connect();
        await connection.run('create table readings (device varchar, at_ms bigint, message varchar, value decimal(28,9))');
    });

    afterAll(() => connection.closeSync());

    const readings = fc.array(
        fc.record({
            at: fc.integer({ min: 0, max: 60 }),
            is: fc.integer({ min: 26, max: 32 }).map(String),
            device: fc.constantFrom('a', 'b'),
            message: fc.constantFrom('m', 'n'),
        }),
        { maxLength: 40 },
    );

    test('are those of one SQL statement over all readings, in whatever parts they come', async () => {
        await fc.assert(
            fc.asyncProperty(
                readings,
                fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 3 }),
                fc.constantFrom(0, 3),
                async (made, cuts, hold) => {
                    const unique = [...new Map(made.map((one) => [`${one.device} ${one.at} ${one.message}`, one])).values()];
                    const bounds = [0, ...[...cuts].sort((a, b) => a - b), 61];
                    const parts = bounds.slice(1).map((end, at) => unique.filter((one) => one.at >= (bounds[at] ?? 0) && one.at < end));
                    const found = episodesOf({ alerts: [{ ...HOT, holdForMs: hold }], gapLimitMs: 8 }, ...parts);
                    expect(
                        found
                            .map(
                                ({ device, began_ms, ended_ms, worst, readings }) =>
                                    `${device} ${began_ms} ${ended_ms} ${worst} ${readings}`,
                            )
                            .sort(),
                    ).toEqual(await bySql(unique, hold));
                },
            ),
            { numRuns: 150 },
        );
    });

    async function bySql(made: readonly MadeReading[], hold: number): Promise<string[]> {
        await connection.run('delete from readings');
        if (made.length > 0) {
            await connection.run(
                `insert into readings values ${made.map((one) => `('${one.device}', ${one.at}, '${one.message}', ${one.is})`).join(', ')}`,
            );
        }
        const rows = await (await connection.run(spansSql(hold))).getRowsJson();
        return rows.map((row) => row.map((cell) => cell ?? undefined).join(' ')).sort();
    }
});

/** Spans of rule HOT with a limit of 8 for gaps, by window functions over all readings. */
function spansSql(hold: number): string {
    return `
with ordered as (
    select *, lag(at_ms) over series as before_ms, lead(at_ms) over series as behind_ms
    from readings window series as (partition by device order by at_ms, message)
),
marked as (
    select *, before_ms is null or at_ms - before_ms > 8 as is_fresh,
        case when value >= 30 then 1 when value <= 28 or before_ms is null or at_ms - before_ms > 8 then 0 end as turn
    from ordered
),
numbered as (
    select *, count(turn) over (partition by device order by at_ms, message rows unbounded preceding) as turn_number from marked
),
raised as (
    select *, max(turn) over (partition by device, turn_number) as is_raised from numbered
),
begun as (
    select *, is_raised = 1 and (is_fresh or lag(is_raised) over (partition by device order by at_ms, message) = 0) as begins from raised
),
spans as (
    select *, count(case when begins then 1 end) over (partition by device order by at_ms, message rows unbounded preceding) as span
    from begun qualify is_raised = 1
),
timed as (
    select *, min(at_ms) over (partition by device, span) as first_ms from spans where is_raised = 1
)
select device, min(case when at_ms - first_ms >= ${hold} then at_ms end),
    coalesce(case when bool_or(behind_ms is null) then null
        else max(case when behind_ms - at_ms > 8 then at_ms + 8 else behind_ms end) end::varchar, 'undefined'),
    (max(value) * 1000000000)::bigint, count(*)
from timed group by device, span having max(at_ms - first_ms) >= ${hold}`;
}
