/** Plays the tour in the folder that it is started in, with a clock that stands, and prints what each step printed as JSON: docs/tour/record.ts starts it. */
import { stdout } from 'node:process';
import type { Surroundings } from '#cli/command';
import type { Output } from '#cli/output';
import { run } from '#cli/run';
import { STEPS } from './steps.ts';

const COLUMNS = 80;
const NOW = new Date('2026-02-01T12:00:00Z');

/** A line as a shell reads it: words, some of them in double quotes. */
function wordsOf(line: string): string[] {
    return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

async function play(line: string): Promise<string> {
    let printed = '';
    const output: Output = {
        isTerminal: true,
        canRedraw: false,
        columns: COLUMNS,
        async write(text) {
            printed += text;
        },
        async control() {},
    };
    const surroundings: Surroundings = {
        environment: {},
        stdout: output,
        stderr: output,
        async *readInput() {},
        signal: new AbortController().signal,
        now: () => NOW,
        invocation: 'flowlake',
    };
    const exitCode = await run(wordsOf(line), surroundings);
    if (exitCode !== 0) {
        throw new Error(`flowlake ${line} ended with ${exitCode}: ${printed}`);
    }
    return printed;
}

const printed: string[] = [];
for (const { line } of STEPS) {
    printed.push(await play(line));
}
stdout.write(JSON.stringify(printed));
