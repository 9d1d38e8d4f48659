/** `npm run test:extremes`: gives the built program every extreme file, and prints what came of each and the most memory it had. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { EXTREME_FILES } from './extreme-files.ts';
import { uploadExtreme } from './upload-extreme.ts';

/** Words of names; all files where there are none. */
const words = process.argv.slice(2);
let problems = 0;
for (const file of EXTREME_FILES.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))) {
    const folder = await mkdtemp(join(tmpdir(), 'flowlake-extreme-'));
    try {
        const outcome = await uploadExtreme(file, folder);
        const seconds = outcome.cpuSeconds.toFixed(1);
        console.log(`${String(outcome.peakMib).padStart(4)} MiB ${seconds.padStart(6)} s of work  ${file.name}`);
        console.log(`                           ${outcome.told.split('\n').join(' ').slice(0, 150)}`);
        for (const problem of outcome.problems) {
            console.log(`PROBLEM: ${problem}`);
            problems += 1;
        }
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}
process.exit(problems > 0 ? 1 : 0);
