/** How each file of an upload came out, as rows and in words. */
import type { RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { sayCount } from '#cli/draw/quantity';
import type { Doubt, Found } from '#lake/kind';
import { kindOf } from '#lake/kinds';
import { siteOf } from '#lake/layout';
import type { LedgerRecord } from '#lake/ledger';
import type { Value } from '#lake/query/query-engine';
import type { UploadResult } from '#lake/upload/result';

/** The exit code: 1 where a file was refused or could not be used, else 0. */
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

/** The column of the reasons. In a table the reasons would push the figures off the screen, so there they stand below it. */
const NOTE = { name: 'note', type: 'varchar' };

export async function report(
    results: readonly UploadResult[],
    context: Pick<RunContext, 'stdout' | 'stderr' | 'signal' | 'output' | 'now'>,
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
    await sayDoubts(results, context);
}

/** Says what a person should know of how files were read, once for all files that it holds for. */
async function sayDoubts(results: readonly UploadResult[], { stderr, now }: Pick<RunContext, 'stderr' | 'now'>): Promise<void> {
    const filesOfDoubt = new Map<string, { doubt: Doubt; shown: string[] }>();
    for (const { file, result, record } of results) {
        const doubts = record === undefined || result === 'skipped' ? [] : kindOf(file.key).doubtsOf(foundIn(record), { now: now() });
        for (const doubt of doubts) {
            const name = `${doubt.text}: ${doubt.remedy}`;
            const { shown } = filesOfDoubt.get(name) ?? { shown: [] };
            filesOfDoubt.set(name, { doubt, shown: [...shown, file.shown] });
        }
    }
    for (const { doubt, shown } of filesOfDoubt.values()) {
        const text = doubt.text.replace('{files}', sayCount(shown.length, 'file'));
        await stderr.write(`${text} (${shown[0]}${shown.length > 1 ? ', ...' : ''}): ${doubt.remedy}\n`);
    }
}

/** The fields of the record that may be what its kind has found out. */
function foundIn(record: LedgerRecord): Found {
    return Object.fromEntries(
        Object.entries(record).filter(
            (entry): entry is [string, string | number | null] => entry[1] === null || ['string', 'number'].includes(typeof entry[1]),
        ),
    );
}

/** Says each note once, with the files that it holds for. */
async function sayNotes(results: readonly UploadResult[], { stderr }: Pick<RunContext, 'stderr'>): Promise<void> {
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
