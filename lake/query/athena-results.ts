/** The rows of a query that Athena has finished: a single page as the API hands it out, more of them from the file that it wrote. */
import { type AthenaClient, GetQueryResultsCommand, type GetQueryResultsCommandOutput } from '@aws-sdk/client-athena';
import type { S3Client } from '@aws-sdk/client-s3';
import { asStorageError } from '#lake/aws/aws-errors';
import { readAthenaCsv } from './athena-csv.ts';
import type { FinishedExecution } from './athena-execution.ts';
import { readOutput } from './athena-output.ts';
import { columnOf, readerOf } from './athena-values.ts';
import type { QueryResult, ResultColumn, Value } from './query-engine.ts';

export interface ResultOptions {
    client: AthenaClient;
    s3: S3Client;
    execution: FinishedExecution;
    /** Aborting it ends the rows with its reason. */
    signal: AbortSignal;
}

type Cells = (string | null)[];

/** The answer: its columns and how to get at its rows. @throws StorageError */
export async function readResult(options: ResultOptions): Promise<QueryResult> {
    const { execution } = options;
    const first = await fetchPage(options);
    const columns = (first.ResultSet?.ResultSetMetadata?.ColumnInfo ?? []).map(columnOf);
    const isInFile = first.NextToken !== undefined && execution.location?.endsWith('.csv') === true;
    const batches = isInFile ? rowsOfFile(options) : rowsOfPages(first, columns.length, options);
    return { columns, scanned: execution.scanned, batches: typedBatches(batches, columns, options.signal) };
}

async function* typedBatches(
    batches: AsyncIterable<Cells[]>,
    columns: readonly ResultColumn[],
    signal: AbortSignal,
): AsyncGenerator<Value[][]> {
    const readers = columns.map(readerOf);
    let isFirst = true;
    for await (const batch of batches) {
        signal.throwIfAborted();
        // Only a select puts its column names before its rows; `show`, `describe` and `explain` do not.
        const rows = isFirst && isHeader(batch[0], columns) ? batch.slice(1) : batch;
        isFirst = false;
        if (rows.length > 0) {
            yield rows.map((row) => readers.map((read, at) => read(row[at] ?? null)));
        }
    }
    signal.throwIfAborted();
}

function isHeader(row: Cells | undefined, columns: readonly ResultColumn[]): boolean {
    return row !== undefined && row.length === columns.length && row.every((cell, at) => cell === columns[at]?.name);
}

/** Rows of the result's file, which says all that the pages say, at a hundredth of the requests. */
async function* rowsOfFile({ s3, execution: { location = '' }, signal }: ResultOptions): AsyncGenerator<Cells[]> {
    yield* readAthenaCsv(readOutput({ s3, location, signal }));
}

async function* rowsOfPages(first: GetQueryResultsCommandOutput, width: number, options: ResultOptions): AsyncGenerator<Cells[]> {
    for (let page = first; ; page = await fetchPage(options, page.NextToken)) {
        yield (page.ResultSet?.Rows ?? []).map(({ Data = [] }) => cellsOf(Data, width));
        if (page.NextToken === undefined) {
            return;
        }
    }
}

/** The cells of a row. A row of `describe` comes as one text with tabs in it, padded with blanks: Hive writes it, not Trino. */
function cellsOf(data: readonly { VarCharValue?: string | undefined }[], width: number): Cells {
    const cells = data.map(({ VarCharValue }) => VarCharValue ?? null);
    const [only] = cells;
    return cells.length === 1 && width > 1 && only ? only.split('\t').map((cell) => cell.trim()) : cells;
}

async function fetchPage({ client, execution, signal }: ResultOptions, token?: string): Promise<GetQueryResultsCommandOutput> {
    try {
        const command = new GetQueryResultsCommand({ QueryExecutionId: execution.id, ...(token !== undefined && { NextToken: token }) });
        return await client.send(command, { abortSignal: signal });
    } catch (error) {
        signal.throwIfAborted();
        throw asStorageError(error, { doing: 'read the query’s result' });
    }
}
