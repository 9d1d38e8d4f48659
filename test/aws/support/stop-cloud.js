/** Run by jest after the tests of test/aws. */
import { rm } from 'node:fs/promises';

export default async function stopCloud() {
    const { cloud, folder } = globalThis.localCloud ?? {};
    await cloud?.stop();
    if (folder !== undefined) {
        await rm(folder, { recursive: true, force: true });
    }
}
