/** What Athena's refusals mean: the user's SQL is wrong, or the world is, and what then to do. */
import { type AthenaClient, GetWorkGroupCommand, type QueryExecution } from '@aws-sdk/client-athena';
import { asStorageError, awsCodeOf } from '#lake/aws/aws-errors';
import { type OverflowError, SqlError, StorageError } from '#lake/errors';
import { sayBytes, sayUsd } from '#lake/say-size';
import type { Scanned } from './query-engine.ts';
import { statisticsOverflowIn } from './statistics-overflow.ts';

/** The error that a refused call to Athena means; an error that is none of AWS stays as it is. */
export function refusalOf(error: unknown, { workgroup }: { workgroup: string }): unknown {
    const code = awsCodeOf(error);
    if (!(error instanceof Error) || code === undefined) {
        return asStorageError(error, { doing: 'ask Athena' });
    }
    if (code === 'TooManyRequestsException' || code === 'ThrottlingException') {
        const message = `Athena has too much to do for this account and said so until the last attempt: run it again later (${error.message})`;
        return new StorageError(message, { cause: error });
    }
    if (code !== 'InvalidRequestException') {
        return asStorageError(error, { doing: 'ask Athena' });
    }
    if (/work ?group/i.test(error.message)) {
        const nextStep = 'run flowlake doctor, which compares the deployment with what its bucket says';
        return new StorageError(`Workgroup ${workgroup} does not answer: ${error.message}; ${nextStep}`, { cause: error });
    }
    return saysBrokenWorld(error.message) ?? new SqlError(error.message, { cause: error });
}

/** The error that a query means which ended without a result. */
export async function failureOf(
    { Status, Statistics }: QueryExecution,
    { client, workgroup }: { client: AthenaClient; workgroup: string },
): Promise<SqlError | StorageError | OverflowError> {
    const reason = Status?.StateChangeReason ?? Status?.AthenaError?.ErrorMessage ?? 'Athena gives no reason';
    if (/bytes scanned limit/i.test(reason)) {
        const limit = await scanLimitOf(client, workgroup);
        const scanned = sayBytes(Statistics?.DataScannedInBytes ?? 0);
        const allowed = limit === undefined ? '' : ` of ${sayBytes(limit)}`;
        return new StorageError(
            `Workgroup ${workgroup} stopped the query at its scan limit${allowed}, after ${scanned}: ` +
                'ask for fewer days (where day >= ...) or fewer columns, or have the limit raised (docs/operations.md)',
        );
    }
    if (Status?.State === 'CANCELLED') {
        return new StorageError(`The query was cancelled in Athena, not from here (${reason}): run it again`);
    }
    const known = statisticsOverflowIn(reason) ?? saysBrokenWorld(reason);
    if (known !== undefined) {
        return known;
    }
    // 1 is Athena's own fault, 2 the user's (https://docs.aws.amazon.com/athena/latest/ug/error-reference.html).
    const isOfSystem = Status?.AthenaError?.ErrorCategory === 1;
    return isOfSystem ? new StorageError(`Athena failed: ${reason}; run it again`) : new SqlError(reason);
}

/** The error for a query that scanned more than --max-scan allows. */
export function overLimit({ scanned, maxScanBytes, isOver }: { scanned: Scanned; maxScanBytes: number; isOver: boolean }): SqlError {
    const fate = isOver ? 'was over when Athena told; its rows are not shown' : 'was stopped';
    return new SqlError(
        `The query scanned ${sayBytes(scanned.bytes)} (${sayUsd(scanned.costUsd)}), more than the ${sayBytes(maxScanBytes)} ` +
            `that --max-scan allows, and ${fate}: ask for fewer days (where day >= ...) or fewer columns, or allow more`,
    );
}

/** Words of Athena that are about the world and not about the SQL, whatever category it gives them, and what to do. */
const BROKEN_WORLDS: readonly [RegExp, string][] = [
    [
        /access ?denied|not authorized|insufficient (lake formation )?permission|PERMISSION_DENIED|forbidden/i,
        'your AWS identity lacks a right; docs/security.md lists those that each command needs',
    ],
    [
        /output (location|bucket)|save your query results|NoSuchBucket|bucket does not exist/i,
        'the place for query results is missing or not writable; run flowlake doctor',
    ],
    [/exhausted resources|EXCEEDED_\w*LIMIT|query timeout/i, 'the query is too large; ask for fewer days, pairs or columns'],
    [/slow ?down|rate exceeded|throttl/i, 'S3 or Glue was asked for too much at once; run it again later'],
    [
        /HIVE_\w+|GENERIC_INTERNAL_ERROR|INTERNAL_ERROR|internal (service )?error/i,
        'a file of the lake, or Athena, is damaged; run flowlake verify',
    ],
];

function saysBrokenWorld(reason: string): StorageError | undefined {
    const nextStep = BROKEN_WORLDS.find(([words]) => words.test(reason))?.[1];
    return nextStep === undefined ? undefined : new StorageError(`Athena cannot answer: ${nextStep} (${reason})`);
}

/** The workgroup's scan limit in bytes; undefined where it cannot be told. That it was reached is certain all the same. */
async function scanLimitOf(client: AthenaClient, workgroup: string): Promise<number | undefined> {
    try {
        const { WorkGroup } = await client.send(new GetWorkGroupCommand({ WorkGroup: workgroup }));
        return WorkGroup?.Configuration?.BytesScannedCutoffPerQuery;
    } catch {
        return undefined;
    }
}
