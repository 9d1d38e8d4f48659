/** A Node that is too old for the program: it is told so before anything else can fail. */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transform } from 'esbuild';

const ROOT = new URL('../../', import.meta.url);
const PROGRAM = fileURLToPath(new URL('dist/flowlake.js', ROOT));

/** Runs the built program in a Node that says it is of this version; it may import nothing but its own first file and what Node has. */
function runAs(version: string, { mayImport = false } = {}) {
    const setting = `
        import { registerHooks } from 'node:module';
        Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });
        ${mayImport ? '' : 'registerHooks({ resolve: refuse });'}
        function refuse(name, context, next) {
            if (!name.startsWith('node:') && name !== '${pathToFileURL(PROGRAM)}') {
                throw new Error('imports ' + name);
            }
            return next(name, context);
        }`;
    const words = ['--import', `data:text/javascript,${encodeURIComponent(setting)}`, PROGRAM, 'pairs'];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', env: { PATH: process.env.PATH } });
    return { status, stdout, stderr };
}

test.each(['18.20.8', '20.20.2', '22.17.9', '12.0.0'])('Node %s is told what is needed, and what to do', (version) => {
    expect(runAs(version)).toEqual({
        status: 1,
        stdout: '',
        stderr: `flowlake: this is Node ${version}, and flowlake needs 22.18 or newer: install it from https://nodejs.org (nvm install 24), and try again\n`,
    });
});

test.each(['22.18.0', '23.0.0', '24.21.0', '100.0.0'])('Node %s runs the program', (version) => {
    expect(runAs(version).stderr).toContain('Error: imports ./');
    expect(runAs(version, { mayImport: true }).stderr).toMatch(/^flowlake: Which lake\?/);
});

test('what is needed is what package.json says', async () => {
    const { engines } = JSON.parse(await readFile(new URL('package.json', ROOT), 'utf8'));
    expect(runAs('1.0.0').stderr).toContain(` needs ${engines.node.replace('>=', '')} or newer`);
});

test('the first file is written in words that old ones know', async () => {
    const text = await readFile(PROGRAM, 'utf8');
    const [now, then] = await Promise.all(
        ['esnext', 'node14.13'].map((target) => transform(text, { target, format: 'esm', minify: true }).then(({ code }) => code)),
    );
    expect(then).toBe(now);
});
