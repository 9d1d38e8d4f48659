/** Builds what is deployed as a Lambda: one file with all that the handler needs. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/**
 * What kinds name and no Lambda ever loads: second readers, which are for `verify` alone, with their database, and what only commands ask for. Without
 * it each bundle stays at some 1 MiB.
 */
const NEVER_LOADED = [
    '#lake/verify/*',
    '@duckdb/node-api',
    '#lake/flows/trace',
    '#lake/flows/anomalies/find-anomalies',
    '#lake/telemetry/trace',
    '#lake/telemetry/presets',
    '#lake/telemetry/try-payload',
];

/** What each Lambda never loads: who summarizes derives nothing, who consolidates reads no source. */
const NEVER_LOADED_BY = {
    summarize: ['#lake/telemetry/derive-readings'],
    consolidate: ['#lake/flows/read', '#lake/flows/read-flows', '#lake/telemetry/read'],
    chain: [],
    'given-up': [],
    latest: [],
    watch: [],
    notify: [],
    authorize: [],
    intake: [],
    api: [],
    push: [],
    certificates: [],
} satisfies Record<string, string[]>;

/** What zod says of faults in fifty languages: its index names them all, so that none would be left out. Answers are in English, whose words zod takes from elsewhere. */
const LANGUAGES = './node_modules/zod/v4/locales/index.js';
const IMPORT_OF_LANGUAGES = /import\*as (\w+) from"[^"]*zod\/v4\/locales\/index\.js";/g;

/** Files of the package that a function reads when it runs: they lie beside its bundle, at the same path. */
const BESIDE: Partial<Record<LambdaJob, readonly string[]>> = {
    api: ['readings', 'reading_steps', 'device_metrics'].map((name) => `sql/telemetry/queries/${name}.sql`),
};

/** Every function of the lake: the folder of its handler in lambdas/, and its name everywhere else. */
export type LambdaJob = keyof typeof NEVER_LOADED_BY;

/** The functions that only stages with live telemetry have. */
export type TelemetryJob = Exclude<LambdaJob, 'summarize' | 'consolidate'>;

/** A value for each function of live telemetry. */
export function forTelemetryJobs<T>(make: (job: TelemetryJob) => T): Record<TelemetryJob, T> {
    return {
        chain: make('chain'),
        'given-up': make('given-up'),
        latest: make('latest'),
        watch: make('watch'),
        notify: make('notify'),
        authorize: make('authorize'),
        intake: make('intake'),
        api: make('api'),
        push: make('push'),
        certificates: make('certificates'),
    };
}

/**
 * Bundles lambdas/<job>/handler.ts as dist-lambdas/<job>/index.mjs (handler `index.handler`). Equal sources give equal bytes, so that a
 * deployment without a change is none. The AWS SDK goes in too: a bundled one starts faster than the one of the runtime, and is the version
 * that was tested.
 *
 * There is no source map: Node would have to read it at each start to make use of it. The bundle of the same commit, built with
 * `sourcemap`, has it.
 */
export function bundleLambda(job: LambdaJob): { folder: string; sizeBytes: number } {
    const { outputFiles } = buildSync({
        absWorkingDir: ROOT,
        entryPoints: [`lambdas/${job}/handler.ts`],
        outfile: `dist-lambdas/${job}/index.mjs`,
        external: [...NEVER_LOADED, ...NEVER_LOADED_BY[job], LANGUAGES],
        alias: { '@aws-sdk/credential-provider-node': './lambdas/role-credentials.ts' },
        bundle: true,
        format: 'esm',
        platform: 'node',
        target: 'node24',
        // ES modules first: what is not used can be left out of them.
        mainFields: ['module', 'main'],
        minify: true,
        legalComments: 'none',
        write: false,
        logLevel: 'warning',
    });
    const contents = Buffer.from((outputFiles[0]?.text ?? '').replace(IMPORT_OF_LANGUAGES, 'const $1={};'));
    if (contents.includes('Dynamic require of')) {
        throw new Error(`dist-lambdas/${job} would hold CommonJS code that calls require() at run time: use the package's ESM build`);
    }
    if (contents.includes('zod/v4/locales')) {
        throw new Error(
            `dist-lambdas/${job} would look for the languages of zod, which it does not have: IMPORT_OF_LANGUAGES finds them no more`,
        );
    }
    const folder = join(ROOT, 'dist-lambdas', job);
    putInPlace(join(folder, 'index.mjs'), contents, { unfinished: `${folder}.${process.pid}.mjs` });
    for (const path of BESIDE[job] ?? []) {
        putInPlace(join(folder, path), readFileSync(join(ROOT, path)), { unfinished: `${folder}.${process.pid}.sql` });
    }
    return { folder, sizeBytes: contents.length };
}

/** Replaces a file as a whole: another process may be reading it. */
function putInPlace(path: string, contents: Uint8Array, { unfinished }: { unfinished: string }): void {
    try {
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(unfinished, contents);
        renameSync(unfinished, path);
    } finally {
        rmSync(unfinished, { force: true });
    }
}
