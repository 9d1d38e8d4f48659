/** Prints the rows of a query as a table, JSON or CSV, batch by batch: memory stays flat however many there are. */

import type { OutputFormat } from '#cli/command';
import type { Output } from '#cli/output';
import { csvLine } from '#lake/csv';
import { jsonRowWriter } from '#lake/json-rows';
import type { QueryResult } from '#lake/query/query-engine';
import type { Chunk } from './print-table.ts';
import { renderTable } from './print-table.ts';

export interface PrintOptions {
    output: OutputFormat;
    stdout: Output;
    stderr: Output;
    signal: AbortSignal;
    /** Called where there are no rows, before anything is printed: what it throws is then all that is said. */
    ifNone?: () => Promise<void>;
}

/** Prints the rows. @returns how many there were. With no rows a table says so on stderr; columns are shown in any case. */
export async function printRows(asked: QueryResult, { output, stdout, stderr, signal, ifNone }: PrintOptions): Promise<number> {
    const result = ifNone === undefined ? asked : await beginsOr(asked, ifNone);
    const chunks = output === 'csv' ? renderCsv(result) : output === 'json' ? renderJson(result) : renderTable(result, stdout);
    let rows = 0;
    for await (const chunk of chunks) {
        signal.throwIfAborted();
        rows += chunk.rows;
        await stdout.write(chunk.text);
    }
    if (rows === 0 && output === 'table') {
        await stderr.write('0 rows\n');
    }
    return rows;
}

/** The result, after `ifNone` where it has no rows. */
async function beginsOr({ columns, batches }: QueryResult, ifNone: () => Promise<void>): Promise<QueryResult> {
    const rest = batches[Symbol.asyncIterator]();
    let next = await rest.next();
    while (next.done !== true && next.value.length === 0) {
        next = await rest.next();
    }
    if (next.done === true) {
        await ifNone();
    }
    const first = next;
    const all = async function* () {
        for (let step = first; step.done !== true; step = await rest.next()) {
            yield step.value;
        }
    };
    return { columns, batches: all() };
}

/** The result without these columns. */
export function withoutColumns({ columns, batches }: QueryResult, names: readonly string[]): QueryResult {
    const kept = columns.flatMap(({ name }, index) => (names.includes(name) ? [] : [index]));
    const pick = async function* () {
        for await (const batch of batches) {
            yield batch.map((row) => kept.map((index) => row[index] ?? null));
        }
    };
    return { columns: columns.filter(({ name }) => !names.includes(name)), batches: pick() };
}

/** CSV with a header line. */
export async function* renderCsv({ columns, batches }: QueryResult): AsyncGenerator<Chunk> {
    yield { text: csvLine(columns.map(({ name }) => name)), rows: 0 };
    for await (const batch of batches) {
        yield { text: batch.map(csvLine).join(''), rows: batch.length };
    }
}

/** A JSON array with one object per row and line. Whole numbers stand digit by digit; a number that JSON has not (NaN) is null. */
export async function* renderJson({ columns, batches }: QueryResult): AsyncGenerator<Chunk> {
    const write = jsonRowWriter(columns);
    let separator = '\n';
    yield { text: '[', rows: 0 };
    for await (const batch of batches) {
        let text = '';
        for (const row of batch) {
            text += `${separator}${write(row)}`;
            separator = ',\n';
        }
        yield { text, rows: batch.length };
    }
    yield { text: separator === '\n' ? ']\n' : '\n]\n', rows: 0 };
}
