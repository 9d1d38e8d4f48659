/** Uploads whose pairs are as many as their flows nearly: of three sites, of one, and ten million in one file. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchOptions, Finding } from './measure.ts';
import { middleOf } from './run-program.ts';
import { asOneSite, BYTES_PER_FLOW, writeSiteFiles } from './site-files.ts';
import { compare, upload, uploadAndPeers } from './upload.ts';

const MOST_BYTES_A_PAIR = 250;
const MOST_MB_OF_TEN_MILLION = 3000;

export async function* benchManyPairs({ folder, isQuick }: BenchOptions): AsyncGenerator<Finding> {
    const pairs = isQuick ? 30_000 : 1_400_000;
    const rounds = isQuick ? 1 : 5;
    const captures = join(folder, 'many-pairs');
    const files = await writeSiteFiles(captures, { bytes: pairs * 1.4 * BYTES_PER_FLOW, pairs });
    const { runs, duckdb, isEqual } = await uploadAndPeers(files, { folder, captures, rounds });
    const what = `upload of ${sayCount(pairs)} pairs`;
    yield compare(`${what} of three sites / ${duckdb}, 2 threads`, runs.upload, runs.duckdb, { most: { cpu: 1, wall: 1.1 }, isEqual });
    const { peakMb } = middleOf(runs.upload);
    const bytesAPair = (peakMb * 1e6) / pairs;
    yield {
        what: `${what} of three sites: peak memory a pair`,
        found: `${bytesAPair.toFixed(0)} bytes  (${peakMb.toFixed(0)} MB in all)`,
        goal: { text: `at most ${MOST_BYTES_A_PAIR} bytes`, isMet: bytesAPair <= MOST_BYTES_A_PAIR },
    };
    const oneSite = join(folder, 'one-site');
    const ofOne = await uploadAndPeers(asOneSite(files, oneSite), { folder, captures: oneSite, rounds });
    yield compare(`${what} of one site in three files / ${duckdb}, 2 threads`, ofOne.runs.upload, ofOne.runs.duckdb, {
        most: { cpu: 1.2 },
        isEqual: ofOne.isEqual,
    });
    rmSync(captures, { recursive: true });
    rmSync(oneSite, { recursive: true });
    const most = isQuick ? 100_000 : 10_000_000;
    await writeSiteFiles(captures, { bytes: most * BYTES_PER_FLOW, pairs: most, sites: ['one'] });
    const ran = upload(captures, { folder });
    yield {
        what: `upload of ${sayCount(most)} pairs in one file: peak memory`,
        found: `${ran.peakMb.toFixed(0)} MB  (${(ran.wallMs / 1000).toFixed(1)} s, CPU ${(ran.cpuMs / 1000).toFixed(1)} s)`,
        goal: { text: `finishes, under ${MOST_MB_OF_TEN_MILLION} MB`, isMet: ran.peakMb < MOST_MB_OF_TEN_MILLION },
    };
    rmSync(captures, { recursive: true });
}

function sayCount(count: number): string {
    return count < 1e6 ? `${count / 1000} thousand` : `${count / 1e6} million`;
}
