/**
 * `npm run check:speed`: fails where this build takes a tenth more processor time than the base, at any of a handful of jobs. The base is the last commit that
 * changed `guard-base.txt`, which says why: change it at a release, and where something has become faster. Both builds run in turn, process start included, so
 * that a busy machine slows both alike. Names of jobs choose some; `--noise 10` compares the base with itself that often instead.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { zeekJson } from '#sample/flows/tools/zeek';
import { buildPackage } from '../build.ts';
import { median } from './measure.ts';
import { PROGRAM, type Ran, runNode } from './run-program.ts';
import { writeSiteFiles } from './site-files.ts';
import { writeSmallFiles } from './small-files.ts';
import { upload } from './upload.ts';
import { makeDays } from './year-lake.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Most that a job may take, as a multiple of the base. Below a tenth: docs/performance.md has how much a build differs from itself. */
const MOST = 1.08;

/** Pairs that are enough where a job is as fast as it was; one that seems slower is judged by three times as many. */
const PAIRS = 7;

const { values, positionals } = parseArgs({ options: { noise: { type: 'string' } }, allowPositionals: true });
const folder = mkdtempSync(join(tmpdir(), 'flowlake-guard-'));
try {
    await buildPackage();
    const commit = findBase();
    const base = buildBase(commit);
    const all = await makeJobs();
    const unknown = positionals.filter((name) => !(name in all));
    if (unknown.length > 0) {
        throw new Error(`no job ${unknown.join(', ')}; the jobs are ${Object.keys(all).join('; ')}`);
    }
    const jobs = Object.entries(all).filter(([name]) => positionals.length === 0 || positionals.includes(name));
    if (values.noise !== undefined) {
        sayNoise(jobs, { base, times: Number(values.noise) });
    } else {
        console.log(`Node ${process.versions.node}; CPU time of this build, as a multiple of commit ${commit.slice(0, 8)}`);
        const losses = jobs.map(([name, job]) => judge(name, job, base));
        process.exitCode = losses.some(Boolean) ? 1 : 0;
    }
} finally {
    rmSync(folder, { recursive: true, force: true });
}

type Job = (program: string) => Ran;

/** The commit that this build is compared with. @throws Error in a clone that does not have its history */
function findBase(): string {
    if (git('rev-parse', '--is-shallow-repository') === 'true') {
        throw new Error('this clone has no history to find the base in: `git fetch --unshallow`');
    }
    return git('log', '-1', '--format=%H', '--', 'bench/guard-base.txt');
}

function git(...words: string[]): string {
    return execFileSync('git', ['-C', ROOT, ...words], { encoding: 'utf8' }).trim();
}

/** Builds the commit beside this one, with the packages that are installed here. @returns its program */
function buildBase(commit: string): string {
    const sources = join(folder, 'base');
    mkdirSync(sources);
    git('archive', '--format=tar', '-o', join(folder, 'base.tar'), commit);
    execFileSync('tar', ['-xf', join(folder, 'base.tar'), '-C', sources]);
    symlinkSync(join(ROOT, 'node_modules'), join(sources, 'node_modules'));
    execFileSync(process.execPath, ['build.ts'], { cwd: sources, stdio: 'inherit' });
    return join(sources, 'dist', 'flowlake.js');
}

/** The jobs by their names. Each takes a few tenths of a second, and together they go through most of what a user waits for. */
async function makeJobs(): Promise<Record<string, Job>> {
    const [few, many, json, small] = ['few', 'many', 'json', 'small'].map((name) => join(folder, name)) as [string, string, string, string];
    await writeSiteFiles(few, { bytes: 150e6, pairs: 40_000, sites: ['berlin', 'lisbon'] });
    await writeSiteFiles(many, { bytes: 60e6, pairs: 100_000 });
    await writeSiteFiles(json, { bytes: 60e6, pairs: 20_000, sites: ['berlin'], tool: zeekJson });
    await writeSmallFiles(small, { folder, count: 150 });
    const lake = makeDays(folder, 30);
    const asking =
        (...words: string[]): Job =>
        (program) =>
            runNode([program, '--lake', lake, ...words]);
    return {
        'upload, few pairs': (program) => upload(few, { folder, program }),
        'upload, many pairs': (program) => upload(many, { folder, program }),
        'upload, JSON': (program) => upload(json, { folder, program }),
        'upload, small files': (program) => upload(small, { folder, program }),
        anomalies: asking('anomalies'),
        'pairs --top': asking('pairs', '--top', '20'),
        export: asking('export', '10.0.31.64', '192.168.0.64'),
    };
}

/** Says how the job compares. @returns true where it is lost */
function judge(name: string, job: Job, base: string): boolean {
    const runs = { now: [] as Ran[], base: [] as Ran[] };
    addPairs(runs, PAIRS, { now: () => job(PROGRAM), base: () => job(base) });
    if (ratioOfLeast(runs) > MOST) {
        addPairs(runs, 2 * PAIRS, { now: () => job(PROGRAM), base: () => job(base) });
    }
    const ratio = ratioOfLeast(runs);
    const verdict = ratio > MOST ? `  LOST: at most ${MOST}x` : '';
    console.log(`${name.padEnd(22)} ${ratio.toFixed(3)}x  (${runs.now.length} pairs)${verdict}`);
    return ratio > MOST;
}

/** Adds runs in turn; each pair begins with the other of the two. */
function addPairs(runs: { now: Ran[]; base: Ran[] }, pairs: number, run: { now: () => Ran; base: () => Ran }): void {
    for (let pair = 0; pair < pairs; pair += 1) {
        for (const name of pair % 2 === 0 ? (['now', 'base'] as const) : (['base', 'now'] as const)) {
            runs[name].push(run[name]());
        }
    }
}

/** Other work only ever adds to CPU time, so what is compared is the mean of the least third of each. */
function ratioOfLeast({ now, base }: { now: readonly Ran[]; base: readonly Ran[] }): number {
    const least = (runs: readonly Ran[]): number => {
        const times = runs.map(({ cpuMs }) => cpuMs).sort((a, b) => a - b);
        const taken = times.slice(0, Math.ceil(times.length / 3));
        return taken.reduce((sum, time) => sum + time, 0) / taken.length;
    };
    return least(now) / least(base);
}

/** Says how much the base differs from itself. */
function sayNoise(jobs: readonly [string, Job][], { base, times }: { base: string; times: number }): void {
    for (const [name, job] of jobs) {
        const ratios: number[] = [];
        const medians: number[] = [];
        for (let time = 0; time < times; time += 1) {
            const runs = { now: [] as Ran[], base: [] as Ran[] };
            addPairs(runs, PAIRS, { now: () => job(base), base: () => job(base) });
            ratios.push(ratioOfLeast(runs));
            medians.push(median(runs.now.map(({ cpuMs }, at) => cpuMs / (runs.base[at]?.cpuMs ?? Number.NaN))));
        }
        const say = (all: number[]): string => `${Math.min(...all).toFixed(3)} to ${Math.max(...all).toFixed(3)}`;
        console.log(`${name.padEnd(22)} least third ${say(ratios)}, median of pairs ${say(medians)}`);
    }
}
