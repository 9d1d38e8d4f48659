/** The report of one pair out of five years of 20 thousand pairs a day, process start included. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchOptions, Finding } from './measure.ts';
import { comparePrograms, PROGRAM } from './run-program.ts';
import { makeDays, PAIRS } from './year-lake.ts';

export async function* benchExport({ folder, isQuick }: BenchOptions): AsyncGenerator<Finding> {
    const empty = join(folder, 'empty-export.mjs');
    await writeFile(empty, '');
    for (const days of isQuick ? [10] : [365, 5 * 365]) {
        const words = [PROGRAM, '--lake', makeDays(folder, days), 'export', '10.0.31.64', '192.168.0.64'];
        const { a, b, said, cpuRatio } = comparePrograms(isQuick ? 1 : 5, words, [empty]);
        yield {
            what: `export of one pair of ${PAIRS / 1000} thousand, ${days} days / an empty script (CPU)`,
            found: `${said}  (${a.cpuMs.toFixed(0)} / ${b.cpuMs.toFixed(0)} ms; wall ${a.wallMs.toFixed(0)} / ${b.wallMs.toFixed(0)} ms)`,
            goal: days === 365 ? { text: 'under 500 ms', isMet: a.wallMs < 500 } : { text: 'at most 15x', isMet: cpuRatio <= 15 },
            isEqual: a.stdout.trim().split('\n').length === days + 1,
        };
    }
}
