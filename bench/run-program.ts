/** Runs of a Node program as its user has them, process start included: what they took, and what they said. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from './measure.ts';

/** The program as it is built. */
export const PROGRAM = fileURLToPath(new URL('../dist/flowlake.js', import.meta.url));

export interface Ran {
    wallMs: number;
    /** User and system time of all threads. */
    cpuMs: number;
    peakMb: number;
    stdout: string;
}

/** Loaded before the program, which tells with its last breath what it took. */
const TELL = `data:text/javascript,${encodeURIComponent(`process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    process.stderr.write('\\ntook ' + (userCPUTime + systemCPUTime) + ' ' + maxRSS + '\\n');
});`)}`;

/** Runs the script with these words. @throws Error where it fails */
export function runNode(words: readonly string[]): Ran {
    const startedAt = performance.now();
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--import', TELL, ...words], { encoding: 'utf8', maxBuffer: 1 << 30 });
    const wallMs = performance.now() - startedAt;
    const [, cpuUs, peakKb] = /^took (\d+) (\d+)$/m.exec(stderr) ?? [];
    if (status !== 0 || cpuUs === undefined) {
        throw new Error(`${words.join(' ')} ended with ${status}: ${stderr}`);
    }
    return { wallMs, cpuMs: Number(cpuUs) / 1000, peakMb: (Number(peakKb) * 1024) / 1e6, stdout };
}

export interface Compared {
    a: Ran;
    b: Ran;
    /** CPU time of the one as a share of the other's: the median of the pairs, and the least and the most of them. */
    cpuRatio: number;
    /** `0.10x (0.09 to 0.11)`. */
    said: string;
    isEqual: boolean;
}

/** Runs both in turn, once each without counting it and then `pairs` times; what is told of each is the run in the middle by its CPU time. */
export function comparePrograms(pairs: number, a: readonly string[], b: readonly string[]): Compared {
    const runs = Array.from({ length: pairs + 1 }, () => ({ a: runNode(a), b: runNode(b) })).slice(1);
    const ratios = runs.map((run) => run.a.cpuMs / run.b.cpuMs).sort((one, other) => one - other);
    const say = (ratio = Number.NaN): string => ratio.toFixed(ratio < 1 ? 3 : 2);
    const cpuRatio = median(ratios);
    return {
        a: middleOf(runs.map((run) => run.a)),
        b: middleOf(runs.map((run) => run.b)),
        cpuRatio,
        said: `${say(cpuRatio)}x (${say(ratios[0])} to ${say(ratios.at(-1))})`,
        isEqual: runs.every((run) => run.a.stdout === run.b.stdout),
    };
}

function middleOf(runs: readonly Ran[]): Ran {
    return runs.toSorted((one, other) => one.cpuMs - other.cpuMs)[runs.length >> 1] as Ran;
}
