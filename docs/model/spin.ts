/** Runs spin on a model in a folder of its own, which is gone afterwards. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Search {
    /** Name of the model's file, beside this one. */
    file: string;
    /** Definitions for the model, `-D`. */
    defines: readonly string[];
    /** True searches breadth first: the history that is found is the shortest. Takes several times the memory. */
    isShortest: boolean;
    maxMegabytes: number;
}

export interface Found {
    states: number;
    /** Steps of the longest history, or of the one that was found. */
    depth: number;
    megabytes: number;
    seconds: number;
    /** What the model printed along the history that ends in an assertion; undefined where every history within the bounds was tried and none does. */
    history: string[] | undefined;
}

/** The programs that a search needs and this machine lacks. */
export function missingPrograms(): string[] {
    return ['spin', 'gcc'].filter((program) => spawnSync(program, [program === 'gcc' ? '--version' : '-V']).error !== undefined);
}

/** Searches side by side; `close` ends what runs and removes all files, at any time. */
export function openSearches() {
    const folder = mkdtempSync(join(tmpdir(), 'flowlake-model-'));
    const running = new Set<ChildProcess>();
    let count = 0;
    let isClosed = false;

    /** Runs a program and answers with what it writes. The exit code of pan says nothing of what it found. */
    function call(program: string, words: string[], cwd: string): Promise<string> {
        return new Promise((resolve, reject) => {
            if (isClosed) {
                reject(new Error('stopped'));
                return;
            }
            // A group of its own, so that gcc's compiler ends with it; temporary files of both lie in the folder.
            const child = spawn(program, words, {
                cwd,
                detached: true,
                stdio: ['ignore', 'pipe', 'pipe'],
                env: { ...process.env, TMPDIR: cwd },
            });
            running.add(child);
            let text = '';
            const take = (piece: Buffer): void => {
                text += piece.toString();
            };
            child.stdout.on('data', take);
            child.stderr.on('data', take);
            child.on('error', reject);
            child.on('close', (code, signal) => {
                running.delete(child);
                return signal === null && (code === 0 || program.endsWith('pan'))
                    ? resolve(text)
                    : reject(new Error(`${program} ${words.join(' ')} ended with ${signal ?? code}\n${text}`));
            });
        });
    }

    return {
        /** Searches once. @throws Error where the search came to no end: the memory, or the depth, did not do */
        async search({ file, defines, isShortest, maxMegabytes }: Search): Promise<Found> {
            count += 1;
            const place = join(folder, String(count));
            mkdirSync(place);
            copyFileSync(fileURLToPath(new URL(file, import.meta.url)), join(place, file));
            const flags = defines.map((define) => `-D${define}`);
            await call('spin', ['-a', ...flags, file], place);
            const kind = isShortest ? ['-O1', '-DBFS'] : ['-O2', '-DCOLLAPSE'];
            await call('gcc', [...kind, '-DSAFETY', '-DNOFAIR', `-DMEMLIM=${maxMegabytes}`, '-o', 'pan', 'pan.c'], place);
            // -E: a worker that nobody tells anything waits for ever, and may.
            const report = await call(join(place, 'pan'), ['-E', ...(isShortest ? ['-w22'] : ['-w24', '-m4000000'])], place);
            const found = { ...countsOf(report), history: undefined };
            if (/errors: 0/.test(report)) {
                rmSync(place, { recursive: true });
                return found;
            }
            const replay = await call('spin', ['-t', ...flags, file], place).catch((error: unknown) => String(error));
            rmSync(place, { recursive: true });
            return { ...found, history: linesUntilTheEnd(replay) };
        },
        close(): void {
            isClosed = true;
            for (const { pid } of running) {
                if (pid !== undefined) {
                    process.kill(-pid, 'SIGKILL');
                }
            }
            rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
        },
    };
}

function countsOf(report: string): Omit<Found, 'history'> {
    const number = (pattern: RegExp): number => Number(pattern.exec(report)?.[1] ?? Number.NaN);
    const counts = {
        states: number(/([\d.e+]+) states, stored/),
        depth: number(/depth reached (\d+)/),
        megabytes: number(/([\d.]+)\s+total actual memory usage/),
        seconds: number(/elapsed time ([\d.e+]+)/),
    };
    const cut = /max search depth too small|reached -DMEMLIM bound|out of memory|truncated|Search not completed/i.exec(report)?.[0];
    if (/errors: 1\b/.test(report) ? false : cut !== undefined || !/errors: 0\b/.test(report) || Number.isNaN(counts.states)) {
        throw new Error(`spin came to no end (${cut ?? 'it does not say why'}): give it more memory or smaller bounds\n${report}`);
    }
    return counts;
}

/** The steps up to what was looked for; then spin prints all variables. */
function linesUntilTheEnd(replay: string): string[] {
    const lines = replay.split('\n').map((line) => line.trim());
    const end = lines.findIndex((line) => /^(broken promise|reached): /.test(line));
    if (end === -1) {
        throw new Error(`spin does not play the history to its end\n${replay}`);
    }
    return lines.slice(0, end + 1);
}
