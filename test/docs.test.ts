/** The documents say what the program does: generated pages are fresh, and no command is left out. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { commands } from '#cli/commands';
import { runLine } from '#test/cli/fake-surroundings';
import { generatePages } from '../docs/generate.ts';

const ROOT = new URL('../', import.meta.url);

describe('a generated page', () => {
    test.each(Object.entries(generatePages()))('docs/%s is what `npm run docs` writes', async (name, text) => {
        expect(await readFile(new URL(`docs/${name}`, ROOT), 'utf8')).toBe(text);
    });
});

describe('every command', () => {
    test.each(commands.map(({ name }) => name))('%s has help with an example that runs it', async (name) => {
        const { exitCode, stdout } = await runLine([name, '--help']);
        expect(exitCode).toBe(0);
        expect(stdout).toMatch(new RegExp(`^Examples:\\n {2}flowlake (.* )?${name}\\b`, 'm'));
    });

    const readme = new URL('README.md', ROOT);
    if (existsSync(readme)) {
        test.each(commands.map(({ name }) => name))('%s has a row in the README', async (name) => {
            expect(await readFile(readme, 'utf8')).toMatch(new RegExp(`^\\| \`${name}\\b`, 'm'));
        });
    } else {
        test.todo('has a row in the README, once there is one');
    }
});
