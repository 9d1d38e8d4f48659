/** Run by jest before the tests of test/aws: a local AWS with the lake deployed into it. JavaScript, because jest would make CommonJS of it. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import buildOnce from '../../support/build-once.js';
import { deployLake } from './deploy-lake.ts';
import { startMinistack } from './ministack.ts';

/** Tests find the cloud by the environment, as every program does. */
export default async function startCloud() {
    await buildOnce();
    const folder = await mkdtemp(join(tmpdir(), 'flowlake-cloud-'));
    const cloud = await startMinistack({ folder });
    globalThis.localCloud = { cloud, folder };
    Object.assign(process.env, cloud.environment);
    try {
        const { lake, bucket } = await deployLake(cloud, { folder });
        Object.assign(process.env, { FLOWLAKE_LAKE: lake, TEST_BUCKET: bucket, TEST_CLOUD_FOLDER: folder });
    } catch (error) {
        // jest takes nothing down whose setting up failed.
        await cloud.stop();
        throw error;
    }
}
