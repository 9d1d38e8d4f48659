/** The lake as `npx cdk deploy` deploys it, in a local AWS. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PutBucketTaggingCommand } from '@aws-sdk/client-s3';
import { createS3Client } from '#lake/store/s3-client';
import type { Ministack } from './ministack.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CDK = join(ROOT, 'node_modules/aws-cdk/bin/cdk');

/** What ministack's CloudFormation has no such resource of. They are left out of what is deployed here, and of nothing else. */
const UNKNOWN_TO_MINISTACK = ['AWS::Athena::NamedQuery', 'AWS::Glue::SecurityConfiguration'];

interface Template {
    Resources: Record<string, { Type: string; Properties?: Record<string, unknown>; DependsOn?: string | string[] }>;
}

export interface DeployedLake {
    bucket: string;
    /** `s3://...`, as the command line takes it. */
    lake: string;
}

/** Real `cdk bootstrap`, `synth` and `deploy`. Files that are in the way of that go below `folder`. */
export async function deployLake({ environment }: Pick<Ministack, 'environment'>, { folder }: { folder: string }): Promise<DeployedLake> {
    const cdk = async (...argv: string[]): Promise<void> => {
        const env = { ...environment, PATH: process.env.PATH, HOME: folder };
        await promisify(execFile)(process.execPath, [CDK, ...argv], { cwd: ROOT, env, maxBuffer: 1e8 });
    };
    const app = join(folder, 'cdk.out');
    await cdk('bootstrap', 'aws://000000000000/us-east-1');
    await cdk('synth', '--quiet', '--output', app);
    const tags = await adaptTemplate(app);
    await cdk('deploy', '--app', app, '--require-approval', 'never', '--outputs-file', join(folder, 'outputs.json'));
    const outputs: Record<string, { BucketName: string }> = JSON.parse(await readFile(join(folder, 'outputs.json'), 'utf8'));
    const [{ BucketName: bucket } = { BucketName: '' }] = Object.values(outputs);
    // ministack's CloudFormation leaves a bucket's tags out.
    await createS3Client({ environment, region: 'us-east-1' }).send(
        new PutBucketTaggingCommand({ Bucket: bucket, Tagging: { TagSet: tags } }),
    );
    return { bucket, lake: `s3://${bucket}` };
}

/** Takes out of the synthesized template what ministack does not know; returns the tags of the lake's bucket. */
async function adaptTemplate(app: string): Promise<{ Key: string; Value: string }[]> {
    const manifest = await readFile(join(app, 'manifest.json'), 'utf8');
    const [stack = ''] = /"flowlake-[a-z]+"/.exec(manifest)?.[0].match(/[\w-]+/) ?? [];
    const path = join(app, `${stack}.template.json`);
    const before = await readFile(path, 'utf8');
    const template: Template = JSON.parse(before);
    const left = Object.entries(template.Resources).filter(([, { Type }]) => !UNKNOWN_TO_MINISTACK.includes(Type));
    const known = new Set(left.map(([id]) => id));
    for (const [, resource] of left) {
        if (resource.Type === 'AWS::Glue::Job') {
            delete resource.Properties?.SecurityConfiguration;
        }
        if (resource.DependsOn !== undefined) {
            resource.DependsOn = [resource.DependsOn].flat().filter((id) => known.has(id));
        }
    }
    const after = JSON.stringify({ ...template, Resources: Object.fromEntries(left) });
    await writeFile(path, after);
    // The command publishes a template under the hash of what was synthesized, and skips what is there.
    const assets = await readFile(join(app, `${stack}.assets.json`), 'utf8');
    const { files }: { files: Record<string, { source: { path: string } }> } = JSON.parse(assets);
    const [oldHash = ''] = Object.entries(files).find(([, { source }]) => source.path === `${stack}.template.json`) ?? [];
    const newHash = createHash('sha256').update(after).digest('hex');
    await writeFile(join(app, `${stack}.assets.json`), assets.replaceAll(oldHash, newHash));
    await writeFile(join(app, 'manifest.json'), manifest.replaceAll(oldHash, newHash));
    const buckets = left.filter(([, { Type }]) => Type === 'AWS::S3::Bucket').map(([, { Properties }]) => Properties?.Tags);
    return buckets.find((tags): tags is { Key: string; Value: string }[] => JSON.stringify(tags ?? []).includes('flowlake:database')) ?? [];
}
