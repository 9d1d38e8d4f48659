import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { isDataDestroyed, readStage } from '#cdk/config';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

let folder: string;

beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flowlake-app-'));
});

afterEach(() => rm(folder, { recursive: true }));

test('the app that cdk.json names makes one stack with the real bundles, and cdk-nag agrees', async () => {
    const { app, context } = JSON.parse(await readFile(join(ROOT, 'cdk.json'), 'utf8'));
    expect(app).toBe('node cdk/app.ts');
    await runApp({ folder, context: { ...context, stage: 'prod' } });
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
    expect(
        Object.entries<any>(manifest.artifacts)
            .filter(([, { type }]) => type === 'aws:cloudformation:stack')
            .map(([name]) => name),
    ).toEqual(['flowlake-prod']);
    expect(manifest.artifacts['flowlake-prod'].properties.terminationProtection).toBe(true);
    // Else the CDK command ends each run with "80 feature flags are not configured".
    const report = Object.values<any>(manifest.artifacts).find(({ type }) => type === 'cdk:feature-flag-report');
    const flags = Object.entries<any>(report.properties.flags);
    expect(flags.length).toBeGreaterThan(50);
    const isUnsaid = ({ userValue, recommendedValue, unconfiguredBehavesLike }: any) =>
        userValue === undefined && (unconfiguredBehavesLike?.v2 ?? false) !== recommendedValue;
    expect(flags.filter(([, flag]) => isUnsaid(flag)).map(([name]) => name)).toEqual([]);
    const { Resources } = JSON.parse(await readFile(join(folder, 'flowlake-prod.template.json'), 'utf8'));
    for (const { Properties } of Object.values<any>(Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function')) {
        const folderOfCode = `asset.${Properties.Code.S3Key.replace('.zip', '')}`;
        expect([Properties.FunctionName, await readdir(join(folder, folderOfCode))]).toEqual([Properties.FunctionName, ['index.mjs']]);
    }
});

test('a stage that has no row is refused with those that have one', async () => {
    await expect(runApp({ folder, context: { stage: 'production' } })).rejects.toThrow(
        'There is no stage "production": say -c stage=dev|prod, or add a row to cdk/config.ts',
    );
});

test.each([[{ stage: 'production' }], [{ stage: 'prod', 'destroy-data': 'prod' }]])(
    'what is wrong with %j is one line, without a stack trace',
    async (context) => {
        const { code, stderr } = await runApp({ folder, context }).then(
            () => ({ code: 0, stderr: '' }),
            (error: { code: number; stderr: string }) => error,
        );
        expect([code, stderr]).toEqual([1, expect.stringMatching(/^flowlake: [^\n]+\n$/)]);
    },
);

test('data goes only with both switches', () => {
    expect(isDataDestroyed(readStage('dev'), undefined)).toBe(false);
    expect(isDataDestroyed(readStage('prod'), undefined)).toBe(false);
    expect(isDataDestroyed(readStage('dev'), 'dev')).toBe(true);
    expect(() => isDataDestroyed(readStage('prod'), 'prod')).toThrow('Stage prod keeps its data: set isDataKept to false');
    expect(() => isDataDestroyed(readStage('dev'), 'prod')).toThrow('-c destroy-data=prod does not name this stage');
    expect(() => isDataDestroyed(readStage('dev'), true)).toThrow('-c destroy-data=true does not name this stage');
});

/** Runs the app as the CDK command does, without credentials. */
async function runApp({ folder, context }: { folder: string; context: object }): Promise<void> {
    await promisify(execFile)(process.execPath, ['cdk/app.ts'], {
        cwd: ROOT,
        env: { PATH: process.env.PATH, CDK_OUTDIR: folder, CDK_CONTEXT_JSON: JSON.stringify(context) },
    });
}
