/** `flowlake features` on the lake as it is deployed: the deployed job, script, modules and views in a real Spark, started and followed by the program. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { featuresKey } from '#lake/layout';
import { environment, settled, store } from '#test/aws/support/deployed';
import { startGlue } from '#test/aws/support/glue';
import { flowCsv } from '#test/support/flow-csv';
import { type Ran, runFlowlake } from '#test/support/flowlake';
import type { GlueServer } from '#test/support/glue-server';
import { makeFolder } from '#test/support/temporary';

const DAYS = ['2025-07-01', '2025-07-02', '2025-07-03'] as const;
const RANGE = `--from ${DAYS[0]} --to ${DAYS[2]}`;

/** Deploying took its time already; Spark starts in half a minute on a busy machine. */
const SPARK_MS = 400_000;

let glue: GlueServer;
let folder: string;

beforeAll(async () => {
    folder = await makeFolder();
    glue = await startGlue({ environment: process.env, folder });
    await mkdir(join(folder, 'captures'));
    const rows = ['01/07/2025', '02/07/2025', '03/07/2025'].flatMap((timestamp, at) =>
        [1, 2].map((host) => ({ timestamp, src: `10.77.0.${host}`, duration: 1000 * host + at * at })),
    );
    await writeFile(join(folder, 'captures/features.csv'), flowCsv(rows));
    expect(await flowlake('upload captures')).toMatchObject({ exitCode: 0 });
    await settled();
});

afterAll(() => glue?.stop());

function flowlake(line: string): Promise<Ran> {
    return runFlowlake(line, { folder, environment: { ...environment, HOME: folder, AWS_ENDPOINT_URL_GLUE: glue.url } });
}

async function rowsOf(day: string): Promise<Record<string, unknown>[]> {
    const { buffer = new ArrayBuffer(0) } = (await store.get(featuresKey(day)))?.bytes ?? {};
    return parquetReadObjects({ file: buffer });
}

test(
    'the deployed job writes each day of the range, and its figures are those of the days before too',
    async () => {
        const { exitCode, stdout, stderr } = await flowlake(`--output json features ${RANGE}`);
        expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'Started run jr_1 of Glue job flowlake-dev-export-features\n' });
        expect(JSON.parse(stdout)).toEqual(
            DAYS.map((period) => ({ table: 'pair_features', period, what: 'written', sources: null, rows: 2 })),
        );
        const [, , rows] = await Promise.all(DAYS.map(rowsOf));
        expect(rows?.filter(({ src_ip }) => String(src_ip).startsWith('10.77.'))).toMatchObject(
            [1, 2].map((host) => ({
                src_ip: `10.77.0.${host}`,
                running_days: 3n,
                days_since_first_seen: 2n,
                flow_duration_us_past_mean: 1000 * host + 0.5,
                flow_duration_us_past_stddev_pop: 0.5,
                flow_duration_us_past_z_score: 7,
            })),
        );
    },
    SPARK_MS,
);
