/** query --max-scan: how the limit is given, and what it means for a lake that costs nothing. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import { commands } from '#cli/commands';
import { bytes } from '#cli/option';
import { DEPLOYMENT_TAGS } from '#lake/deployment';
import { meterEngine } from '#lake/meter-engine';
import type { QueryOptions } from '#lake/query/query-engine';
import { openAthenaFixture } from '#test/support/athena-server-fixture';
import { openFixture } from '#test/support/lake-fixture';
import { startS3Server } from '#test/support/s3-server';
import { fakeWorld, runLine } from './fake-surroundings.ts';

const stops: (() => Promise<void>)[] = [];

afterAll(async () => {
    for (const stop of stops) {
        await stop();
    }
});

test.each([
    ['10GB', 10e9],
    ['500 MB', 500e6],
    ['1.5tb', 1.5e12],
    ['20k', 20_000],
    ['7', 7],
])('%s is %s bytes', (given, size) => {
    expect(bytes('--max-scan <size>', '').parse?.(given)).toBe(size);
});

test.each(['', 'much', '10XB', '-1GB', '0', '1e3', '9999999TB'])('"%s" is refused with what was expected', async (given) => {
    const { exitCode, stderr } = await runLine(['--lake', 'somewhere', 'query', `--max-scan=${given}`, 'select 1']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/--max-scan[\s\S]*10GB/);
});

test('a directory lake answers whatever the limit, and says nothing of costs', async () => {
    const { directory } = await openFixture([{ day: '2026-01-05' }]);
    const answer = await runLine(['--lake', directory, '--output', 'csv', 'query', '--max-scan', '1', 'select day from pair_days']);
    expect(answer).toEqual({ exitCode: 0, stdout: 'day\n2026-01-05\n', stderr: '' });
});

test('a command takes --max-scan where its folder asks the engine, and no other one does', () => {
    const root = fileURLToPath(new URL('../../cli/commands/', import.meta.url));
    const asks = (folder: string): boolean =>
        readdirSync(join(root, folder)).some((file) => /\.(ask|engine)\(/.test(readFileSync(join(root, folder, file), 'utf8')));
    // What stands in cli/ itself and in lake/reports is asked by commands whose folders do not show it.
    const byOthers = ['readings', 'export', 'report'];
    const folders = readdirSync(root).filter((folder) => asks(folder) || byOthers.includes(folder));
    const taking = commands.filter(({ scans }) => scans).map(({ name }) => name.split(' ')[0]!);
    expect(taking.sort()).toEqual(folders.sort());
    expect(taking.length).toBeGreaterThan(8);
});

describe('a lake on Athena', () => {
    /** A bucket whose tags name the workgroup of the fixture, and the variables by which its services are reached. */
    async function onAthena(scannedBytes: number) {
        const { server } = await openAthenaFixture({ flows: [{ day: '2026-01-05' }], scannedBytes });
        const s3 = await startS3Server();
        stops.push(() => s3.stop());
        s3.makeBucket('lake', {
            [DEPLOYMENT_TAGS.stage]: 'test',
            [DEPLOYMENT_TAGS.database]: 'lake',
            [DEPLOYMENT_TAGS.workgroup]: 'lake',
        });
        const environment = {
            ...{ AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
            ...{ AWS_ENDPOINT_URL_S3: s3.endpoint, AWS_ENDPOINT_URL_ATHENA: server.url },
        };
        Object.assign(process.env, environment);
        return (...words: string[]) => runLine(['--lake', 's3://lake', ...words], { world: fakeWorld({ environment }) });
    }

    test.each([[['query', 'select 1 as one']], [['pairs']], [['anomalies']], [['rejects', 'raw/a.csv']]])(
        'says what %j read and its price, in the one spelling',
        async (words) => {
            const run = await onAthena(2_500_000_000);
            expect((await run(...words)).stderr).toMatch(/^Scanned 2\.5 GB: \$0\.0114$/m);
        },
    );

    test.each([[['query', 'select 1 as one']], [['pairs']], [['anomalies']], [['rejects', 'raw/a.csv']]])(
        'fails where %j read more than --max-scan, in the same spelling',
        async (words) => {
            const run = await onAthena(2_500_000_000);
            const { exitCode, stdout, stderr } = await run(...words, '--max-scan', '1GB');
            expect([exitCode, stdout]).toEqual([1, '']);
            expect(stderr).toMatch(/scanned 2\.5 GB \(\$0\.0114\), more than the 1\.0 GB that --max-scan allows/);
        },
    );
});

test('questions of one command share a limit: the second gets what the first has left', async () => {
    const limits: (number | undefined)[] = [];
    const told: number[] = [];
    const engine = {
        async query(_: string, { maxScanBytes }: QueryOptions = {}) {
            limits.push(maxScanBytes);
            return { columns: [], scanned: { bytes: 700, costUsd: 0 }, batches: (async function* () {})() };
        },
        close: async () => undefined,
    };
    const metered = meterEngine(engine, { maxScanBytes: 1000, onScanned: async ({ bytes: read }) => void told.push(read) });
    await metered.query('select 1');
    await metered.query('select 2');
    await metered.query('select 3', { maxScanBytes: 5 });
    expect(limits).toEqual([1000, 300, 0]);
    expect(told).toEqual([700, 700, 700]);
    const free = meterEngine(engine, {});
    await free.query('select 1');
    await free.query('select 1', { maxScanBytes: 5 });
    expect(limits.slice(3)).toEqual([undefined, 5]);
});
