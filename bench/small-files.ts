/** Two thousand files of 100 kB in one upload; with `--before` against the program of another build. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BenchOptions, type Finding, median } from './measure.ts';
import { haveEqualTotals, openDuckDb } from './peers.ts';
import { inRounds, middleOf, PROGRAM, type Ran, ratioOf, together } from './run-program.ts';
import { DAY_OBJECTS, type SiteFile, writeSiteFiles } from './site-files.ts';
import { upload } from './upload.ts';

const BYTES = 100_000;

export async function* benchSmallFiles({ folder, isQuick, before }: BenchOptions): AsyncGenerator<Finding> {
    const count = isQuick ? 40 : 2000;
    const captures = join(folder, 'small-files');
    const whole = await writeSmallFiles(captures, { folder, count });
    // A lake a run: ext4 gives out no number of a file that was removed within the last minute, and looks for others all the longer.
    const lakes: string[] = [];
    const uploadBy = (program: string): Ran => {
        lakes.push(join(folder, `small-files-lake-${lakes.length}`));
        return upload(captures, { folder: lakes.at(-1) ?? '', program });
    };
    const runs = inRounds(isQuick ? 1 : 5, {
        before: () => (before === undefined ? together() : uploadBy(before)),
        now: () => uploadBy(PROGRAM),
    });
    const dayOf = (lake: string | undefined): string => join(lake ?? '', 'upload-lake', DAY_OBJECTS);
    const now = middleOf(runs.now);
    const cpuOfFile = runs.now.map(({ cpuMs }) => cpuMs / count).sort((a, b) => a - b);
    const byDuckDb = join(folder, 'small-files.parquet');
    openDuckDb().run(whole, byDuckDb);
    yield {
        what: `upload of ${count} files of ${BYTES / 1000} kB`,
        found: `${((count / now.wallMs) * 1000).toFixed(0)} files/s, CPU ${median(cpuOfFile).toFixed(1)} ms a file (${cpuOfFile[0]?.toFixed(1)} to ${cpuOfFile.at(-1)?.toFixed(1)}), ${now.peakMb.toFixed(0)} MB`,
        isEqual: await haveEqualTotals(dayOf(lakes.at(-1)), byDuckDb),
    };
    if (before !== undefined) {
        const cpu = ratioOf(runs.now, runs.before, ({ cpuMs }) => cpuMs);
        const speed = ratioOf(runs.now, runs.before, ({ wallMs }) => 1 / wallMs);
        yield {
            what: 'the same / the build before',
            found: `files/s ${speed.said}, CPU a file ${cpu.said}`,
            goal: { text: 'files/s at least 3.5x, CPU at most 0.3x', isMet: speed.ratio >= 3.5 && cpu.ratio <= 0.3 },
            isEqual: await haveEqualTotals(dayOf(lakes.at(-1)), dayOf(lakes.at(-2))),
        };
    }
    for (const made of [captures, ...lakes]) {
        rmSync(made, { recursive: true });
    }
}

/** Writes files of so many bytes for two sites, each with its header. @returns the files of 600 pairs a site that they are cut from */
export async function writeSmallFiles(captures: string, { folder, count }: { folder: string; count: number }): Promise<SiteFile[]> {
    const whole = await writeSiteFiles(join(folder, 'small-files-whole'), {
        bytes: count * BYTES,
        pairs: 1200,
        sites: ['berlin', 'lisbon'],
    });
    for (const { site, path } of whole) {
        const [header = '', ...rows] = readFileSync(path, 'utf8').trimEnd().split('\n');
        mkdirSync(join(captures, `site=${site}`), { recursive: true });
        const files = Math.ceil(count / 2);
        for (let file = 0; file < files; file += 1) {
            const [from, until] = [file, file + 1].map((number) => Math.floor((number * rows.length) / files));
            writeFileSync(join(captures, `site=${site}`, `flows-${file}.csv`), `${[header, ...rows.slice(from, until)].join('\n')}\n`);
        }
    }
    return whole;
}
