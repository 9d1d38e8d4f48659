/** Readings in columns come to the very rows that plain objects, merged one by one, come to. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mergeRows } from '#lake/merge-rows';
import type { Rows } from '#lake/rows';
import { hourPeriods } from '#lake/telemetry/hour-periods';
import { ReadingTable } from '#lake/telemetry/reading-table';
import { SpilledReadings } from '#lake/telemetry/spilled-readings';
import { readings as table } from '#lake/telemetry/tables';
import { type TypedRows, toPlain } from '#lake/typed-rows';
import { memoryScratch } from '#test/support/memory-scratch';

const HOUR = 490_000;
const PERIOD = '2025-11-24T16';
const HOUR_MS = 3_600_000;

interface One {
    site: string;
    device: string;
    metric: string;
    ms: number;
    receivedMs: number;
    message: string;
    value: bigint | string;
    isByArrival: boolean;
    profile: string;
}

const ones: fc.Arbitrary<One> = fc.record({
    site: fc.constantFrom('main', 'berlin'),
    device: fc.constantFrom('a', 'b', 'é', '\u{1f321}', '\uffee'),
    metric: fc.constantFrom('t', 'h', 'temperature'),
    ms: fc.constantFrom(0, 1, 1000, HOUR_MS - 1),
    receivedMs: fc.constantFrom(0, 5, 1_767_607_200_000, -3),
    message: fc.constantFrom(
        '0000000000000000',
        'ffffffffffffffff',
        '00000000ffffffff',
        'ffffffff00000000',
        '89abcdef01234567',
        '7',
        'session:1',
        'é',
    ),
    value: fc.oneof(
        fc.constantFrom(0n, -1n, 1n, 2n ** 53n, -(2n ** 53n) - 1n, 2n ** 64n, 10n ** 28n - 1n, -(10n ** 28n) + 1n, 21_300_000_000n),
        fc.constantFrom('on', 'off', '', 'é'),
    ),
    isByArrival: fc.boolean(),
    profile: fc.constantFrom('thermostat', 'meter'),
});

/** The readings in columns; every so many of them go to scratch room and come back, where that is said. */
function typedRows(all: readonly One[], { spillAfter }: { spillAfter?: number } = {}): Rows {
    const readings = new ReadingTable();
    const spilled = spillAfter === undefined ? undefined : new SpilledReadings(memoryScratch());
    for (const [place, { site, device, metric, ms, receivedMs, message, value, isByArrival, profile }] of all.entries()) {
        const numbers = [
            readings.metrics.numberOf(metric),
            HOUR * HOUR_MS + ms,
            receivedMs,
            readings.messages.add(message),
            readings.profiles.numberOf(profile),
        ] as const;
        readings.add(readings.device(site, device), ...numbers, isByArrival);
        if (typeof value === 'string') {
            readings.setText(value);
        } else if (ms % 2 === 0) {
            readings.setUnits(value);
        } else {
            // As profiles give small numbers: in two parts of one sign.
            const whole = value / 10n ** 9n;
            readings.setNumber(Number(whole), Number(value % 10n ** 9n));
        }
        if (spillAfter !== undefined && place % spillAfter === 0) {
            spilled?.add(readings);
        }
    }
    spilled?.add(readings);
    const periods = hourPeriods(readings, spilled);
    expect([...periods.keys()]).toEqual([PERIOD]);
    return toPlain(table, periods.get(PERIOD) as TypedRows);
}

function plainRow({ site, device, metric, ms, receivedMs, message, value, isByArrival, profile }: One): Rows {
    const at = BigInt(HOUR * HOUR_MS + ms);
    return {
        site: [site],
        device: [device],
        metric: [metric],
        at_ms: BigInt64Array.of(at),
        message: [message],
        measured_at: BigInt64Array.of(at),
        received_ms: BigInt64Array.of(BigInt(receivedMs)),
        value: [typeof value === 'string' ? null : value],
        text: [typeof value === 'string' ? value : null],
        clock: [isByArrival ? 'arrival' : 'device'],
        profile: [profile],
        copies: BigInt64Array.of(1n),
    };
}

describe('the rows of an hour', () => {
    it('are those of its readings merged one by one, in whatever order they came', () => {
        // A number in two parts needs a whole part that is exact as a double.
        const some = ones.filter(
            ({ ms, value }) => typeof value === 'string' || ms % 2 === 0 || (value < 2n ** 80n && value > -(2n ** 80n)),
        );
        fc.assert(
            fc.property(fc.array(some, { minLength: 1, maxLength: 40 }), (all) => {
                const merged = mergeRows(all.map(plainRow), { table, period: PERIOD });
                expect(typedRows(all)).toEqual(merged);
                expect(typedRows(all.toReversed())).toEqual(merged);
            }),
            { numRuns: 500 },
        );
    });

    it('are the same where parts of the readings did not fit memory', () => {
        fc.assert(
            fc.property(fc.array(ones, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 20 }), (all, spillAfter) => {
                expect(typedRows(all, { spillAfter })).toEqual(typedRows(all));
            }),
            { numRuns: 500 },
        );
    });
});
