/** Runs of programs as their user has them, process start included: what they took, and what they said. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from './measure.ts';

/** The program as it is built. */
export const PROGRAM = fileURLToPath(new URL('../dist/flowlake.js', import.meta.url));

export interface Ran {
    wallMs: number;
    /** User and system time of all threads. */
    cpuMs: number;
    /** Not known of a shell's commands: NaN. */
    peakMb: number;
    stdout: string;
}

/**
 * Loaded before a Node program, which tells with its last breath what it took. `maxRSS` counts what the parent had when it started the
 * program (getrusage(2) of Linux), so the peak is taken from /proc where there is one.
 */
const TELL = `data:text/javascript,${encodeURIComponent(`import { readFileSync } from 'node:fs';
process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    let peakKb = maxRSS;
    try {
        peakKb = Number(/VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
    } catch {}
    process.stderr.write('\\ntook ' + (userCPUTime + systemCPUTime) + ' ' + peakKb + '\\n');
});`)}`;

/** The same for a program in Python. */
const TELL_IN_PYTHON = `import atexit, re, resource, sys
@atexit.register
def tell():
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak = used.ru_maxrss
    try:
        peak = re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1]
    except OSError:
        pass
    print('\\ntook', int((used.ru_utime + used.ru_stime) * 1e6), peak, file=sys.stderr)
`;

/** Runs the script with these words. @throws Error where it fails */
export function runNode(words: readonly string[], environment: NodeJS.ProcessEnv = process.env): Ran {
    return runTelling(process.execPath, ['--import', TELL, ...words], { words, environment });
}

/** Runs the code with these words. @throws Error where it fails */
export function runPython(python: string, code: string, words: readonly string[]): Ran {
    return runTelling(python, ['-B', '-c', TELL_IN_PYTHON + code, ...words], { words, environment: process.env });
}

function runTelling(
    program: string,
    args: readonly string[],
    { words, environment }: { words: readonly string[]; environment: NodeJS.ProcessEnv },
): Ran {
    const startedAt = performance.now();
    const { stdout, stderr, status } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 30, env: environment });
    const wallMs = performance.now() - startedAt;
    const [, cpuUs, peakKb] = /^took (\d+) (\d+)$/m.exec(stderr) ?? [];
    if (status !== 0 || cpuUs === undefined) {
        throw new Error(`${words.join(' ')} ended with ${status}: ${stderr}`);
    }
    return { wallMs, cpuMs: Number(cpuUs) / 1000, peakMb: (Number(peakKb) * 1024) / 1e6, stdout };
}

/** Runs the commands, with what they are of as `$1` and so on. @throws Error where they fail */
export function runShell(commands: string, words: readonly string[]): Ran {
    const startedAt = performance.now();
    // The last line that `times` prints is of the commands that the shell has run: user and system time, as 0m1.234s.
    const { stdout, stderr, status } = spawnSync('bash', ['-c', `set -e; ${commands}; times`, 'bash', ...words], { encoding: 'utf8' });
    const wallMs = performance.now() - startedAt;
    const times = [...(stdout.trim().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)];
    if (status !== 0 || times.length !== 2) {
        throw new Error(`${commands} ended with ${status}: ${stderr}`);
    }
    const cpuMs = times.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000, 0);
    return { wallMs, cpuMs, peakMb: Number.NaN, stdout };
}

/** What runs one after the other took together. */
export function together(...runs: readonly Ran[]): Ran {
    const sum = (of: (run: Ran) => number): number => runs.reduce((total, run) => total + of(run), 0);
    const peakMb = Math.max(...runs.map((run) => run.peakMb).filter((peak) => !Number.isNaN(peak)));
    return {
        wallMs: sum(({ wallMs }) => wallMs),
        cpuMs: sum(({ cpuMs }) => cpuMs),
        peakMb,
        stdout: runs.map(({ stdout }) => stdout).join(''),
    };
}

/** Runs each program in turn, once without counting it and then `rounds` times: A B C, A B C. */
export function inRounds<Name extends string>(rounds: number, programs: Readonly<Record<Name, () => Ran>>): Record<Name, Ran[]> {
    const names = Object.keys(programs) as Name[];
    const runs = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Ran[]>;
    for (let round = 0; round <= rounds; round += 1) {
        for (const name of names) {
            const ran = programs[name]();
            if (round > 0) {
                runs[name].push(ran);
            }
        }
    }
    return runs;
}

export interface Ratio {
    /** Median of the rounds. */
    ratio: number;
    /** With the least and the most of the rounds: `0.10x (0.09 to 0.11)`. */
    said: string;
}

/** The one's share of the other, round by round. */
export function ratioOf(a: readonly Ran[], b: readonly Ran[], of: (run: Ran) => number): Ratio {
    const ratios = a.map((run, at) => of(run) / of(b[at] as Ran)).sort((one, other) => one - other);
    const say = (ratio = Number.NaN): string => ratio.toFixed(ratio < 1 ? 3 : 2);
    const ratio = median(ratios);
    return { ratio, said: `${say(ratio)}x (${say(ratios[0])} to ${say(ratios.at(-1))})` };
}

export interface Compared {
    a: Ran;
    b: Ran;
    /** CPU time of the one as a share of the other's. */
    cpuRatio: number;
    said: string;
    isEqual: boolean;
}

/** Runs both in turn; what is told of each is the run in the middle by its CPU time. */
export function comparePrograms(pairs: number, a: readonly string[], b: readonly string[]): Compared {
    const runs = inRounds(pairs, { a: () => runNode(a), b: () => runNode(b) });
    const { ratio, said } = ratioOf(runs.a, runs.b, ({ cpuMs }) => cpuMs);
    return {
        a: middleOf(runs.a),
        b: middleOf(runs.b),
        cpuRatio: ratio,
        said,
        isEqual: runs.a.every(({ stdout }, at) => stdout === runs.b[at]?.stdout),
    };
}

/** The run in the middle by its CPU time. */
export function middleOf(runs: readonly Ran[]): Ran {
    return runs.toSorted((one, other) => one.cpuMs - other.cpuMs)[runs.length >> 1] as Ran;
}
