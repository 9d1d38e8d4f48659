/** Uploads of gzip and zstd, against unpacking alone together with the upload of the plain file. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchOptions, Finding } from './measure.ts';
import { haveEqualTotals } from './peers.ts';
import { inRounds, type Ran, runShell, together } from './run-program.ts';
import { DAY_OBJECTS, writeSiteFiles } from './site-files.ts';
import { compare, upload } from './upload.ts';

const PACKERS = [
    { name: 'gzip', pack: 'gzip', unpack: 'zcat', end: 'gz' },
    { name: 'zstd', pack: 'zstd -q --rm', unpack: 'zstdcat', end: 'zst' },
];

export async function* benchCompressed({ folder, isQuick }: BenchOptions): AsyncGenerator<Finding> {
    const bytes = isQuick ? 10e6 : 300e6;
    const plain = join(folder, 'plain');
    await writeSiteFiles(plain, { bytes, pairs: 20_000, sites: ['one'] });
    for (const { name, pack, unpack, end } of PACKERS) {
        const what = `upload of ${bytes / 1e6} MB, ${name}`;
        if (spawnSync(unpack, ['--version']).status !== 0) {
            yield { what, found: `not measured: ${unpack} is not here` };
            continue;
        }
        const packed = join(folder, name);
        const [file] = await writeSiteFiles(packed, { bytes, pairs: 20_000, sites: ['one'] });
        const path = `${file?.path}.${end}`;
        runShell(`${pack} "$1"`, [file?.path ?? '']);
        const runs = inRounds(isQuick ? 1 : 5, {
            packed: () => upload(packed, { folder }),
            unpacking: () => runShell(`${unpack} "$1" > /dev/null`, [path]),
            plain: () => upload(plain, { folder: join(folder, 'of-plain') }),
        });
        yield compare(
            `${what} / ${unpack} and the plain file`,
            runs.packed,
            runs.plain.map((run, at) => together(run, runs.unpacking[at] as Ran)),
            {
                most: { cpu: 1.1 },
                isEqual: await haveEqualTotals(
                    join(folder, 'upload-lake', DAY_OBJECTS),
                    join(folder, 'of-plain', 'upload-lake', DAY_OBJECTS),
                ),
            },
        );
        rmSync(packed, { recursive: true });
    }
    rmSync(plain, { recursive: true });
}
