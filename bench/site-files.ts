/** Samples laid out as `upload` takes them: a folder a site, in it files of CICFlowMeter. */
import { closeSync, createWriteStream, linkSync, mkdirSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sampleFiles } from '#sample/flows/sample-files';
import type { Tool } from '#sample/flows/tools/tool';

export const BYTES_PER_FLOW = 577;

/** The samples' only day, as Parquet of it is found in a lake. */
export const DAY_OBJECTS = 'pair_days/day=2026-01-05/*.parquet';

export interface SiteFile {
    site: string;
    path: string;
}

interface Sample {
    bytes: number;
    /** Pairs of all sites together. */
    pairs: number;
    sites?: readonly string[];
    seed?: number;
    /** CICFlowMeter where none is given. */
    tool?: Tool | undefined;
}

/** Writes a file for each site; together they have that many bytes, as CICFlowMeter writes them, and that many pairs. */
export async function writeSiteFiles(
    folder: string,
    { bytes, pairs, sites = ['berlin', 'lisbon', 'osaka'], seed = 2, tool }: Sample,
): Promise<SiteFile[]> {
    const files: SiteFile[] = [];
    const flows = Math.round(bytes / BYTES_PER_FLOW);
    for (const { site, name, chunks } of sampleFiles({ flows, days: 1, pairs, seed, sites: [...sites] }, { tool })) {
        const path = join(folder, `site=${site}`, name);
        mkdirSync(join(folder, `site=${site}`), { recursive: true });
        await pipeline(Readable.from(chunks), createWriteStream(path));
        files.push({ site, path });
    }
    return files;
}

/** The same files as those of one site, below another folder. */
export function asOneSite(files: readonly SiteFile[], folder: string): SiteFile[] {
    mkdirSync(join(folder, 'site=one'), { recursive: true });
    return files.map(({ site, path: from }) => {
        const path = join(folder, 'site=one', `${site}.csv`);
        linkSync(from, path);
        return { site: 'one', path };
    });
}

/** First line of a file. */
export function firstLineOf(path: string): string {
    const fd = openSync(path, 'r');
    try {
        const bytes = Buffer.alloc(8192);
        return bytes.toString('utf8', 0, readSync(fd, bytes)).split('\n', 1)[0] ?? '';
    } finally {
        closeSync(fd);
    }
}

/** Makes a copy of a folder whose files are links to those of the original: a lake replaces its objects and never writes into one. */
export function linkTree(from: string, to: string): void {
    mkdirSync(to, { recursive: true });
    for (const entry of readdirSync(from, { withFileTypes: true })) {
        const [source, target] = [join(from, entry.name), join(to, entry.name)];
        if (entry.isDirectory()) {
            linkTree(source, target);
        } else {
            linkSync(source, target);
        }
    }
}
