/** The report of a job is understood as today's jobs write it and as those of earlier deployments did. */
import { StorageError } from '#lake/errors';
import { parseJobReport } from '#lake/work/period-results';

const KEY = '_flowlake/reports/x.json';
const parse = (report: unknown) => parseJobReport(Buffer.from(JSON.stringify(report)), { key: KEY });

test('periods of several tables are told apart', () => {
    const periods = [
        { table: 'meter_hours', period: '2026-03-31T13', what: 'written', sources: 2, rows: 7, failed: false },
        { table: 'pair_days', period: '2026-03-31', what: 'failed: no Parquet', sources: null, rows: null, failed: true },
    ];
    expect(parse({ total: 3, periods })).toEqual({
        total: 3,
        periods: periods.map(({ failed, ...result }) => ({ ...result, hasFailed: failed })),
    });
});

test('days of a job that was deployed by an earlier version are days of flows', () => {
    const days = [{ day: '2026-03-31', what: 'written', sources: 2, pairs: 7, failed: false }];
    expect(parse({ days_total: 2, days })).toEqual({
        total: 2,
        periods: [{ table: 'pair_days', period: '2026-03-31', what: 'written', sources: 2, rows: 7, hasFailed: false }],
    });
});

test.each([
    ['no object', 7],
    ['no count', { periods: [] }],
    ['no periods', { total: 1 }],
    ['a period without a result', { total: 1, periods: [{ table: 'pair_days', period: '2026-03-31', failed: false }] }],
])('%s is no report, and the error names its key', (_, report) => {
    expect(() => parse(report)).toThrow(StorageError);
    expect(() => parse(report)).toThrow(KEY);
});
