/** Judges whether a disk has room for what comes next. */
import { type Finding, ok, problem, warning } from './finding.ts';

const GB = 1e9;

/** Room for a month of a busy office's raw files is little; room for what the next merge of a day surely needs is too little. */
const LITTLE_BYTES = 2 * GB;
const TOO_LITTLE_BYTES = 0.2 * GB;

export function judgeSpace(check: string, bytes: number, todo: string): Finding {
    const found = `${(bytes / GB).toFixed(1)} GB`;
    if (bytes < LITTLE_BYTES) {
        return (bytes < TOO_LITTLE_BYTES ? problem : warning)(check, `only ${found}`, todo);
    }
    return ok(check, found);
}
