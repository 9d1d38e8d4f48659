/** The tree keeps the rules of .dependency-cruiser.js, and the tools that say so are not blind. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DEPCRUISE = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
const BIOME = join(ROOT, 'node_modules/@biomejs/biome/bin/biome');

/** One bad import for each rule, in all the ways in which TypeScript can import. */
const BAD_IMPORTS: Record<string, { file: string; text: string; beside?: Record<string, string> }> = {
    'no-cycles': {
        file: 'lake/flows/planted-one.ts',
        text: "import { two } from './planted-two.ts';\nexport const one = two;",
        beside: { 'lake/flows/planted-two.ts': "import type { one } from './planted-one.ts';\nexport const two: typeof one = 2;" },
    },
    'everything-resolves': { file: 'lake/planted-typo.ts', text: "export { nothing } from '#lake/no-such-file';" },
    'nobody-imports-test': {
        file: 'cli/planted-test.ts',
        text: "import { fake } from '#test/planted-fake';\nexport const real = fake;",
        beside: { 'test/planted-fake.ts': 'export const fake = 1;' },
    },
    'nobody-imports-a-tool': { file: 'cli/planted-tool.ts', text: "export { buildPackage } from '../build.ts';" },
    'lake-knows-nobody': {
        file: 'lake/planted-outward.ts',
        text: "import type { word } from '#cli/planted-word';\nexport type Word = typeof word;",
        beside: { 'cli/planted-word.ts': "export const word = 'word';" },
    },
    'flows-know-only-themselves': { file: 'lake/flows/planted-layout.ts', text: "export { rawKey } from '#lake/layout';" },
    'flows-touch-no-world': { file: 'lake/flows/planted-fs.ts', text: "export const text = (await import('node:fs/promises')).readFile;" },
    'telemetry-knows-itself-and-bytes': {
        file: 'lake/telemetry/planted-flows.ts',
        text: "export { readFlows } from '#lake/flows/read-flows';",
    },
    'telemetry-touches-no-world': {
        file: 'lake/telemetry/planted-fs.ts',
        text: "export const text = (await import('node:fs/promises')).readFile;",
    },
    'live-is-for-both-homes': {
        file: 'lake/live/planted-server.ts',
        text: "import { server } from '#lake/serve/planted-server';\nexport const chosen = server;",
        beside: { 'lake/serve/planted-server.ts': 'export const server = 1;' },
    },
    'cloud-and-serve-are-two-homes': {
        file: 'lake/cloud/planted-server.ts',
        text: "import { server } from '#lake/serve/planted-server';\nexport const chosen = server;",
        beside: { 'lake/serve/planted-server.ts': 'export const server = 1;' },
    },
    'live-touches-no-world': { file: 'lake/live/planted-http.ts', text: "export { createServer } from 'node:http';" },
    'use-cases-know-ports-not-adapters': {
        file: 'lake/reports/planted-use-case.ts',
        text: "import { adapter } from '#lake/store/planted-adapter';\nexport const chosen = adapter;",
        beside: { 'lake/store/planted-adapter.ts': 'export const adapter = 1;' },
    },
    'work-here-is-for-directories': { file: 'lake/commit/planted-threads.ts', text: "export { runTasks } from '#lake/here/threads';" },
    'upload-knows-its-rooms': { file: 'lake/upload/planted-reader.ts', text: "export { whyUnusable } from '#lake/flows/read-flows';" },
    'adapters-know-their-port': {
        file: 'lake/store/planted-rule.ts',
        text: "import type { LedgerRecord } from '#lake/ledger';\nexport type R = LedgerRecord;",
    },
    'sdks-stay-in-their-adapters': { file: 'cli/planted-sdk.ts', text: "export const duckdb = () => import('@duckdb/node-api');" },
    'the-judge-names-no-kind': { file: 'lake/verify/planted-kind.ts', text: "export { pairDays } from '#lake/flows/tables';" },
    'second-reader-shares-nothing-with-the-first': {
        file: 'lake/verify/flows/planted-reader.ts',
        text: "export { readFlows } from '#lake/flows/read-flows';",
    },
    'second-reader-of-telemetry-shares-nothing-with-the-first': {
        file: 'lake/verify/telemetry/planted-reader.ts',
        text: "export { readTelemetry } from '#lake/telemetry/read';",
    },
    'cli-never-a-handler': {
        file: 'cli/planted-handler.ts',
        text: "import { handler } from '../lambdas/planted/handler.ts';\nexport const again = handler;",
        beside: { 'lambdas/planted/handler.ts': 'export const handler = 1;' },
    },
    'commit-names-no-kind': {
        file: 'lake/commit/planted-kind.ts',
        text: "import { pairDays } from '#lake/flows/tables';\nexport const table = pairDays;",
    },
    'edges-name-no-kind': {
        file: 'cli/planted-kind.ts',
        text: "import type { pairDays } from '#lake/flows/tables';\nexport type T = typeof pairDays;",
    },
    'cdk-describes': { file: 'cdk/planted-adapter.ts', text: "export { openS3Store } from '#lake/store/s3';" },
    'web-runs-in-a-browser': { file: 'web/planted-lake.ts', text: "export { rawKey } from '../lake/layout.ts';" },
    'nobody-runs-web': { file: 'lake/pages/planted-web.ts', text: "export { SCREENS } from '../../web/screens.ts';" },
    'pages-know-no-server': {
        file: 'lake/pages/planted-server.ts',
        text: "export { createPages } from '#lake/pages/server/create-pages';",
    },
    'commands-stand-alone': {
        file: 'cli/commands/planted-left/run.ts',
        text: "import { right } from '../planted-right/run.ts';\nexport const left = right;",
        beside: { 'cli/commands/planted-right/run.ts': 'export const right = 1;' },
    },
};

