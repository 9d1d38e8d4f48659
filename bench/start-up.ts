/** How long the program takes to say anything, against a Node script that says nothing. */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BenchOptions, type Finding, median, sayRatio } from './measure.ts';

const PROGRAM = fileURLToPath(new URL('../dist/flowlake.js', import.meta.url));

export async function* benchStartUp({ folder, isQuick }: BenchOptions): AsyncGenerator<Finding> {
    const empty = join(folder, 'empty.mjs');
    await writeFile(empty, '');
    const times = { empty: [] as number[], help: [] as number[] };
    for (let run = 0; run < (isQuick ? 3 : 25); run += 1) {
        times.empty.push(timeOf([empty]));
        times.help.push(timeOf([PROGRAM, '--help']));
    }
    const ratio = median(times.help) / median(times.empty);
    yield {
        what: '`flowlake --help` / an empty script (wall)',
        found: `${sayRatio(ratio)}  (${median(times.help).toFixed(0)} / ${median(times.empty).toFixed(0)} ms)`,
        goal: { text: 'at most 2x', isMet: ratio <= 2 },
    };
}

function timeOf(words: readonly string[]): number {
    const startedAt = performance.now();
    spawnSync(process.execPath, words, { stdio: 'ignore' });
    return performance.now() - startedAt;
}
