/** Every function of a stage with telemetry is one small file, and starts with the settings that the stack gives it. */
import { spawnSync } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { bundleLambda, type LambdaJob } from '#cdk/bundle-lambda';
import { makeFolder } from '#test/support/temporary';
import { ofType, synthesizeTelemetry, textOf } from './synthesized.ts';

/** What Lambda itself sets beside. */
const OF_LAMBDA = {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
};

/** One that is larger starts slower: the smallest of them take 0.4 MB, the largest 1.1. */
const MOST_BYTES = 1_200_000;

const START = `
const { handler } = await import('./index.mjs').catch(({ message }) => {
    console.log(message);
    process.exit(1);
});
console.log(typeof handler);
`;

const functions = ofType(synthesizeTelemetry(), 'AWS::Lambda::Function').map(([, { Properties }]) => ({
    job: Properties.FunctionName.replace('flowlake-dev-', '') as LambdaJob,
    settings: Object.fromEntries(Object.entries(Properties.Environment.Variables).map(([name, value]) => [name, textOf(value)])),
}));

test('there are two functions of flows and ten of telemetry', () => {
    expect(functions).toHaveLength(12);
});

test.each(functions)('$job starts', async ({ job, settings }) => {
    const { folder, sizeBytes } = bundleLambda(job);
    expect(sizeBytes).toBeLessThan(MOST_BYTES);
    // In a folder of its own: nothing is installed beside it.
    const place = await makeFolder();
    await copyFile(join(folder, 'index.mjs'), join(place, 'index.mjs'));
    const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', START], {
        cwd: place,
        env: { ...OF_LAMBDA, ...settings },
        encoding: 'utf8',
    });
    expect({ stdout: stdout.trim(), status }).toEqual({ stdout: 'function', status: 0 });
});
