/**
 * `npm run test:kinds`: a copy of the tree that has two made-up kinds of data too, deployed into a local AWS, with Trino and Spark; the tests are
 * the copy's own, and so is all that they run. Words behind `--` go to jest.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { sparkMissing } from '#test/aws/support/glue';
import { ministackMissing } from '#test/aws/support/ministack';
import { trinoMissing } from '#test/aws/support/trino';
import { makeTreeWithGauges } from './tree-with-gauges.ts';

const missing = [ministackMissing(), trinoMissing(), sparkMissing()].filter((one) => one !== undefined);
if (missing.length > 0) {
    process.stderr.write(`test:kinds: ${missing.join('; ')}\n`);
    process.exit(1);
}

/** What jest writes belongs where this was started, not into the copy. */
const argv = process.argv.slice(2).map((word) => {
    const [, path] = /^--outputFile=(.+)$/.exec(word) ?? [];
    return path === undefined ? word : `--outputFile=${resolve(path)}`;
});

const folder = await mkdtemp(join(tmpdir(), 'flowlake-kinds-'));
try {
    makeTreeWithGauges(folder);
    const jest = [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        'node_modules/jest/bin/jest.js',
        '--config',
        'test/kinds/jest.config.js',
    ];
    const child = spawn(process.execPath, [...jest, ...argv], { cwd: folder, stdio: 'inherit' });
    // Ctrl-C reaches jest as well: the copy goes when it has taken its cloud down.
    process.on('SIGINT', () => undefined);
    const [exitCode] = await once(child, 'exit');
    process.exitCode = exitCode ?? 1;
} finally {
    await rm(folder, { recursive: true, force: true });
}