interface Violation {
    rule: string;
    from: string;
    to: string;
    instead: string;
}

/** The part of dependency-cruiser's JSON that is read here. */
interface CruiseResult {
    summary: {
        violations: { rule: { name: string }; from: string; to: string }[];
        ruleSetUsed: { forbidden: { name: string; comment: string }[] };
    };
    modules: { source: string; dependencies: { resolved: string }[] }[];
}

interface Outcome {
    exitCode: number;
    stdout: string;
}

test('every import in the tree obeys the rules', async () => {
    const { violations, imports } = await cruise(ROOT, [
        'lake',
        'cli',
        'web',
        'lambdas',
        'cdk',
        'sample',
        'bench',
        'docs',
        'test',
        'build.ts',
    ]);
    expect(violations.map(({ from, to, rule, instead }) => `${from} -> ${to}: ${rule}. ${instead}`)).toEqual([]);
    expect(imports).toContainEqual({ from: 'lake/layout.ts', to: 'lake/errors.ts' });
});

describe('in a copy of the tree', () => {
    let copy: string;

    beforeAll(async () => {
        copy = await mkdtemp(join(tmpdir(), 'flowlake-architecture-'));
        for (const part of ['lake', 'cli', 'web', 'build.ts', 'package.json', 'biome.json', '.dependency-cruiser.js']) {
            await cp(join(ROOT, part), join(copy, part), { recursive: true });
        }
        await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'dir');
    });

    afterAll(() => rm(copy, { recursive: true, force: true }));

    test('the tool objects to one bad import for each rule', async () => {
        for (const { file, text, beside } of Object.values(BAD_IMPORTS)) {
            await plant({ [file]: text, ...beside });
        }
        const { violations } = await cruise(copy, ['lake', 'cli', 'web', 'test', 'lambdas', 'cdk', 'build.ts']);
        for (const [rule, { file }] of Object.entries(BAD_IMPORTS)) {
            expect(violations).toContainEqual(expect.objectContaining({ rule, from: file }));
        }
    });

    test('the browser’s part may know types of the lake', async () => {
        await plant({ 'web/planted-types.ts': "import type { Page } from '../lake/pages/page.ts';\nexport type P = Page;" });
        const { violations, imports } = await cruise(copy, ['web']);
        expect(imports).toContainEqual({ from: 'web/planted-types.ts', to: 'lake/pages/page.ts' });
        expect(violations.filter(({ from }) => from === 'web/planted-types.ts')).toEqual([]);
    });

    test('no rule is without its bad import', async () => {
        const { default: config } = await import(join(ROOT, '.dependency-cruiser.js'));
        expect(Object.keys(BAD_IMPORTS).sort()).toEqual(config.forbidden.map((rule: { name: string }) => rule.name).sort());
    });

    test('only main.ts touches the process', async () => {
        const text = 'export function leave(): void {\n    process.exitCode = 1;\n}\n';
        await plant({ 'cli/planted-process.ts': text, 'cli/main.ts': text });
        const lint = await run([BIOME, 'lint', '--only=style/noRestrictedGlobals', '--reporter=github', 'cli'], copy);
        expect(lint.exitCode).toBe(1);
        expect(lint.stdout).toContain('cli/planted-process.ts,line=2');
        expect(lint.stdout).not.toContain('cli/main.ts');
    });

    async function plant(files: Record<string, string>): Promise<void> {
        for (const [file, text] of Object.entries(files)) {
            await mkdir(dirname(join(copy, file)), { recursive: true });
            await writeFile(join(copy, file), text);
        }
    }
});

async function cruise(folder: string, what: string[]): Promise<{ violations: Violation[]; imports: { from: string; to: string }[] }> {
    const { stdout } = await run([DEPCRUISE, '--output-type', 'json', ...what], folder);
    const { summary, modules }: CruiseResult = JSON.parse(stdout);
    return {
        violations: summary.violations.map(({ rule, from, to }) => {
            const instead = summary.ruleSetUsed.forbidden.find(({ name }) => name === rule.name)?.comment ?? '';
            return { rule: rule.name, from, to, instead };
        }),
        imports: modules.flatMap(({ source, dependencies }) => dependencies.map(({ resolved }) => ({ from: source, to: resolved }))),
    };
}

/** Runs a tool of node_modules; its findings are an answer, not an error. */
async function run(argv: string[], cwd: string): Promise<Outcome> {
    try {
        const { stdout } = await promisify(execFile)(process.execPath, argv, { cwd, maxBuffer: 1e8 });
        return { exitCode: 0, stdout };
    } catch (error) {
        if (error instanceof Error && 'code' in error && typeof error.code === 'number' && 'stdout' in error) {
            return { exitCode: error.code, stdout: String(error.stdout) };
        }
        throw error;
    }
}
