/** The documents say what the program does: generated pages are fresh, no command is left out, commands print what is shown, links resolve. */
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { commands } from '#cli/commands';
import { tables } from '#lake/kinds';
import { VIEW_NAMES } from '#lake/query/sql-files';
import { runLine } from '#test/cli/fake-surroundings';
import { runFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';
import { generatePages } from '../docs/generate.ts';

const ROOT = new URL('../', import.meta.url).pathname;

describe('a generated page', () => {
    test.each(Object.entries(generatePages()))('docs/%s is what `npm run docs` writes', async (name, text) => {
        expect(await readFile(join(ROOT, 'docs', name), 'utf8')).toBe(text);
    });
});

test.each(['bi/grafana/', 'bi/superset/'])('docs/%s holds nothing that `npm run docs` does not write: all of it is imported', (folder) => {
    const found = readdirSync(join(ROOT, 'docs', folder), { recursive: true, withFileTypes: true });
    const files = found.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    const written = Object.keys(generatePages()).filter((name) => name.startsWith(folder));
    expect(files.sort()).toEqual(written.map((name) => join(ROOT, 'docs', name)).sort());
});

describe('every command', () => {
    test.each(commands.map(({ name }) => name))('%s has help with an example that runs it', async (name) => {
        const { exitCode, stdout } = await runLine([...name.split(' '), '--help']);
        expect(exitCode).toBe(0);
        expect(stdout).toMatch(new RegExp(`^Examples:\\n {2}flowlake (.* )?${name}\\b`, 'm'));
    });

    // Commands about one thing have a row together: profile list, profile add.
    test.each([...new Set(commands.map(({ name }) => name.split(' ')[0]))])('%s has a row in the README', async (name) => {
        expect(await readFile(join(ROOT, 'README.md'), 'utf8')).toMatch(new RegExp(`^\\| \`${name}\\b`, 'm'));
    });
});

test('the help of query names every table and view', async () => {
    const { stdout } = await runLine(['query', '--help']);
    const words = new Set(stdout.match(/\w+/g));
    expect([...tables.map(({ name }) => name), ...VIEW_NAMES].filter((name) => !words.has(name))).toEqual([]);
});

describe('the README', () => {
    test('shows what its commands print', async () => {
        const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
        const [, block = ''] = /```console\n(.*?)```/s.exec(readme) ?? [];
        const folder = await makeFolder();
        const printed: string[] = [];
        for (const line of block.split('\n').filter((text) => text.startsWith('$ '))) {
            const { exitCode, stdout, stderr } = await runFlowlake(line.replace('$ npx flowlake ', ''), { folder });
            expect({ line, exitCode }).toEqual({ line, exitCode: 0 });
            printed.push(`${line}\n${stderr}${stdout}`);
        }
        expect(printed.length).toBeGreaterThan(2);
        expect(withoutTimes(printed.join(''))).toBe(withoutTimes(block));
    });
});

test.each([
    ['pair_features', 0],
    ['metric_features', 1],
])('docs/features.md has a row for each column of view %s, and its type', async (view, part) => {
    const { [view]: columns } = JSON.parse(await readFile(join(ROOT, 'cdk/view-columns.json'), 'utf8'));
    const page = await readFile(join(ROOT, 'docs/features.md'), 'utf8');
    const text = page.split('\n## Of telemetry\n')[part] ?? '';
    const rows = [...text.matchAll(/^\| ([a-z0-9_, ]+) \| (string|bigint|double|boolean) \|/gm)];
    const described = rows.flatMap(([, names = '', type]) =>
        names.split(', ').map((name) => ({ name, type: type === 'string' ? 'varchar' : type })),
    );
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    expect(described.sort(byName)).toEqual(columns.sort(byName));
});

const pages = [
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    ...readdirSync(join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
];

test.each(pages)('every link of %s leads somewhere', async (page) => {
    const text = await readFile(join(ROOT, page), 'utf8');
    const links = [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => link).filter((link) => !/^https?:/.test(link));
    expect(links.filter((link) => !existsSync(join(ROOT, dirname(page), link)))).toEqual([]);
});

/** How long it took is another time each time. */
function withoutTimes(text: string): string {
    return text.replace(/ in [\d.]+ s \([\d.]+ .?B\/s\)/g, ' in ...');
}
