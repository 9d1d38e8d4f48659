/** What a person is told of a file beside its figures. */
import { expect, test } from '@jest/globals';
import { doubtsOf } from '#lake/flows/doubts';
import type { Found, ReadingOptions } from '#lake/kind';

const now = new Date('2026-02-01T12:00:00Z');
const remedies = (record: Found, options: ReadingOptions = {}): string[] => doubtsOf(record, { options, now }).map(({ remedy }) => remedy);

test('where flows of nfdump last half a million years the option of the exporter is named', () => {
    expect(remedies({ dialect: 'nfdump', rejected: 'too_large 423, negative 1' })).toEqual([expect.stringMatching(/-A milli/)]);
    expect(remedies({ dialect: 'nfdump', rejected: 'negative 1' })).toEqual([]);
    expect(remedies({ dialect: 'nfdump', rejected: null })).toEqual([]);
    expect(remedies({ dialect: 'cicflowmeter', rejected: 'too_large 1' })).toEqual([]);
});

test('a summary of nfdump that counts other flows than are there is named', () => {
    expect(remedies({ dialect: 'nfdump', announced: '20 of 51' })).toEqual([expect.stringMatching(/^20 of 51 are there;.*-B/)]);
    expect(remedies({ dialect: 'nfdump', announced: null })).toEqual([]);
});

test('days in the future and days before meters existed are named', () => {
    expect(remedies({ first_day: '2026-01-05', last_day: '2026-02-02' })).toEqual([]);
    expect(remedies({ first_day: '2026-01-05', last_day: '2026-02-03' })).toEqual([expect.stringMatching(/^up to 2026-02-03;/)]);
    expect(remedies({ first_day: '1970-01-01', last_day: '1970-01-01' })).toEqual([expect.stringMatching(/^from 1970-01-01 on;/)]);
});

test('an option that a file has no use for is named', () => {
    const suricata = { dialect: 'suricata', date_order: 'epoch', duration_unit: 'us', duration_unit_by: 'named', rows_kept: 3 };
    expect(remedies(suricata)).toEqual([]);
    expect(remedies(suricata, { dateOrder: 'mdy' })).toEqual([expect.stringMatching(/have no order; leave the option out$/)]);
    expect(remedies(suricata, { durationUnit: 'ms' })).toEqual([
        'suricata writes when flows begin and end, and no durations; leave the option out',
    ]);
    const used = { dialect: 'cicflowmeter', date_order: 'mdy', duration_unit: 'ms', duration_unit_by: 'given', rows_kept: 3 };
    expect(remedies(used, { dateOrder: 'mdy', durationUnit: 'ms' })).toEqual([]);
});

test('a file of flows none of which has a duration is named, and no other', () => {
    const untimed = { dialect: 'zeek', date_order: 'epoch', duration_unit: null, duration_unit_by: null, rows_kept: 3 };
    expect(remedies(untimed)).toEqual([expect.stringMatching(/^they count with their packets/)]);
    expect(remedies(untimed, { durationUnit: 's' })).toHaveLength(1);
    expect(remedies({ ...untimed, duration_unit: 's', duration_unit_by: 'named' })).toEqual([]);
    // Nothing is known of a file that could not be read.
    expect(remedies({ ...untimed, dialect: null, rows_kept: 0 })).toEqual([]);
});
