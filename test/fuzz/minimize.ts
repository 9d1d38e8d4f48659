/** Makes a failing input small: takes away lines, then bytes, as long as it still fails. */
import { minimizeList } from '#test/support/minimize-list';

/**
 * The smallest bytes found for which `stillFails` holds, as it must for `bytes`. It is asked `maxTries` times at most.
 */
export async function minimize(
    bytes: Buffer,
    stillFails: (bytes: Buffer) => Promise<boolean>,
    { maxTries = 3000 }: { maxTries?: number } = {},
): Promise<Buffer> {
    const budget = { tries: maxTries };
    const reduce = (parts: Buffer[]): Promise<Buffer[]> => minimizeList(parts, (rest) => stillFails(Buffer.concat(rest)), budget);
    let small = await reduce(splitLines(bytes));
    for (let before = Number.POSITIVE_INFINITY; small.length < before && budget.tries > 0; ) {
        const single = [...Buffer.concat(small)].map((byte) => Buffer.from([byte]));
        before = single.length;
        small = await reduce(single);
    }
    return Buffer.concat(small);
}

function splitLines(bytes: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
        const end = bytes.indexOf(0x0a, at) + 1 || bytes.length;
        lines.push(bytes.subarray(at, end));
        at = end;
    }
    return lines;
}
