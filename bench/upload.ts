/** The upload of a gigabyte in three files, as its user runs it, against what people would use instead, and its memory as files grow. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchOptions, Finding } from './measure.ts';
import { haveEqualTotals, openDuckDb, openPolars } from './peers.ts';
import { inRounds, middleOf, PROGRAM, type Ran, ratioOf, runNode, runShell, together } from './run-program.ts';
import { DAY_OBJECTS, type SiteFile, writeSiteFiles } from './site-files.ts';

const PAIRS = 60_000;
const MOST_MB = 140;

export async function* benchUpload({ folder, isQuick, before }: BenchOptions): AsyncGenerator<Finding> {
    const bytes = isQuick ? 20e6 : 1.02e9;
    const captures = join(folder, 'captures');
    const files = await writeSiteFiles(captures, { bytes, pairs: PAIRS });
    const { runs, duckdb, polars, isEqual, isEqualInPolars } = await uploadAndPeers(files, { folder, captures, rounds: isQuick ? 1 : 5 });
    const what = `upload of ${bytes / 1e6} MB, 20 thousand pairs a file`;
    yield compare(`${what} / ${duckdb}, 2 threads`, runs.upload, runs.duckdb, { most: { cpu: 0.85, wall: 0.9 }, isEqual });
    const same = runs.duckdb.map((run, at) => together(run, runs.copy[at] as Ran));
    yield compare(`${what} / the same work: cp, SHA-256, ${duckdb}`, runs.upload, same, { most: { cpu: 0.58, wall: 0.55 } });
    if (polars !== undefined) {
        yield compare(`${what} / ${polars}, 2 threads`, runs.upload, runs.polars, { most: { cpu: 1 }, isEqual: isEqualInPolars });
    }
    if (before !== undefined) {
        const pair = inRounds(isQuick ? 1 : 5, {
            now: () => upload(captures, { folder }),
            before: () => upload(captures, { folder, program: before }),
        });
        yield compare(`${what} / the build before`, pair.now, pair.before, {});
    }
    yield sayPeak(what, middleOf(runs.upload));
    rmSync(captures, { recursive: true });
    for (const size of isQuick ? [] : [100e6, 5e9]) {
        await writeSiteFiles(captures, { bytes: size, pairs: PAIRS });
        yield sayPeak(`the same of ${size / 1e6} MB`, upload(captures, { folder }));
        rmSync(captures, { recursive: true });
    }
}

function sayPeak(what: string, { peakMb, wallMs }: Ran): Finding {
    return {
        what: `${what}: peak memory`,
        found: `${peakMb.toFixed(0)} MB  (${(wallMs / 1000).toFixed(1)} s)`,
        goal: { text: `under ${MOST_MB} MB`, isMet: peakMb < MOST_MB },
    };
}

/** Uploads the folder into a lake that is not there yet, and stays until the next call. */
export function upload(captures: string, { folder, program = PROGRAM }: { folder: string; program?: string }): Ran {
    const lake = join(folder, 'upload-lake');
    rmSync(lake, { recursive: true, force: true });
    return runNode([program, '--lake', lake, 'upload', '--date-order', 'dmy', captures]);
}

/** Runs an upload of the files and the peers over them in turn. */
export async function uploadAndPeers(
    files: readonly SiteFile[],
    { folder, captures, rounds }: { folder: string; captures: string; rounds: number },
) {
    const duckdb = openDuckDb();
    const polars = openPolars();
    const [ofDuckDb, ofPolars] = [join(folder, 'duckdb.parquet'), join(folder, 'polars.parquet')];
    const copy = join(folder, 'copy');
    const runs = inRounds(rounds, {
        upload: () => upload(captures, { folder }),
        duckdb: () => duckdb.run(files, ofDuckDb),
        copy: () => {
            rmSync(copy, { recursive: true, force: true });
            return runShell('cp -r "$1" "$2"; openssl dgst -sha256 "$2"/*/* >/dev/null', [captures, copy]);
        },
        polars: () => polars?.run(files, ofPolars) ?? together(),
    });
    rmSync(copy, { recursive: true });
    const ofLake = join(folder, 'upload-lake', DAY_OBJECTS);
    return {
        runs,
        duckdb: duckdb.name,
        polars: polars?.name,
        isEqual: await haveEqualTotals(ofLake, ofDuckDb),
        isEqualInPolars: polars && (await haveEqualTotals(ofLake, ofPolars)),
    };
}

/** The one against the other, in CPU and wall time, and as much as either may be of the other's. */
export function compare(
    what: string,
    a: readonly Ran[],
    b: readonly Ran[],
    { most = {}, isEqual }: { most?: { cpu?: number; wall?: number }; isEqual?: boolean | undefined },
): Finding {
    const cpu = ratioOf(a, b, ({ cpuMs }) => cpuMs);
    const wall = ratioOf(a, b, ({ wallMs }) => wallMs);
    const [one, other] = [middleOf(a), middleOf(b)];
    const say = ({ cpuMs, wallMs, peakMb }: Ran): string =>
        `${(cpuMs / 1000).toFixed(2)} and ${(wallMs / 1000).toFixed(2)} s, ${peakMb.toFixed(0)} MB`;
    const goals = [most.cpu !== undefined && `CPU at most ${most.cpu}x`, most.wall !== undefined && `wall at most ${most.wall}x`].filter(
        Boolean,
    );
    return {
        what,
        found: `CPU ${cpu.said}, wall ${wall.said}  (${say(one)} / ${say(other)})`,
        ...(goals.length > 0 && {
            goal: { text: goals.join(', '), isMet: cpu.ratio <= (most.cpu ?? Infinity) && wall.ratio <= (most.wall ?? Infinity) },
        }),
        ...(isEqual !== undefined && { isEqual }),
    };
}
