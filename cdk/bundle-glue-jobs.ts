/** Puts together what the Spark jobs run: their Python, and the SQL that they share with every other engine. */
import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { pathOfView, VIEW_NAMES } from '#lake/query/sql-files';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/**
 * Brings dist-glue-jobs/ up to date with its sources and @returns its path: modules, tables.json and the views of all kinds in one folder,
 * because a module finds in its zip what is beside it (glue-jobs/lake_tables.py, lake_views.py). A deployment without a change is none.
 */
export function bundleGlueJobs(): string {
    const folder = join(ROOT, 'dist-glue-jobs');
    mkdirSync(folder, { recursive: true });
    const views = VIEW_NAMES.map((name): [string, string] => [`${name}.sql`, join(ROOT, pathOfView(name))]);
    const files = new Map([...filesOf(join(ROOT, 'glue-jobs')), ...views]);
    for (const name of readdirSync(folder).filter((found) => !files.has(found))) {
        rmSync(join(folder, name), { recursive: true, force: true });
    }
    for (const [name, path] of files) {
        // Replaced as a whole: another process may be reading it.
        const unfinished = `${folder}.${process.pid}.tmp`;
        copyFileSync(path, unfinished);
        renameSync(unfinished, join(folder, name));
    }
    return folder;
}

function filesOf(folder: string): [string, string][] {
    return readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => [name, join(folder, name)]);
}
