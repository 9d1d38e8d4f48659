/** How each file of an upload came out, as rows and in words: on one screen, however many there are. */
import type { RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { sayCount } from '#cli/draw/quantity';
import { cutToWidth, printable } from '#cli/draw/text-width';
import type { Doubt } from '#lake/kind';
import { kindOf } from '#lake/kinds';
import { factsOf } from '#lake/ledger';
import type { UploadResult } from '#lake/upload/result';
import type { ReportColumn } from './report-columns.ts';
import { type FindFirstReject, sayLosses } from './say-losses.ts';
import { firstLines, isProblem, rowsForScreen } from './screenful.ts';

/** The exit code: 1 where a file was refused, could not be used or keeps nothing, else 0. */
export function exitCodeOf(results: readonly UploadResult[]): number {
    return results.some(isProblem) ? 1 : 0;
}

/** Lines of one sort that are told below a table. */
const MOST_LINES = 4;

export interface ReportOptions {
    columns: readonly ReportColumn[];
    findFirstReject: FindFirstReject;
    /** True if nothing was done: the files were only read. */
    isTrial: boolean;
}

export async function report(
    results: readonly UploadResult[],
    context: Pick<RunContext, 'stdout' | 'stderr' | 'signal' | 'output' | 'now'>,
    { columns, findFirstReject, isTrial }: ReportOptions,
): Promise<void> {
    const { stderr } = context;
    const isTable = context.output === 'table';
    const sorted = results.toSorted((a, b) => (a.file.key < b.file.key ? -1 : 1));
    const { rows, gathered } = isTable
        ? rowsForScreen(sorted, columns)
        : { rows: sorted.map((result) => columns.map(({ cellOf }) => cellOf(result))), gathered: 0 };
    await printRows({ columns: columns.map(({ name, type }) => ({ name, type })), batches: batchOf(rows) }, context);
    const rejected = results.reduce((sum, { record }) => sum + (record?.rows_rejected ?? 0), 0);
    // Of many files each note must leave room for the others.
    const cut = (text: string): string => (gathered > 0 ? cutToWidth(text, stderr.columns * 2) : text);
    const lines = [
        ...(gathered > 0 ? [`${sayCount(results.length, 'file')}; --output csv has a row for each`] : []),
        ...(isTable ? firstLines(sayNotes(sorted).map(cut), { most: MOST_LINES, what: 'note' }) : []),
        ...firstLines(await sayLosses(sorted, { findFirstReject, stderr }), { most: MOST_LINES, what: 'reason' }),
        ...(rejected > 0 ? [sayRejected(rejected, { isTrial })] : []),
        ...firstLines(sayDoubts(sorted, { ...context, isTrial }), { most: MOST_LINES, what: 'doubt' }),
    ];
    for (const line of lines) {
        await stderr.write(`${line}\n`);
    }
}

function sayRejected(rejected: number, { isTrial }: { isTrial: boolean }): string {
    return isTrial
        ? `${sayCount(rejected, 'row')} would be rejected; --output csv has the reasons for each file`
        : `${sayCount(rejected, 'row was', 'rows were')} rejected; flowlake rejects shows which and why`;
}

/** What a person should know of how files were read, once for all files that it holds for. */
function sayDoubts(results: readonly UploadResult[], { now, isTrial }: Pick<RunContext, 'now'> & { isTrial: boolean }): string[] {
    const filesOfDoubt = new Map<string, { doubt: Doubt; shown: string[] }>();
    for (const { file, result, record } of results) {
        const doubts =
            record === undefined || result === 'skipped'
                ? []
                : kindOf(file.key).doubtsOf(factsOf(record), { options: record.options, now: now() });
        for (const doubt of doubts) {
            const name = `${doubt.text}: ${doubt.remedy}`;
            const { shown } = filesOfDoubt.get(name) ?? { shown: [] };
            filesOfDoubt.set(name, { doubt, shown: [...shown, file.shown] });
        }
    }
    return [...filesOfDoubt.values()].map(({ doubt, shown }) => {
        const text = doubt.text.replace('{files}', sayCount(shown.length, 'file'));
        // What is not in the lake yet has nothing to be replaced.
        const remedy = isTrial ? doubt.remedy.replaceAll('--replace ', '') : doubt.remedy;
        return `${text} (${shown[0]}${shown.length > 1 ? ', ...' : ''}): ${remedy}`;
    });
}

/** Each note once, with the files that it holds for; those on files that need a look come first. */
function sayNotes(results: readonly UploadResult[]): string[] {
    const filesOfNote = new Map<string, string[]>();
    for (const { file, result, note } of [...results.filter(isProblem), ...results.filter((one) => !isProblem(one))]) {
        if (note !== undefined) {
            const text = `${result}: ${note}`;
            filesOfNote.set(text, [...(filesOfNote.get(text) ?? []), file.shown]);
        }
    }
    return [...filesOfNote].map(
        ([text, [first = '', ...others]]) =>
            `${printable(first)}${others.length > 0 ? ` and ${sayCount(others.length, 'more', 'more')}` : ''} ${text}`,
    );
}
