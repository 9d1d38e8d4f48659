/** What a part of the bench gets and tells, and how it measures: both sides in turn, A B A B, so that a drifting machine slows both alike. */

/** One line of the result. */
export interface Finding {
    what: string;
    /** What was measured, in words. */
    found: string;
    /** Goal of docs/performance.md, and true where it was met. */
    goal?: { text: string; isMet: boolean };
    /** True if both sides came to the same figures. */
    isEqual?: boolean;
}

export interface BenchOptions {
    /** A folder that goes when the run is over. */
    folder: string;
    /** True for small sizes: to see that it runs, not how fast. */
    isQuick: boolean;
    /** The `dist/flowlake.js` of another build, to be compared with. */
    before?: string | undefined;
}

export interface Measured {
    /** Median in milliseconds of the runs, the first of which is not counted. */
    wallMs: number;
    /** CPU time in milliseconds of all threads of this process. */
    cpuMs: number;
}

/** Runs both `runs` times after one run each that does not count. */
export async function inTurn(runs: number, a: () => Promise<void>, b: () => Promise<void>): Promise<{ a: Measured; b: Measured }> {
    const times = { a: [] as Measured[], b: [] as Measured[] };
    for (let run = 0; run <= runs; run += 1) {
        times.a.push(await once(a));
        times.b.push(await once(b));
    }
    return { a: middle(times.a.slice(1)), b: middle(times.b.slice(1)) };
}

/** Measures one run. */
export async function once(work: () => Promise<void>): Promise<Measured> {
    const cpu = process.cpuUsage();
    const startedAt = performance.now();
    await work();
    const { user, system } = process.cpuUsage(cpu);
    return { wallMs: performance.now() - startedAt, cpuMs: (user + system) / 1000 };
}

function middle(all: readonly Measured[]): Measured {
    return { wallMs: median(all.map(({ wallMs }) => wallMs)), cpuMs: median(all.map(({ cpuMs }) => cpuMs)) };
}

export function median(values: readonly number[]): number {
    return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** A ratio as it is printed: `4.21x`. */
export function sayRatio(ratio: number): string {
    return `${ratio.toFixed(2)}x`;
}
