/** Run by jest before the tests, so that those of the command line meet a fresh dist/. JavaScript, because jest would make CommonJS of it. */
import { rm } from 'node:fs/promises';
import { buildPackage } from '../../build.ts';

/** Builds, and leaves no program where the build fails: its tests fail, the others still tell their result. */
export default async function buildOnce() {
    try {
        await buildPackage();
    } catch (error) {
        console.error(`The build failed: ${error.message}`);
        await rm(new URL('../../dist/flowlake.js', import.meta.url), { force: true });
    }
}
