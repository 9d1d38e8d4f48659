/** The whole upload of a file as its user runs it: memory at its highest, and how it grows with the file. */
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { BenchOptions, Finding } from './measure.ts';
import { writeSample } from './reading.ts';

const PROGRAM = new URL('../dist/flowlake.js', import.meta.url);

export async function* benchUpload({ folder, isQuick }: BenchOptions): AsyncGenerator<Finding> {
    for (const bytes of isQuick ? [5e6, 20e6] : [100e6, 1e9]) {
        const path = await writeSample(folder, bytes, { seed: 2 });
        const lake = join(folder, 'upload-lake');
        const startedAt = performance.now();
        const peakMb = await peakOf(['--lake', lake, 'upload', '--date-order', 'dmy', path]);
        const seconds = (performance.now() - startedAt) / 1000;
        yield {
            what: `upload of ${bytes / 1e6} MB, 20 thousand pairs: peak memory`,
            found: `${peakMb.toFixed(0)} MB  (${seconds.toFixed(1)} s, file put and hashed, summarized, consolidated)`,
            goal: { text: 'under 160 MB', isMet: peakMb < 160 },
        };
        await rm(lake, { recursive: true, force: true });
        await rm(path);
    }
}

/** Runs the program in a process that tells its own peak when it ends. */
function peakOf(words: readonly string[]): Promise<number> {
    const tell = "process.on('exit', () => process.stderr.write('\\npeak ' + process.resourceUsage().maxRSS + '\\n'))";
    const child = spawn(process.execPath, [
        '--import',
        `data:text/javascript,${encodeURIComponent(tell)}`,
        fileURLToPath(PROGRAM),
        ...words,
    ]);
    let told = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
        told += text;
    });
    child.stdout.resume();
    return new Promise((resolve, reject) => {
        child.on('close', (exitCode) => {
            const peak = /^peak (\d+)$/m.exec(told)?.[1];
            if (exitCode !== 0 || peak === undefined) {
                reject(new Error(`${pathToFileURL(words.join(' ')).pathname} ended with ${exitCode}: ${told}`));
            } else {
                resolve((Number(peak) * 1024) / 1e6);
            }
        });
    });
}
