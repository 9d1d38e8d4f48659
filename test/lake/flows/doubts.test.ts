/** What a person is told of a file beside its figures. */
import { expect, test } from '@jest/globals';
import { doubtsOf } from '#lake/flows/doubts';

const now = new Date('2026-02-01T12:00:00Z');
const remedies = (record: Parameters<typeof doubtsOf>[0]): string[] => doubtsOf(record, { now }).map(({ remedy }) => remedy);

test('where flows of nfdump last half a million years the option of the exporter is named', () => {
    expect(remedies({ dialect: 'nfdump', rejected: 'too_large 423, negative 1' })).toEqual([expect.stringMatching(/-A milli/)]);
    expect(remedies({ dialect: 'nfdump', rejected: 'negative 1' })).toEqual([]);
    expect(remedies({ dialect: 'nfdump', rejected: null })).toEqual([]);
    expect(remedies({ dialect: 'cicflowmeter', rejected: 'too_large 1' })).toEqual([]);
});

test('days in the future and days before meters existed are named', () => {
    expect(remedies({ first_day: '2026-01-05', last_day: '2026-02-02' })).toEqual([]);
    expect(remedies({ first_day: '2026-01-05', last_day: '2026-02-03' })).toEqual([expect.stringMatching(/^up to 2026-02-03;/)]);
    expect(remedies({ first_day: '1970-01-01', last_day: '1970-01-01' })).toEqual([expect.stringMatching(/^from 1970-01-01 on;/)]);
});
