/**
 * `npm run demo:aws`: the lake as it is deployed to AWS, on this machine: a local AWS, the real deployment, a month of sample files through
 * it, and the first questions. It stays up until Ctrl-C, with what to type meanwhile.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process, { stderr } from 'node:process';
import { fileURLToPath } from 'node:url';
import { plannedAnomalies } from '#sample/flows/sample-files';
import { type LocalAthena, startAthena } from './support/athena.ts';
import { deployLake } from './support/deploy-lake.ts';
import { type Ministack, ministackMissing, startMinistack } from './support/ministack.ts';
import { trinoMissing } from './support/trino.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/flowlake.js', import.meta.url));
const SAMPLE = { flows: 50_000, days: 30, pairs: 100, seed: 1 };

const missing = ministackMissing();
if (missing !== undefined) {
    stderr.write(`demo:aws: ${missing}\n`);
    process.exit(1);
}

let cloud: Ministack | undefined;
let athena: LocalAthena | undefined;
const folder = await mkdtemp(join(tmpdir(), 'flowlake-demo-aws-'));
const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
try {
    await Promise.race([present(), stopped.then(() => Promise.reject(new Error('stopped')))]);
    await stopped;
} catch (error) {
    if (!(error instanceof Error && error.message === 'stopped')) {
        stderr.write(`demo:aws: ${error instanceof Error ? error.message : error}\n`);
        process.exitCode = 1;
    }
} finally {
    stderr.write('\nTaking it down ...\n');
    await athena?.stop();
    await cloud?.stop();
    await rm(folder, { recursive: true, force: true });
}
process.exit();

async function present(): Promise<void> {
    stderr.write('Starting a local AWS and deploying the lake into it (cdk bootstrap, cdk deploy) ...\n');
    cloud = await startMinistack({ folder });
    const { bucket, lake } = await deployLake(cloud, { folder });
    const environment: Record<string, string> = { ...cloud.environment, FLOWLAKE_LAKE: lake };
    Object.assign(process.env, cloud.environment);
    const noTrino = trinoMissing();
    if (noTrino === undefined) {
        stderr.write('Starting Trino, the engine inside Athena, on the catalog that was deployed ...\n');
        athena = await startAthena({ bucket, environment: process.env });
        environment.AWS_ENDPOINT_URL_ATHENA = athena.url;
    }
    const samples = join(folder, 'samples');
    await step('sample', samples, ...Object.entries(SAMPLE).flatMap(([name, value]) => [`--${name}`, String(value)]));
    await step('upload', '--date-order', 'dmy', samples);
    await step('status');
    await step('doctor');
    if (noTrino === undefined) {
        await step('pairs', '--top', '5');
        const { site, src, dst } = plannedAnomalies(SAMPLE).find(({ kind }) => kind === 'surge') ?? { site: '', src: '', dst: '' };
        const pair = `site = '${site}' and src_ip = '${src}' and dst_ip = '${dst}'`;
        await step('query', `select day, measure, value, usual, score from pair_anomalies where ${pair} order by day, score desc`);
    } else {
        stderr.write(`\nNo SQL here: ${noTrino}\n`);
    }
    const settings = join(folder, 'env.sh');
    await writeFile(
        settings,
        Object.entries(environment)
            .map(([name, value]) => `export ${name}='${value}'\n`)
            .join(''),
    );
    const next = [
        ['the lake, from another terminal in this folder', `. ${settings}`],
        ['what waits for the Lambdas', 'npx flowlake status --queues'],
        ['another file: it goes through S3 event, SQS and Lambda', 'npx flowlake upload my-flows.csv'],
        ['every figure once more, from the raw objects', 'npx flowlake verify'],
        ['SQL', 'npx flowlake query "select * from day_totals order by day, site"'],
        ['health of the local AWS', `curl ${cloud.endpoint}/_ministack/health`],
    ];
    stderr.write(`\nThe lake is up as ${lake} until Ctrl-C. To play with it:\n`);
    stderr.write(`${next.map(([what, line]) => `  # ${what}\n  ${line}`).join('\n')}\n`);

    async function step(...argv: string[]): Promise<void> {
        const quoted = argv.map((word) => (/^[\w./:=-]+$/.test(word) ? word : `"${word}"`));
        stderr.write(`\n$ npx flowlake ${quoted.join(' ')}\n`);
        const child = spawn(process.execPath, [PROGRAM, ...argv], {
            env: { PATH: process.env.PATH, HOME: folder, ...environment },
            stdio: 'inherit',
        });
        const [exitCode] = await once(child, 'exit');
        if (exitCode !== 0) {
            throw new Error(`flowlake ${argv[0]} ended with exit code ${exitCode}`);
        }
    }
}
