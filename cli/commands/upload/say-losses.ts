/** Says of files that lost more than half of their rows for one reason what it was, and shows the first of them. */
import type { RunContext } from '#cli/command';
import { sayCount } from '#cli/draw/quantity';
import { cutToWidth, printable } from '#cli/draw/text-width';
import { kindOf } from '#lake/kinds';
import type { LedgerRecord } from '#lake/ledger';
import type { RejectedRow } from '#lake/reports/first-reject';
import type { UploadResult } from '#lake/upload/result';

/** Finds the first row of a file that was rejected for the reason. */
export type FindFirstReject = (result: UploadResult, reason: string) => Promise<RejectedRow | undefined>;

/** A line for each such reason, with the first file that has it. */
export async function sayLosses(
    results: readonly UploadResult[],
    { findFirstReject, stderr }: { findFirstReject: FindFirstReject } & Pick<RunContext, 'stderr'>,
): Promise<string[]> {
    const ofReason = new Map<string, { loss: Loss; result: UploadResult; others: number }>();
    for (const result of results) {
        const loss = result.result === 'skipped' || !result.record ? undefined : lossOf(result.record);
        if (loss) {
            const known = ofReason.get(loss.reason);
            ofReason.set(loss.reason, known ? { ...known, others: known.others + 1 } : { loss, result, others: 0 });
        }
    }
    const lines: string[] = [];
    for (const { loss, result, others } of ofReason.values()) {
        const { reason, rejected, read, parts } = loss;
        const row = await findFirstReject(result, reason);
        const more = others > 0 ? `, and more than half of ${sayCount(others, 'other file')}` : '';
        const first = row ? `\n${cutToWidth(`  line ${row.line_number}: ${printable(String(row.line))}`, stderr.columns)}` : '';
        lines.push(
            `${result.file.shown}: ${rejected} of ${sayCount(read, 'row')} rejected${parts === undefined ? '' : `, most often (with ${parts})`} as ${reason}${more}${row ? '; the first:' : ''}${first}`,
        );
    }
    return lines;
}

interface Loss {
    reason: string;
    rejected: number;
    read: number;
    /** The count of rejected parts of rows, where there are some: reasons count them too. */
    parts: string | undefined;
}

/**
 * The reason that more than half of a source's rows were rejected for, or, where parts of rows were rejected too, the most frequent
 * reason of a source that lost more than half of its rows. Its record lists the reasons, the most frequent first.
 */
function lossOf(record: LedgerRecord): Loss | undefined {
    const { source, rejected: reasons, rows_read: read } = record;
    const [, reason, count] = /^(\S+) (\d+)/.exec(typeof reasons === 'string' ? reasons : '') ?? [];
    const counted = kindOf(source).accounts?.partsRejected;
    const parts = counted !== undefined && Number(record[counted] ?? 0) > 0 ? counted : undefined;
    const rejected = parts === undefined ? Number(count) : record.rows_rejected;
    return reason !== undefined && rejected * 2 > read ? { reason, rejected, read, parts } : undefined;
}
