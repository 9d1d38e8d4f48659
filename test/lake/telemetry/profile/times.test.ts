/** When a message was measured: by which of its times, in which unit and zone, and when its clock is not believed. */
import { describe, expect, test } from '@jest/globals';
import { parseProfile } from '#lake/telemetry/profile/profile';
import { ARRIVED, messageOf, metricOf, profileOf, read } from '#test/support/read-messages';

/** The time of the one reading, with `*` behind it where it is that of the arrival; or the problem. */
function timeOf(time: unknown, fields: object, words: { arrived?: string | null; profile?: object } = {}): string {
    const arrivedMs = words.arrived === null ? undefined : Date.parse(words.arrived ?? ARRIVED);
    const { readings, problems } = parseProfile(profileOf({ time, ...words.profile }))
        .open()
        .read(messageOf({ t: 1, ...fields }, { arrivedMs }));
    const [reading] = readings;
    return reading === undefined
        ? problems.map(({ reason, why }) => `${reason}: ${why}`).join()
        : `${new Date(reading.atMs).toISOString()}${reading.clock === 'arrival' ? '*' : ''}`;
}

test.each<[object, unknown, string]>([
    [{ unit: 's' }, 1767607200, '2026-01-05T10:00:00.000Z'],
    [{ unit: 's' }, 1767607200.25, '2026-01-05T10:00:00.250Z'],
    [{ unit: 's' }, '1767607200.9999', '2026-01-05T10:00:00.999Z'],
    [{ unit: 'ms' }, 1767607200123, '2026-01-05T10:00:00.123Z'],
    [{ unit: 'us' }, 1767607200123456, '2026-01-05T10:00:00.123Z'],
    [{ unit: 'ns' }, '1767607200123456789', '2026-01-05T10:00:00.123Z'],
    [{ unit: 's', epoch: '2000-01-01' }, 820922400, '2026-01-05T10:00:00.000Z'],
    [{ unit: 's', epoch: '1980-01-06' }, 1451642400, '2026-01-05T10:00:00.000Z'],
    [{ unit: 's', ago: true }, 35, '2026-01-05T09:59:27.000Z'],
    [{ unit: 'ISO' }, '2026-01-05T10:00:00Z', '2026-01-05T10:00:00.000Z'],
    [{}, '2026-01-05T10:00:00.123456789+00:00', '2026-01-05T10:00:00.123Z'],
    [{}, '2026-01-05 11:00:00.5+01:00', '2026-01-05T10:00:00.500Z'],
    [{}, '2026-01-05T04:30:00-0530', '2026-01-05T10:00:00.000Z'],
    [{}, '2026-01-05T11:00:00 +01', '2026-01-05T10:00:00.000Z'],
    [{}, '20260105T100000Z', '2026-01-05T10:00:00.000Z'],
    [{}, '2026-01-05T10:00', '2026-01-05T10:00:00.000Z'],
    [{}, '2026-01-05', '2026-01-05T00:00:00.000Z'],
    [{}, '2026-01-05t10:00:00z', '2026-01-05T10:00:00.000Z'],
    [{}, '2026-01-04T24:00:00Z', '2026-01-05T00:00:00.000Z'],
    [{}, '2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
    [{}, '2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    [{ zone: 'Europe/Madrid' }, '2026-01-05T11:00:00', '2026-01-05T10:00:00.000Z'],
    [{ zone: 'Europe/Madrid' }, '2025-07-05T12:00:00', '2025-07-05T10:00:00.000Z'],
    [{ zone: 'Europe/Madrid' }, '2026-01-05T10:00:00Z', '2026-01-05T10:00:00.000Z'],
    [{ zone: 'Asia/Kolkata' }, '2026-01-05T15:30:00', '2026-01-05T10:00:00.000Z'],
    [{ zone: 'America/New_York' }, '2026-01-05T05:00:00', '2026-01-05T10:00:00.000Z'],
    [{ zone: 'Pacific/Chatham' }, '2026-01-05T23:45:00', '2026-01-05T10:00:00.000Z'],
    [{ format: 'DD.MM.YYYY HH:mm:ss' }, '05.01.2026 10:00:00', '2026-01-05T10:00:00.000Z'],
    [{ format: 'MM/DD/YY HH:mm' }, '1/5/26 9:30', '2026-01-05T09:30:00.000Z'],
    [{ format: 'YYYYMMDDHHmmss', zone: 'Europe/Madrid' }, 20260105110000, '2026-01-05T10:00:00.000Z'],
    [{ format: 'YYYY-MM-DD HH:mm:ss,SSS Z' }, '2026-01-05 11:00:00,25 +01:00', '2026-01-05T10:00:00.250Z'],
    [{ format: '[YYYY] DD*MM' }, '[2026] 05*01', '2026-01-05T00:00:00.000Z'],
])('%j reads %j as %s', (words, value, expected) => {
    expect(timeOf({ path: 'at', ...words }, { at: value })).toBe(expected);
});

test.each<[object, unknown]>([
    [{}, '2026-02-29T00:00:00Z'],
    [{}, '2026-13-01T00:00:00Z'],
    [{}, '2026-01-05T25:00:00Z'],
    [{}, '2026-01-05T10:60:00Z'],
    [{}, 'yesterday'],
    [{}, 1767607200],
    [{}, true],
    [{ unit: 's' }, 'now'],
    [{ unit: 's' }, true],
    [{ unit: 'ms' }, 1e30],
    [{ format: 'DD.MM.YYYY' }, '2026-01-05'],
    [{ format: 'DD.MM.YYYY' }, '31.04.2026'],
])('%j cannot read %j: a reject, or the arrival where that is a choice', (words, value) => {
    expect(timeOf({ path: 'at', ...words }, { at: value })).toMatch(
        /^bad_time: the time is .*; correct "time", or let it end with "arrival"$/,
    );
    expect(timeOf([{ path: 'at', ...words }, 'arrival'], { at: value })).toBe(`${ARRIVED}*`);
});

describe('of several times', () => {
    const time = [{ path: 'fix', unit: 's' }, { path: 'sent', unit: 'ms' }, { path: 'sent' }, 'arrival'];

    test('the first that is there is taken', () => {
        expect(timeOf(time, { fix: 1767607100, sent: 1767607200123 })).toBe('2026-01-05T09:58:20.000Z');
        expect(timeOf(time, { sent: 1767607200123 })).toBe('2026-01-05T10:00:00.123Z');
        expect(timeOf(time, { fix: null, sent: '2026-01-05T10:00:00Z' })).toBe('2026-01-05T10:00:00.000Z');
        expect(timeOf(time, {})).toBe(`${ARRIVED}*`);
    });

    test('one that is not believed gives way to the next', () => {
        expect(timeOf(time, { fix: 14, sent: 1767607200123 })).toBe('2026-01-05T10:00:00.123Z');
        expect(timeOf(time, { fix: 14 })).toBe(`${ARRIVED}*`);
    });

    test('one without a choice of arrival is missed where none is there', () => {
        expect(timeOf({ path: 'sent' }, {})).toBe(
            'no_time: it does not say when it was measured: none of the places that "time" names is there',
        );
        expect(timeOf({ path: 'sent' }, { sent: null })).toMatch(/^no_time: /);
    });
});

describe('a clock', () => {
    const time = { path: 'at', unit: 's' };
    const seconds = (text: string) => Date.parse(text) / 1000;

    test('before 2010 is none: the arrival stands for it', () => {
        expect(timeOf(time, { at: seconds('2009-12-31T23:59:59Z') })).toBe(`${ARRIVED}*`);
        expect(timeOf(time, { at: seconds('2010-01-01T00:00:00Z') })).toBe('2010-01-01T00:00:00.000Z');
    });

    test('more than five minutes after the arrival is not believed', () => {
        expect(timeOf(time, { at: seconds('2026-01-05T10:05:02Z') })).toBe('2026-01-05T10:05:02.000Z');
        expect(timeOf(time, { at: seconds('2026-01-05T10:05:03Z') })).toBe(`${ARRIVED}*`);
        expect(timeOf(time, { at: seconds('2026-01-05T10:05:03Z') }, { arrived: null })).toBe('2026-01-05T10:05:03.000Z');
    });

    test('has the limits that the profile says', () => {
        const profile = { clock: { earliest: '2025-01-01', ahead: '10s' } };
        expect(timeOf(time, { at: seconds('2024-12-31T23:59:59Z') }, { profile })).toBe(`${ARRIVED}*`);
        expect(timeOf(time, { at: seconds('2026-01-05T10:00:12Z') }, { profile })).toBe('2026-01-05T10:00:12.000Z');
        expect(timeOf(time, { at: seconds('2026-01-05T10:00:13Z') }, { profile })).toBe(`${ARRIVED}*`);
    });

    test('that is not believed is a reject where nobody knows the arrival', () => {
        expect(timeOf(time, { at: 14 }, { arrived: null })).toBe(
            "no_time: the device's clock says 1970-01-01T00:00:14.000Z, before 2010-01-01T00:00:00.000Z: it has no time, and when it arrived is not known",
        );
        expect(timeOf('arrival', {}, { arrived: null })).toBe('no_time: it says no time, and when it arrived is not known');
    });
});

describe('the hour that autumn repeats in Madrid', () => {
    const time = { path: 'at', zone: 'Europe/Madrid' };
    const at = '2025-10-26T02:30:00';

    test('is the later one, if it would not be after the arrival', () => {
        expect(timeOf(time, { at }, { arrived: '2025-10-26T01:30:02Z' })).toBe('2025-10-26T01:30:00.000Z');
        expect(timeOf(time, { at }, { arrived: '2025-10-26T09:00:00Z' })).toBe('2025-10-26T01:30:00.000Z');
    });

    test('is the earlier one before that, and where nobody knows the arrival', () => {
        expect(timeOf(time, { at }, { arrived: '2025-10-26T00:30:02Z' })).toBe('2025-10-26T00:30:00.000Z');
        expect(timeOf(time, { at }, { arrived: null })).toBe('2025-10-26T00:30:00.000Z');
    });

    test('ends where it ends', () => {
        expect(timeOf(time, { at: '2025-10-26T01:59:59' }, { arrived: null })).toBe('2025-10-25T23:59:59.000Z');
        expect(timeOf(time, { at: '2025-10-26T02:00:00' }, { arrived: null })).toBe('2025-10-26T00:00:00.000Z');
        expect(timeOf(time, { at: '2025-10-26T03:00:00' }, { arrived: null })).toBe('2025-10-26T02:00:00.000Z');
    });

    test('is not left out in spring: what nobody’s clock can say is read by the time before', () => {
        expect(timeOf(time, { at: '2025-03-30T02:30:00' }, { arrived: null })).toBe('2025-03-30T01:30:00.000Z');
        expect(timeOf(time, { at: '2025-03-30T01:59:59' }, { arrived: null })).toBe('2025-03-30T00:59:59.000Z');
        expect(timeOf(time, { at: '2025-03-30T03:00:00' }, { arrived: null })).toBe('2025-03-30T01:00:00.000Z');
    });
});

test('local times of a year are those that the platform’s own calendar says', () => {
    for (const zone of ['Europe/Madrid', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Asia/Tehran', 'Pacific/Apia']) {
        const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
        const reader = parseProfile(profileOf({ time: { path: 'at', zone } })).open();
        for (let ms = Date.parse('2021-01-01T00:17:00Z'); ms < Date.parse('2022-01-01T00:00:00Z'); ms += 7 * 3_600_000) {
            const [reading] = reader.read(messageOf({ t: 1, at: format.format(ms) }, { arrivedMs: ms })).readings;
            expect(reading?.atMs).toBe(ms);
        }
    }
});

test('a metric may have a time of its own, and a time may be a sum', () => {
    const time = { path: 'at', unit: 's', plus: { path: 'dt', unit: 'ms' } };
    const metrics = [metricOf(), metricOf({ name: 'u', path: 'u.v', time: [{ path: 'u.at', unit: 's' }] })];
    const { readings } = parseProfile(profileOf({ time, metrics }))
        .open()
        .read(messageOf({ t: 1, at: 1767607200, dt: -250, u: { v: 2, at: 1767607000 } }));
    expect(readings.map(({ metric, atMs }) => [metric, new Date(atMs).toISOString()])).toEqual([
        ['t', '2026-01-05T09:59:59.750Z'],
        ['u', '2026-01-05T09:56:40.000Z'],
    ]);
    expect(timeOf(time, { at: 1767607200 })).toBe('2026-01-05T10:00:00.000Z');
    expect(read(profileOf({ time, metrics }), { at: 1767607200, u: { v: 2 } })).toEqual(['u=2']);
});

test('a date and a time in two fields are put together', () => {
    const profile = { let: { day: { path: 'day' }, clock: { path: 'clock' } } };
    const time = { text: '{day}T{clock}', zone: 'Europe/Madrid' };
    expect(timeOf(time, { day: '2026-01-05', clock: '11:00:00' }, { profile })).toBe('2026-01-05T10:00:00.000Z');
});
