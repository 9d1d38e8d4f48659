/** One more file of 20 thousand pairs for a day that has a million, against the build before; without one, against the file alone in an empty lake. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchOptions, Finding } from './measure.ts';
import { haveEqualTotals, openDuckDb } from './peers.ts';
import { inRounds, PROGRAM, type Ran, runNode } from './run-program.ts';
import { BYTES_PER_FLOW, DAY_OBJECTS, linkTree, writeSiteFiles } from './site-files.ts';
import { compare, upload } from './upload.ts';

export async function* benchFullDay({ folder, isQuick, before }: BenchOptions): AsyncGenerator<Finding> {
    const pairs = isQuick ? 20_000 : 1_000_000;
    const [first, more] = [join(folder, 'first-file'), join(folder, 'one-more')];
    const files = await writeSiteFiles(first, { bytes: pairs * BYTES_PER_FLOW, pairs, sites: ['one'] });
    const added = await writeSiteFiles(more, { bytes: 20_000 * BYTES_PER_FLOW, pairs: 20_000, sites: ['one'], seed: 3 });
    const now = open('now', PROGRAM);
    const other = before === undefined ? () => upload(more, { folder }) : open('before', before);
    const runs = inRounds(isQuick ? 1 : 5, { now, other });
    const byDuckDb = join(folder, 'full-day.parquet');
    openDuckDb().run([...files, ...added], byDuckDb);
    yield compare(
        `20 thousand pairs more for a day of ${pairs / 1000} thousand / ${before === undefined ? 'the same into an empty lake' : 'the build before'}`,
        runs.now,
        runs.other,
        { most: before === undefined ? {} : { cpu: 0.15 }, isEqual: await haveEqualTotals(join(folder, 'now', DAY_OBJECTS), byDuckDb) },
    );
    rmSync(first, { recursive: true });

    /** A lake that this program has made of the first file; the call adds the second to what it was. */
    function open(name: string, program: string): () => Ran {
        const [lake, full] = [join(folder, name), join(folder, `${name}-full`)];
        runNode([program, '--lake', full, 'upload', '--date-order', 'dmy', first]);
        return () => {
            rmSync(lake, { recursive: true, force: true });
            linkTree(full, lake);
            return runNode([
                program,
                '--lake',
                lake,
                'upload',
                '--date-order',
                'dmy',
                '--as',
                'more.csv',
                '--site',
                'one',
                join(more, 'site=one'),
            ]);
        };
    }
}
