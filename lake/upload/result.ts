/** What became of each file of an upload. */
import type { LedgerRecord } from '#lake/ledger';
import type { UploadDecision } from './decide.ts';
import type { UploadFile } from './request.ts';

export interface UploadResult {
    file: UploadFile;
    /** What became of the file. `stored`: it is under raw/, and nobody waited for the figures. */
    result: 'added' | 'replaced' | 'skipped' | 'stored' | 'refused' | 'failed';
    record?: LedgerRecord | undefined;
    /** Why a file was skipped, refused or failed. */
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
    if (decision.action === 'skip') {
        return { file, result: 'skipped', record, note: 'the lake has these bytes under this name' };
    }
    const isReplacing = decision.action === 'put' && decision.isReplacing;
    return { file, result: isReplacing ? 'replaced' : 'added', record };
}
