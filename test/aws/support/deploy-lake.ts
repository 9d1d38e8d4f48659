/** The lake as `npx cdk deploy` deploys it, in a local AWS. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Ministack } from './ministack.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CDK = join(ROOT, 'node_modules/aws-cdk/bin/cdk');

/** As cdk.json says it of the lake's own app. */
const TELEMETRY_APP = 'node test/aws/support/telemetry-app.ts';

export interface DeployedLake {
    bucket: string;
    /** `s3://...`, as the command line takes it. */
    lake: string;
}

export interface DeployOptions {
    /** What is written goes below it. */
    folder: string;
    /** True if the stage's row has live telemetry. Default: the row as it stands. */
    hasTelemetry?: boolean;
}

/** Real `cdk bootstrap` and `cdk deploy`. */
export async function deployLake(
    { environment }: Pick<Ministack, 'environment'>,
    { folder, hasTelemetry = false }: DeployOptions,
): Promise<DeployedLake> {
    const outputs = join(folder, 'outputs.json');
    const app = hasTelemetry ? ['--app', TELEMETRY_APP] : [];
    const cdk = async (...argv: string[]): Promise<void> => {
        const env = { ...environment, PATH: process.env.PATH, HOME: folder };
        const options = { cwd: ROOT, env, maxBuffer: 1e8 };
        await promisify(execFile)(process.execPath, [CDK, ...argv, ...app, '--output', join(folder, 'cdk.out')], options).catch((error) => {
            throw new Error(`cdk ${argv[0]} failed:\n${whatFailed(String(error.stderr))}`, { cause: error.code });
        });
    };
    await cdk('bootstrap', 'aws://000000000000/us-east-1');
    await cdk('deploy', '--require-approval', 'never', '--outputs-file', outputs);
    const byStack: Record<string, { BucketName: string }> = JSON.parse(await readFile(outputs, 'utf8'));
    const [{ BucketName: bucket } = { BucketName: '' }] = Object.values(byStack);
    return { bucket, lake: `s3://${bucket}` };
}

/** What a person looks for in all that cdk says. */
function whatFailed(said: string): string {
    const lines = said.split('\n').filter((line) => /_FAILED|Error:|ERROR/.test(line));
    return (lines.length > 0 ? lines : said.split('\n').slice(-20)).slice(0, 20).join('\n');
}
