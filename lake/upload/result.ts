/** What became of each file of an upload. */
import type { LedgerRecord } from '#lake/ledger';
import type { UploadDecision } from './decide.ts';
import type { UploadFile } from './request.ts';

export interface UploadResult {
    file: UploadFile;
    /**
     * What became of the file. `stored`: it is under raw/, and nobody waited for the figures. `nothing kept`: it could be read, and not one row of it
     * counts.
     */
    result: 'added' | 'replaced' | 'skipped' | 'stored' | 'refused' | 'failed' | 'nothing kept';
    record?: LedgerRecord | undefined;
    /** Why a file was skipped, refused or failed, or what must be known of one that counts. */
    note?: string | undefined;
}

/** The result of a file that was put, or that the lake had already. */
export function resultOf(file: UploadFile, decision: UploadDecision, record: LedgerRecord | undefined): UploadResult {
    if (record?.state === 'failed') {
        return { file, result: 'failed', record, note: record.error ?? undefined };
    }
    if (record?.state === 'skipped') {
        return { file, result: 'skipped', record, note: record.error ?? undefined };
    }
    if (record?.state === 'empty') {
        const old = decision.action === 'put' && decision.isReplacing ? '; its old figures are out' : '';
        return { file, result: 'nothing kept', record, note: `${sayNothingKept(record)}${old}` };
    }
    if (decision.action === 'skip') {
        return { file, result: 'skipped', record, note: 'the lake has these bytes under this name' };
    }
    const isReplacing = decision.action === 'put' && decision.isReplacing;
    return { file, result: isReplacing ? 'replaced' : 'added', record, note: decision.action === 'put' ? decision.note : undefined };
}

/** Why not one row of a source counts: `all 2 rows were rejected: date_unreadable 2`. */
function sayNothingKept({ rows_read: rowsRead, rejected, skipped }: LedgerRecord): string {
    if (rowsRead === 0) {
        return typeof skipped === 'string' ? `it holds no row that could count: ${skipped}` : 'it holds no rows';
    }
    const reasons = typeof rejected === 'string' ? `: ${rejected}` : '';
    return `${rowsRead === 1 ? 'its only row was' : `all its ${rowsRead} rows were`} rejected${reasons}`;
}
