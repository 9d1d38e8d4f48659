/**
 * Records the tour: runs its lines on samples that are always the same, and writes what they print as a page and as an asciicast. `npm run docs` runs it;
 * test/recorded-tour.test.ts says when the recording is stale.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { STEPS } from './steps.ts';

const COLUMNS = 80;
const ROWS = 30;
/** Seconds from key to key, and to look at what a line printed. */
const KEY_S = 0.03;
const LOOK_S = 2.5;

/** The texts of the recording by their names in docs/tour/. */
export async function recordTour(): Promise<Record<string, string>> {
    const folder = await mkdtemp(join(tmpdir(), 'flowlake-tour-'));
    try {
        const script = fileURLToPath(new URL('play.ts', import.meta.url));
        const { stdout } = await promisify(execFile)(execPath, [script], { cwd: folder, maxBuffer: 2 ** 24 });
        const printed: unknown = JSON.parse(stdout);
        const shown = STEPS.map((step, index) => ({
            ...step,
            printed: withoutTimes(Array.isArray(printed) ? String(printed[index]) : ''),
        }));
        return { 'README.md': describe(shown), 'tour.cast': cast(shown) };
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}

interface PlayedStep {
    says: string;
    line: string;
    printed: string;
}

/** How long a line took is another time each time. */
function withoutTimes(text: string): string {
    return text.trimEnd().replaceAll(/ in 0\.0 s$/gm, '');
}

function describe(steps: readonly PlayedStep[]): string {
    const intro =
        '<!-- Written by docs/tour/record.ts: change the steps in docs/tour/steps.ts, then run `npm run docs`. -->\n# A recorded tour\n\n' +
        'What the commands print on samples that are the same for everybody: each line below was run, and nothing of its output is written by hand. To see it played:\n' +
        '`asciinema play docs/tour/tour.cast`. To play it yourself: type the lines.\n';
    return `${[intro, ...steps.map(({ says, line, printed }) => `${says}\n\n\`\`\`console\n$ flowlake ${line}\n${printed}\n\`\`\`\n`)].join('\n')}`;
}

/** An asciicast of version 2: https://docs.asciinema.org/manual/asciicast/v2/ */
function cast(steps: readonly PlayedStep[]): string {
    const events: [number, string][] = [];
    let at = 0.5;
    const show = (text: string, waitS: number): void => {
        events.push([at, text.replaceAll('\n', '\r\n')]);
        at += waitS;
    };
    for (const { says, line, printed } of steps) {
        show(`# ${says}\n$ `, 0.8);
        // A few keys at once: half the size, and as smooth.
        for (const keys of `flowlake ${line}`.match(/.{1,3}/g) ?? []) {
            show(keys, KEY_S * keys.length);
        }
        show('\n', 0.3);
        show(`${printed}\n\n`, LOOK_S);
    }
    const header = { version: 2, width: COLUMNS, height: ROWS, title: 'flowlake' };
    return `${[header, ...events.map(([time, text]) => [Number(time.toFixed(3)), 'o', text])].map((entry) => JSON.stringify(entry)).join('\n')}\n`;
}

if (import.meta.main) {
    for (const [name, text] of Object.entries(await recordTour())) {
        await writeFile(new URL(name, import.meta.url), text);
    }
}
