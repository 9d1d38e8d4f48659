/**
 * Builds dist/, the program as it is published: one file per entry point, chunks that are loaded when a command needs them, the web
 * application below dist/web, and the licences of what is bundled. `node build.ts` runs it; test/support/build-once.js runs it before the tests.
 */
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';

const ROOT = fileURLToPath(new URL('.', import.meta.url));
const DIST = join(ROOT, 'dist');

/** Names in dist/ and their sources. Each may be run by itself: the bin of package.json, and what threads begin with. */
const ENTRY_POINTS = { flowlake: 'cli/main.ts', worker: 'lake/here/worker.ts', 'inbox-worker': 'lake/serve/inbox-worker.ts' };
const EXECUTABLE = 'flowlake.js';

/** What web/index.html loads: the application, and a script that sets the theme before anything is drawn, which is no module and stands alone. */
const WEB_ENTRY_POINTS = { main: 'web/main.tsx' };
const WEB_FIRST_SCRIPT = { theme: 'web/theme.ts' };

/** What must be installed beside the program: it has a native part. All else is bundled. */
const EXTERNAL = ['@duckdb/node-api'];

/** ws, below mqtt, would look for native helpers that nobody has installed. */
const WITHOUT_OPTIONAL_PARTS = { 'process.env.WS_NO_BUFFER_UTIL': '"1"', 'process.env.WS_NO_UTF_8_VALIDATE': '"1"' };

/** commander loads child_process for subcommands that are programs of their own; we have none, and it costs a tenth of the start-up. */
const withoutSubprograms: Plugin = {
    name: 'without-subprograms',
    setup({ onResolve, onLoad }) {
        onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
            importer.includes('/node_modules/commander/') ? { path: 'no-child-process', namespace: 'empty' } : undefined,
        );
        onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: 'export default {};' }));
    },
};

/** zod carries its messages in fifty languages, a seventh of all of dist/. The API says what is wrong in words of its own. */
const zodInEnglish: Plugin = {
    name: 'zod-in-english',
    setup({ onLoad }) {
        onLoad({ filter: /\/node_modules\/zod\/v4\/locales\/index\.js$/ }, ({ path }) => ({
            contents: "export { default as en } from './en.js';",
            resolveDir: dirname(path),
        }));
    },
};

/** linkedom looks for a native canvas and does without one where there is none. */
const withoutCanvas: Plugin = {
    name: 'without-canvas',
    setup({ onResolve, onLoad }) {
        onResolve({ filter: /^canvas$/ }, () => ({ path: 'no-canvas', namespace: 'no-canvas' }));
        onLoad({ filter: /.*/, namespace: 'no-canvas' }, () => ({ contents: "throw new Error('there is no canvas');" }));
    },
};

/**
 * Brings dist/ up to date with the sources. Safe beside programs that run from it and beside another build: files that did not
 * change are left alone, changed ones are replaced by rename, and what the last build left over goes last.
 */
export async function buildPackage(): Promise<void> {
    const { outputFiles, metafile } = await build({
        absWorkingDir: ROOT,
        entryPoints: ENTRY_POINTS,
        outdir: DIST,
        entryNames: '[name]',
        chunkNames: '[name]-[hash]',
        bundle: true,
        splitting: true,
        format: 'esm',
        platform: 'node',
        // Needed because the AWS SDK offers both, and only its ES modules can be split and shaken.
        mainFields: ['module', 'main'],
        target: 'node20',
        external: EXTERNAL,
        define: WITHOUT_OPTIONAL_PARTS,
        plugins: [withoutSubprograms, withoutCanvas, zodInEnglish],
        minify: true,
        legalComments: 'none',
        metafile: true,
        write: false,
        logLevel: 'warning',
    });
    refuseForeignRequire(metafile);
    const files = new Map(outputFiles.map((file) => [file.path.slice(DIST.length + 1), withRequire(file.text)]));
    files.set(EXECUTABLE, withHashbang(files.get(EXECUTABLE) ?? ''));
    const web = await buildWeb();
    for (const [name, text] of web.files) {
        files.set(`web/${name}`, text);
    }
    files.set('THIRD-PARTY-LICENSES.txt', await licencesOf([metafile, web.metafile]));
    await replaceFiles(files);
}

/** Builds the web application: its screens are chunks of their own, and each name has a hash of what is in the file, so that browsers keep it. */
async function buildWeb(): Promise<{ files: Map<string, string>; metafile: Metafile }> {
    const outdir = join(DIST, 'web');
    const options = {
        absWorkingDir: ROOT,
        outdir,
        entryNames: '[name]-[hash]',
        chunkNames: '[name]-[hash]',
        bundle: true,
        platform: 'browser',
        target: 'es2022',
        jsx: 'automatic',
        jsxImportSource: 'preact',
        minify: true,
        legalComments: 'none',
        metafile: true,
        write: false,
        logLevel: 'warning',
    } as const;
    const [{ outputFiles, metafile }, first] = await Promise.all([
        build({ ...options, entryPoints: WEB_ENTRY_POINTS, splitting: true, format: 'esm' }),
        build({ ...options, entryPoints: WEB_FIRST_SCRIPT, format: 'iife' }),
    ]);
    const files = new Map([...outputFiles, ...first.outputFiles].map((file) => [file.path.slice(outdir.length + 1), file.text]));
    const page = await readFile(join(ROOT, 'web/index.html'), 'utf8');
    files.set(
        'index.html',
        page.replace(/\/web\/(main|theme)\.(js|css)/g, (_, name: string, ending: string) => {
            const built = [...files.keys()].find((one) => one.startsWith(`${name}-`) && one.endsWith(`.${ending}`));
            if (built === undefined) {
                throw new Error(`web/index.html names ${name}.${ending}, which the build does not make`);
            }
            return `/web/${built}`;
        }),
    );
    files.set('icon.svg', await readFile(join(ROOT, 'web/icon.svg'), 'utf8'));
    return { files, metafile };
}

