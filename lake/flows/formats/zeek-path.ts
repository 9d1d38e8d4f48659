/** Which of Zeek's logs a text is: its line `#path` says so, and of all of them conn alone holds each flow once, when it is over. */
import type { Unusable } from './format.ts';

const PATH = '#path';
const CR = 0x0d;

/** The path that a line of a Zeek log names; undefined for any other line. `end` is that of the line, without its LF. */
export function zeekPathOf(
    bytes: Buffer,
    { start, end, separator }: { start: number; end: number; separator: number },
): string | undefined {
    const behind = start + PATH.length;
    if (behind >= end || bytes[behind] !== separator || bytes.toString('latin1', start, behind) !== PATH) {
        return undefined;
    }
    return bytes.toString('latin1', behind + 1, bytes[end - 1] === CR ? end - 1 : end).trim();
}

/** True if rows behind this path are flows, should their columns say so too. conn_long and open_conn repeat flows that are not over yet. */
export function isFlowLog(path: string | undefined): path is 'conn' | undefined {
    return path === undefined || path === 'conn';
}

/** What is said of a log that holds none of the flows. */
export function otherZeekLog(path: string): Unusable {
    const what = `Zeek ${path.replace(/[^\w.-]/g, '?').slice(0, 40)} log`;
    return { ok: false, error: what, what, isOther: true };
}
