/** What is said when Athena does not answer: the user's SQL, or the world, and what to do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { StopQueryExecutionCommand } from '@aws-sdk/client-athena';
import { OverflowError, SqlError, StorageError } from '#lake/errors';
import { type AthenaBackend, AthenaFailure, type Fault } from '#test/support/athena-server';
import { openAthenaFixture } from '#test/support/athena-server-fixture';

describe('a query that failed', () => {
    test.each([
        [
            "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved",
            2,
            SqlError,
            /^COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved$/,
        ],
        ['TABLE_NOT_FOUND: line 1:15: Table does not exist', 2, SqlError, /line 1:15/],
        ['DIVISION_BY_ZERO: Division by zero', 2, SqlError, /^DIVISION_BY_ZERO/],
        ['Access Denied (Service: Amazon S3; Status Code: 403)', 2, StorageError, /lacks a right; docs\/security\.md.*Access Denied/],
        ['Insufficient permissions to execute the query.', 2, StorageError, /lacks a right/],
        ['Query exhausted resources at this scale factor', 2, StorageError, /too large; ask for fewer days/],
        ['HIVE_BAD_DATA: Not valid Parquet file: part-00.parquet', 2, StorageError, /damaged; run flowlake verify.*part-00/],
        ['Unable to verify/create output bucket results', 2, StorageError, /place for query results.*flowlake doctor/],
        [
            "INVALID_CAST_ARGUMENT: Cannot cast 'fwd_pkts of ::1 to it's at site Z' x is too large for exact statistics on 2026-01-05' to BIGINT",
            2,
            OverflowError,
            /^fwd_pkts of ::1 to it's at site Z' x is too large for exact statistics on 2026-01-05: leave/,
        ],
        [
            'INVALID_CAST_ARGUMENT: Cannot cast value of a row "litres of a to b is too large for exact statistics on 2026-01-05" to BIGINT',
            2,
            OverflowError,
            /^litres of a to b is too large for exact statistics on 2026-01-05: leave/,
        ],
        ['The machine room is on fire', 1, StorageError, /Athena failed: The machine room is on fire; run it again/],
    ] as const)('%s', async (reason, category, kind, message) => {
        const { engine } = await openAthenaFixture({
            backend: { run: () => Promise.reject(new AthenaFailure(reason, { category })) },
        });
        const asked = engine.query('select 1');
        await expect(asked).rejects.toThrow(kind);
        await expect(asked).rejects.toThrow(message);
    });

    test('shows the place as the engine tells it', async () => {
        const { engine } = await openAthenaFixture({ flows: [{ day: '2026-01-05' }] });
        await expect(engine.query('select nope from pair_days')).rejects.toThrow(/"nope" not found[\s\S]*LINE 1/);
    });

    test('was cancelled by somebody else', async () => {
        const backend: AthenaBackend = { run: (_, signal) => sleep(60_000, { columns: [], rows: [], scannedBytes: 0 }, { signal }) };
        const { client, engine, server } = await openAthenaFixture({ backend });
        const asked = engine.query('select 1');
        const stopAll = () => server.queries().map((id) => client.send(new StopQueryExecutionCommand({ QueryExecutionId: id })));
        setTimeout(stopAll, 200);
        await expect(asked).rejects.toThrow(StorageError);
        await expect(asked).rejects.toThrow(/cancelled in Athena, not from here/);
    });
});

describe('a call that is refused', () => {
    const malformed = "line 1:1: mismatched input 'selec'. Expecting: 'SELECT'";
    test.each<[Omit<Fault, 'action'>, typeof SqlError | typeof StorageError, RegExp]>([
        [{ type: 'InvalidRequestException', message: malformed }, SqlError, /^line 1:1: mismatched/],
        [
            { type: 'InvalidRequestException', message: 'WorkGroup lake is disabled.' },
            StorageError,
            /Workgroup lake does not answer.*flowlake doctor/,
        ],
        [{ type: 'InvalidRequestException', message: 'No output location provided.' }, StorageError, /place for query results/],
        [
            { type: 'AccessDeniedException', message: 'not authorized' },
            StorageError,
            /cannot ask Athena: your AWS identity.*AccessDeniedException/,
        ],
        [{ type: 'TooManyRequestsException', message: 'Rate exceeded', times: 99 }, StorageError, /too much to do.*run it again later/],
    ])('%s', async (fault, kind, message) => {
        const { engine, server } = await openAthenaFixture();
        server.faults.push({ action: 'StartQueryExecution', ...fault });
        const asked = engine.query('select 1');
        await expect(asked).rejects.toThrow(kind);
        await expect(asked).rejects.toThrow(message);
    });

    test('is tried again while Athena only asks for patience', async () => {
        const { engine, server } = await openAthenaFixture();
        server.faults.push({ action: 'GetQueryExecution', type: 'TooManyRequestsException', message: 'Rate exceeded', times: 2 });
        const { batches } = await engine.query('select 1 as one');
        for await (const batch of batches) {
            expect(batch).toEqual([[1n]]);
        }
    });

    test('names the workgroup that is not there', async () => {
        const { openEngine } = await openAthenaFixture();
        await expect(openEngine({ workgroup: 'gone' }).query('select 1')).rejects.toThrow(
            /Workgroup gone does not answer: WorkGroup is not found/,
        );
    });

    test('ends the query that it was about', async () => {
        const { engine, server } = await openAthenaFixture();
        server.faults.push({ action: 'GetQueryExecution', type: 'AccessDeniedException', message: 'no' });
        await expect(engine.query('select 1')).rejects.toThrow(StorageError);
        expect(server.count('StopQueryExecution')).toBe(1);
    });
});
