/** Gives the real program an extreme file, piped in, and tells what came of it and how much memory that took. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExtremeFile } from './extreme-files.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/flowlake.js', import.meta.url));
const TELL_PEAK = new URL('tell-peak.js', import.meta.url).href;

/** The word of an upload's answer for each state. */
const RESULTS = { done: 'added', empty: 'nothing kept', failed: 'failed' } as const;

/** What two threads, their buffers and a packed day need, with room to spare; no file here may take its own size. */
const MAX_PEAK_MIB = 640;

export interface ExtremeOutcome {
    peakMib: number;
    cpuSeconds: number;
    /** What is wrong; empty where all is well. */
    problems: string[];
    /** What the program says. */
    told: string;
}

/** @param folder where the lake of this file is made. */
export async function uploadExtreme(file: ExtremeFile, folder: string): Promise<ExtremeOutcome> {
    const line = ['--output', 'json', 'upload', '--as', file.name.split(':')[0] ?? '', '-'];
    const uploaded = await run(line, { folder, input: file.bytes() });
    const [record] = JSON.parse(uploaded.stdout || '[]');
    const { expected } = file;
    const problems: string[] = [];
    if (record?.result !== RESULTS[expected.state]) {
        problems.push(`it is ${record?.result ?? uploaded.stderr}, not ${expected.state}`);
    }
    if (expected.state === 'failed' && !expected.error.test(record?.note)) {
        problems.push(`it does not say ${expected.error}`);
    }
    if (expected.state !== 'failed' && (record?.rows_kept !== expected.rows_kept || record?.rows_rejected !== expected.rows_rejected)) {
        problems.push(`not ${expected.rows_kept} kept and ${expected.rows_rejected} rejected`);
    }
    if (uploaded.exitCode !== (expected.state === 'done' ? 0 : 1)) {
        problems.push(`exit code ${uploaded.exitCode}`);
    }
    if (uploaded.peakMib > MAX_PEAK_MIB) {
        problems.push(`more than ${MAX_PEAK_MIB} MiB`);
    }
    const told = record?.result === 'added' ? `${record.rows_kept} kept, ${record.rows_rejected} rejected` : String(record?.note);
    return { peakMib: uploaded.peakMib, cpuSeconds: uploaded.cpuSeconds, problems, told };
}

async function run(words: readonly string[], { folder, input }: { folder: string; input: Iterable<Uint8Array> }) {
    const peakFile = join(folder, 'peak');
    const child = spawn(process.execPath, ['--import', TELL_PEAK, PROGRAM, '--lake', 'lake', ...words], {
        cwd: folder,
        env: { PATH: process.env.PATH, PEAK_FILE: peakFile },
    });
    const printed = { stdout: '', stderr: '' };
    child.stdout.on('data', (text) => {
        printed.stdout += text;
    });
    child.stderr.on('data', (text) => {
        printed.stderr += text;
    });
    const closed = once(child, 'close');
    // It may have seen enough and end before all is written.
    child.stdin.on('error', () => undefined);
    for (const piece of input) {
        if (child.stdin.destroyed || child.exitCode !== null) {
            break;
        }
        if (!child.stdin.write(piece)) {
            await Promise.race([once(child.stdin, 'drain'), closed]);
        }
    }
    child.stdin.end();
    const [exitCode] = await closed;
    const [peakKib = 0, cpuUs = 0] = (await readFile(peakFile, 'utf8')).split(' ').map(Number);
    return { ...printed, exitCode, peakMib: Math.round(peakKib / 1024), cpuSeconds: cpuUs / 1e6 };
}
