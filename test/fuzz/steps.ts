/** Counts the work of code by V8's own counters: how often each block of lake/flows ran, and how many bytes the built-ins went through. */
import { Session } from 'node:inspector/promises';

/** How often a block of a file ran, from one place of its text to another. */
interface BlockCount {
    file: string;
    startOffset: number;
    endOffset: number;
    count: number;
}

export interface Counted<T> {
    value: T;
    blocks: BlockCount[];
    /** Blocks run, and bytes that were copied or searched by Buffer's functions. */
    steps: number;
}

/** Runs `work` and counts the blocks of files whose path has `within` in it. Nothing else may run beside. */
export async function countSteps<T>(within: string, work: () => Promise<T>): Promise<Counted<T>> {
    const session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    const bytes = countBytes();
    try {
        const value = await work();
        const { result } = await session.post('Profiler.takePreciseCoverage');
        const blocks = result
            .filter(({ url }) => url.includes(within))
            .flatMap(({ url, functions }) => functions.flatMap(({ ranges }) => ranges.map((range) => ({ file: url, ...range }))));
        return { value, blocks, steps: blocks.reduce((sum, { count }) => sum + count, 0) + bytes.count };
    } finally {
        bytes.stop();
        await session.post('Profiler.stopPreciseCoverage');
        session.disconnect();
    }
}

/** Stands in for the functions of Buffer that go through bytes, until it is stopped. */
function countBytes(): { count: number; stop(): void } {
    const { concat } = Buffer;
    const { indexOf, lastIndexOf, includes } = Buffer.prototype;
    const counter = {
        count: 0,
        stop(): void {
            Object.assign(Buffer, { concat });
            Object.assign(Buffer.prototype, { indexOf, lastIndexOf, includes });
        },
    };
    Object.assign(Buffer, {
        concat(list: readonly Uint8Array[], ...rest: number[]) {
            const whole = concat.call(Buffer, list, ...rest);
            counter.count += whole.length;
            return whole;
        },
    });
    Object.assign(Buffer.prototype, {
        indexOf(this: Buffer, value: number, from = 0) {
            const found = indexOf.call(this, value, from);
            counter.count += (found < 0 ? this.length : found) - from;
            return found;
        },
        lastIndexOf(this: Buffer, value: number, from = this.length) {
            const found = lastIndexOf.call(this, value, from);
            counter.count += from - Math.max(0, found);
            return found;
        },
    });
    return counter;
}