/** Bundled CommonJS code may require what Node has built in, and nothing else: find out now, not at the user's. */
function refuseForeignRequire({ outputs }: Metafile): void {
    for (const [name, { imports }] of Object.entries(outputs)) {
        const foreign = imports.find(({ kind, path }) => kind === 'require-call' && !isBuiltin(path));
        if (foreign) {
            throw new Error(`${name} would call require('${foreign.path}') at run time: bundle that package, or make it external`);
        }
    }
}

/** The chunk in which esbuild's stub for require() stands: an ES module has none, and the stub takes the one that it finds. */
function withRequire(text: string): string {
    if (!text.includes('Dynamic require of')) {
        return text;
    }
    return `import{createRequire as requireOf}from"node:module";const require=requireOf(import.meta.url);${text}`;
}

function withHashbang(text: string): string {
    return text.startsWith('#!') ? text : `#!/usr/bin/env node\n${text}`;
}

/**
 * The licences of what is bundled. The MIT licence and its kin ask that their text goes where the code goes, and minifying drops it from
 * the code.
 */
async function licencesOf(metafiles: readonly Metafile[]): Promise<string> {
    const bundled = new Set<string>();
    for (const output of metafiles.flatMap(({ outputs }) => Object.values(outputs))) {
        for (const input of Object.keys(output.inputs)) {
            const folder = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
            if (folder !== undefined) {
                bundled.add(folder);
            }
        }
    }
    const namesOfText = new Map<string, string[]>();
    for (const folder of [...bundled].sort()) {
        const { name, version, license } = JSON.parse(await readFile(join(ROOT, folder, 'package.json'), 'utf8'));
        const text = await readLicence(folder, license);
        namesOfText.set(text, [...(namesOfText.get(text) ?? []), `${name} ${version}`]);
    }
    return [...namesOfText].map(([text, names]) => `${names.join('\n')}\n\n${text}\n`).join(`\n${'-'.repeat(80)}\n\n`);
}

async function readLicence(folder: string, license: unknown): Promise<string> {
    const file = (await readdir(join(ROOT, folder))).find((name) => /^licen[cs]e/i.test(name));
    if (file !== undefined) {
        return (await readFile(join(ROOT, folder, file), 'utf8')).trim();
    }
    const [, packages] = /^(.*node_modules)\/@hono\//.exec(folder) ?? [];
    if (license === 'MIT' && packages !== undefined) {
        // Packages of the project that hono itself is of: its authors, its licence.
        return readLicence(`${packages}/hono`, license);
    }
    if (license === 'Apache-2.0') {
        return 'Licensed under the Apache License, Version 2.0: its text is that of the file LICENSE of this package.';
    }
    throw new Error(`${folder} is bundled but has no licence file: look it up and say so in docs/dependencies.md`);
}

async function replaceFiles(files: Map<string, string>): Promise<void> {
    await mkdir(join(DIST, 'web'), { recursive: true });
    const before = await readdir(DIST, { recursive: true });
    const staging = await mkdtemp(`${DIST}-`);
    try {
        // Chunks first: an entry point must never name a chunk that is not there yet.
        const names = [...files.keys()].sort((a, b) => Number(isEntryPoint(a)) - Number(isEntryPoint(b)));
        for (const name of names) {
            const text = files.get(name) ?? '';
            const path = join(DIST, name);
            if ((await readFile(path, 'utf8').catch(() => undefined)) === text) {
                continue;
            }
            const staged = join(staging, basename(name));
            await writeFile(staged, text);
            await chmod(staged, name === EXECUTABLE ? 0o755 : 0o644);
            await rename(staged, path);
        }
        for (const name of before.filter((old) => !files.has(old) && old !== 'web')) {
            await rm(join(DIST, name), { recursive: true, force: true });
        }
    } finally {
        await rm(staging, { recursive: true, force: true });
    }
}

function isEntryPoint(name: string): boolean {
    return name === 'web/index.html' || Object.keys(ENTRY_POINTS).some((entry) => name === `${entry}.js`);
}

if (import.meta.main) {
    try {
        await buildPackage();
    } catch (error) {
        // The objections of esbuild are printed already.
        if (!(error instanceof Error && 'errors' in error)) {
            throw error;
        }
        process.exitCode = 1;
    }
}
