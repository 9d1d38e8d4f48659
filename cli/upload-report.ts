/** How each file of an upload came out, as rows and in words. */

import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { sayCount } from '#cli/draw/quantity';
import { siteOf } from '#lake/layout';
import type { LedgerRecord } from '#lake/ledger';
import type { Value } from '#lake/query/query-engine';
import type { UploadDecision } from '#lake/upload/decide';
import type { Context } from './command.ts';
import type { UploadFile } from './gather-files.ts';

export interface UploadResult {
    file: UploadFile;
    /** `stored`: it is under raw/, and nobody waited for the figures. */
    result: 'added' | 'replaced' | 'skipped' | 'stored' | 'refused' | 'failed';
    record?: LedgerRecord | undefined;
    note?: string | undefined;
}

/** What became of a file that was not refused, by its record. */
export function resultOf(file: UploadFile, decision: UploadDecision, record: LedgerRecord | undefined): UploadResult {
    if (record?.state === 'failed') {
        return { file, result: 'failed', record, note: record.error ?? undefined };
    }
    if (decision.action === 'skip') {
        return { file, result: 'skipped', record, note: 'the lake has these bytes under this name' };
    }
    const isReplacing = decision.action === 'put' && decision.isReplacing;
    return { file, result: isReplacing ? 'replaced' : 'added', record };
}

/** 1 where a file was refused or could not be used. */
export function exitCodeOf(results: readonly UploadResult[]): number {
    return results.some(({ result }) => result === 'refused' || result === 'failed') ? 1 : 0;
}

const COLUMNS = [
    { name: 'site', type: 'varchar' },
    { name: 'file', type: 'varchar' },
    { name: 'result', type: 'varchar' },
    { name: 'rows_kept', type: 'bigint' },
    { name: 'rows_rejected', type: 'bigint' },
    { name: 'first_day', type: 'varchar' },
    { name: 'last_day', type: 'varchar' },
];

/** The reasons in words: in a table they would push the figures off the screen, so there they stand below it. */
const NOTE = { name: 'note', type: 'varchar' };

export async function report(
    results: readonly UploadResult[],
    context: Pick<Context, 'stdout' | 'stderr' | 'signal' | 'output'>,
): Promise<void> {
    const isTable = context.output === 'table';
    const sorted = results.toSorted((a, b) => (a.file.key < b.file.key ? -1 : 1));
    const rows = sorted.map(({ file, result, record, note }): Value[] => [
        siteOf(file.key),
        file.shown,
        result,
        record ? BigInt(record.rows_kept) : null,
        record ? BigInt(record.rows_rejected) : null,
        record?.first_day ?? null,
        record?.last_day ?? null,
        ...(isTable ? [] : [note ?? null]),
    ]);
    await printRows({ columns: isTable ? COLUMNS : [...COLUMNS, NOTE], batches: batchOf(rows) }, context);
    if (isTable) {
        await sayNotes(sorted, context);
    }
    const rejected = results.reduce((sum, { record }) => sum + (record?.rows_rejected ?? 0), 0);
    if (rejected > 0) {
        await context.stderr.write(`${sayCount(rejected, 'row was', 'rows were')} rejected; flowlake rejects shows which and why\n`);
    }
    const assumed = results.filter(({ record, result }) => record?.date_order === 'assumed' && result !== 'skipped');
    if (assumed.length > 0) {
        await context.stderr.write(
            `Nothing in ${sayCount(assumed.length, 'file')} tells day from month (${assumed[0]?.file.shown}${assumed.length > 1 ? ', ...' : ''}): ` +
                'day first was taken; if the month is first: --replace --date-order mdy\n',
        );
    }
}

/** Each note once, with the files that it holds for. */
async function sayNotes(results: readonly UploadResult[], { stderr }: Pick<Context, 'stderr'>): Promise<void> {
    const filesOfNote = new Map<string, string[]>();
    for (const { file, result, note } of results) {
        if (note !== undefined) {
            const text = `${result}: ${note}`;
            filesOfNote.set(text, [...(filesOfNote.get(text) ?? []), file.shown]);
        }
    }
    for (const [text, [first, ...others]] of filesOfNote) {
        await stderr.write(`${first}${others.length > 0 ? ` and ${sayCount(others.length, 'more', 'more')}` : ''} ${text}\n`);
    }
}
