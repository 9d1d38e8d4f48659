/** Plain times are read from their bytes: to the very milliseconds that the long way comes to. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseProfile } from '#lake/telemetry/profile/profile';

/** Reads times as a profile does, in the quick way if it can. */
function readerOf(unit: string, { isSlow = false } = {}): (time: string) => unknown {
    const reader = parseProfile({
        name: 'times',
        device: { path: 'device' },
        // Something to be added is never plain; here it is absent, which adds nothing.
        time: { path: 'time', unit, ...(isSlow && { plus: { path: 'more', unit: 'ms' } }) },
        metrics: [{ name: 'x', path: 'x', digits: 0 }],
    }).open();
    return (time) => {
        const { readings, problems } = reader.read({ payload: Buffer.from(`{"device":"d","x":1,"time":${time}}`), arrivedMs: undefined });
        return readings.map(({ atMs, clock }) => ({ atMs, clock })).concat(problems.map(({ reason, why }) => ({ reason, why }) as never));
    };
}

const digits = (length: number): fc.Arbitrary<string> =>
    fc.integer({ min: 0, max: 10 ** length - 1 }).map((number) => String(number).padStart(length, '0'));

const isoTimes = fc
    .tuple(
        fc.oneof(fc.constantFrom('2026', '2024', '1969', '0001', '9999', '2000', '2100'), digits(4)),
        fc.oneof(fc.constantFrom('01', '02', '12', '13', '00'), digits(2)),
        fc.oneof(fc.constantFrom('01', '28', '29', '30', '31', '32', '00'), digits(2)),
        fc.constantFrom('T', ' ', 't', '_'),
        fc.oneof(fc.constantFrom('00', '23', '24'), digits(2)),
        fc.oneof(fc.constantFrom('00', '59', '60'), digits(2)),
        fc.oneof(
            fc.constantFrom(':00', ':59', ':60', ':61', ''),
            digits(2).map((text) => `:${text}`),
        ),
        fc.oneof(
            fc.constantFrom('', '.', '.5', '.123', '.999999', ',25'),
            fc
                .integer({ min: 1, max: 18 })
                .chain((length) => digits(Math.min(length, 9)))
                .map((text) => `.${text}`),
        ),
        fc.constantFrom('', 'Z', 'z', '+00:00', '-01:30', '+0100', '+01', '+1', ' Z', 'x', '-00:00', '+99:99'),
    )
    .map(([year, month, day, between, hour, minute, second, fraction, zone]) =>
        JSON.stringify(`${year}-${month}-${day}${between}${hour}:${minute}${second}${fraction}${zone}`),
    );

const numbers = fc.oneof(
    fc.constantFrom(
        '0',
        '1767607200',
        '1767607200.5',
        '1767607200.123456789',
        '1767607200123',
        '-5',
        '1e9',
        '1.7676072e9',
        '99999999999999999',
        '253402300799',
        '253402300800',
        '0.0',
        '"1767607200"',
        'null',
    ),
    fc
        .tuple(fc.integer({ min: 0, max: 4e12 }), fc.option(digits(6), { nil: undefined }))
        .map(([whole, fraction]) => (fraction === undefined ? `${whole}` : `${whole}.${fraction}`)),
);

describe('a plain time', () => {
    it.each([
        ['ISO', isoTimes],
        ['s', numbers],
        ['ms', numbers],
        ['us', numbers],
    ] as const)('in %s is what the long way makes of it', (unit, times) => {
        const [quick, slow] = [readerOf(unit), readerOf(unit, { isSlow: true })];
        fc.assert(
            fc.property(times, (time) => expect(quick(time)).toEqual(slow(time))),
            { numRuns: 2_000 },
        );
    });

    it('is read to the millisecond, what is finer cut off', () => {
        expect(readerOf('ISO')('"2026-01-05T11:00:00.1239+01:00"')).toEqual([
            { atMs: Date.parse('2026-01-05T10:00:00.123Z'), clock: 'device' },
        ]);
        expect(readerOf('s')('1767607200.1239')).toEqual([{ atMs: 1_767_607_200_123, clock: 'device' }]);
    });
});
