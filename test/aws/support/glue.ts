/** Glue for a lake that is deployed into a local AWS: its API, and for each run of a job the deployed script with the deployed modules, in a Spark of this machine. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { GetJobCommand, type Job } from '@aws-sdk/client-glue';
import { createGlueClient } from '#lake/jobs/glue';
import { openS3Store } from '#lake/store/s3';
import { createS3Client } from '#lake/store/s3-client';
import { type GlueServer, startGlueServer } from '#test/support/glue-server';

const PYTHON = fileURLToPath(new URL('../../../.tools/spark/bin/python', import.meta.url));

/** What is missing on this machine and how to get it, in one line; undefined where nothing is. */
export function sparkMissing(): string | undefined {
    return existsSync(PYTHON) ? undefined : 'Spark is not installed: npm run tools -- spark (needs Python 3.11 and Java 17)';
}

/** Started in front of the cloud of `environment`; what the jobs need goes below `folder`. For AWS_ENDPOINT_URL_GLUE. @throws where Spark is missing */
export async function startGlue({
    environment,
    folder,
}: {
    environment: Readonly<Record<string, string | undefined>>;
    folder: string;
}): Promise<GlueServer> {
    const missing = sparkMissing();
    if (missing !== undefined) {
        throw new Error(missing);
    }
    const cloud = { ...environment, AWS_ENDPOINT_URL_GLUE: environment.AWS_ENDPOINT_URL };
    const glue = createGlueClient({ environment: cloud, region: environment.AWS_REGION });
    const describe = async (name: string): Promise<Job | undefined> => {
        try {
            return (await glue.send(new GetJobCommand({ JobName: name }))).Job;
        } catch (error) {
            if (error instanceof Error && error.name === 'EntityNotFoundException') {
                return undefined;
            }
            throw error;
        }
    };
    return startGlueServer({
        async describe(name) {
            const job = await describe(name);
            return (
                job && {
                    maxConcurrentRuns: job.ExecutionProperty?.MaxConcurrentRuns,
                    maxRetries: job.MaxRetries,
                    timeoutMinutes: job.Timeout,
                }
            );
        },
        async run({ job: name, id, arguments: given }) {
            const { Command, DefaultArguments = {} } = (await describe(name)) ?? {};
            const place = await mkdtemp(join(folder, `${id}-`));
            const script = await download(Command?.ScriptLocation, { environment: cloud, to: place });
            const modules = (DefaultArguments['--extra-py-files'] ?? '').split(',');
            const zips = await Promise.all(modules.map((location) => download(location, { environment: cloud, to: place })));
            // Glue hands its own arguments over to the script too.
            const all = { ...DefaultArguments, ...given, '--JOB_NAME': name, '--JOB_RUN_ID': id };
            await runPython([script, ...Object.entries(all).flat()], { folder: place, modules: zips, environment });
        },
        forwardTo: environment.AWS_ENDPOINT_URL ?? '',
    });
}

async function download(
    location: string | undefined,
    { environment, to }: { environment: Readonly<Record<string, string | undefined>>; to: string },
): Promise<string> {
    const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.+)$/.exec(location ?? '') ?? [];
    const client = createS3Client({ environment, region: environment.AWS_REGION });
    const object = await openS3Store({ bucket, client }).get(key);
    if (!object) {
        throw new Error(`${location} is not there`);
    }
    const path = join(to, basename(key));
    await writeFile(path, object.bytes);
    return path;
}

/** The last line of what Python says of an error is what Glue shows as a run's message. @throws Error with it */
async function runPython(
    argv: readonly string[],
    {
        folder,
        modules,
        environment,
    }: { folder: string; modules: readonly string[]; environment: Readonly<Record<string, string | undefined>> },
): Promise<void> {
    const env = {
        ...environment,
        PATH: process.env.PATH,
        HOME: folder,
        AWS_DEFAULT_REGION: environment.AWS_REGION,
        PYTHONPATH: modules.join(':'),
        PYSPARK_SUBMIT_ARGS: sparkArguments(environment.AWS_ENDPOINT_URL ?? ''),
        SPARK_LOCAL_IP: '127.0.0.1',
    };
    try {
        await promisify(execFile)(PYTHON, ['-B', ...argv], { cwd: folder, env, maxBuffer: 1e8 });
    } catch (error) {
        const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
        const last = stderr.split('\n').findLast((line) => /^\w+(\.\w+)*(Error|Exception)?: /.test(line));
        throw new Error(last ?? String(error), { cause: error });
    }
}

/** What makes Spark read s3:// from another server than AWS's; on Glue nothing of it is needed. As test/glue-jobs/conftest.py. */
function sparkArguments(endpoint: string): string {
    const settings = {
        'spark.hadoop.fs.s3.impl': 'org.apache.hadoop.fs.s3a.S3AFileSystem',
        'spark.hadoop.fs.s3a.endpoint': endpoint,
        'spark.hadoop.fs.s3a.path.style.access': 'true',
        'spark.hadoop.fs.s3a.connection.ssl.enabled': 'false',
        'spark.hadoop.fs.s3a.aws.credentials.provider': 'com.amazonaws.auth.EnvironmentVariableCredentialsProvider',
        'spark.ui.enabled': 'false',
        'spark.driver.bindAddress': '127.0.0.1',
        'spark.driver.host': '127.0.0.1',
        'spark.sql.shuffle.partitions': '4',
    };
    const options = Object.entries(settings).map(([name, value]) => `--conf ${name}=${value}`);
    return `--master local[2] --driver-memory 1g ${options.join(' ')} pyspark-shell`;
}
