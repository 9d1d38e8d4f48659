/** A copy of the tree that has the made-up kinds too: one entry in lake/kinds.ts, and no other line that a person writes. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What a new kind's author changes in lake/kinds.ts. */
const ENTRY = {
    below: "import { flows } from '#lake/flows/kind';\n",
    imports: "import { gauges, tides } from '#test/kinds/gauges';\n",
    before: '];\n\n/** The kind that a raw key names.',
    entries: '    gauges,\n    tides,\n',
};

/**
 * Makes the copy in a folder that is empty or missing, with the tools of this tree; all that is generated is generated anew, and the program is built.
 * @returns the copy's program: `dist/flowlake.js`
 */
export function makeTreeWithGauges(folder: string): string {
    const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: ROOT, encoding: 'utf8' });
    for (const file of files.split('\0').filter((name) => name !== '' && existsSync(join(ROOT, name)))) {
        mkdirSync(dirname(join(folder, file)), { recursive: true });
        cpSync(join(ROOT, file), join(folder, file));
    }
    for (const shared of ['node_modules', '.tools'].filter((name) => existsSync(join(ROOT, name)))) {
        symlinkSync(join(ROOT, shared), join(folder, shared));
    }
    const kinds = join(folder, 'lake/kinds.ts');
    const text = readFileSync(kinds, 'utf8');
    for (const place of [ENTRY.below, ENTRY.before]) {
        if (text.split(place).length !== 2) {
            throw new Error(`lake/kinds.ts has ${JSON.stringify(place)} not exactly once: adapt test/kinds/tree-with-gauges.ts`);
        }
    }
    writeFileSync(kinds, text.replace(ENTRY.below, ENTRY.below + ENTRY.imports).replace(ENTRY.before, ENTRY.entries + ENTRY.before));
    for (const script of ['docs/generate.ts', 'build.ts']) {
        execFileSync(process.execPath, [script], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
    }
    return join(folder, 'dist/flowlake.js');
}
