/** The lake as `npx cdk deploy` deploys it, in a local AWS. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Ministack } from './ministack.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CDK = join(ROOT, 'node_modules/aws-cdk/bin/cdk');

export interface DeployedLake {
    bucket: string;
    /** `s3://...`, as the command line takes it. */
    lake: string;
}

/** Real `cdk bootstrap` and `cdk deploy`. What they write goes below `folder`. */
export async function deployLake({ environment }: Pick<Ministack, 'environment'>, { folder }: { folder: string }): Promise<DeployedLake> {
    const outputs = join(folder, 'outputs.json');
    const cdk = async (...argv: string[]): Promise<void> => {
        const env = { ...environment, PATH: process.env.PATH, HOME: folder };
        await promisify(execFile)(process.execPath, [CDK, ...argv, '--output', join(folder, 'cdk.out')], {
            cwd: ROOT,
            env,
            maxBuffer: 1e8,
        });
    };
    await cdk('bootstrap', 'aws://000000000000/us-east-1');
    await cdk('deploy', '--require-approval', 'never', '--outputs-file', outputs);
    const byStack: Record<string, { BucketName: string }> = JSON.parse(await readFile(outputs, 'utf8'));
    const [{ BucketName: bucket } = { BucketName: '' }] = Object.values(byStack);
    return { bucket, lake: `s3://${bucket}` };
}
