import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { bundleGlueJobs } from '#cdk/bundle-glue-jobs';
import { JOB_SCRIPTS } from '#cdk/jobs';
import { readView, VIEW_NAMES } from '#lake/query/sql-files';

const ROOT = new URL('../../', import.meta.url).pathname;

test('a deployed job has its script, every module of glue-jobs/, the columns of the tables and the text of every view', () => {
    const folder = bundleGlueJobs();
    const modules = readdirSync(join(ROOT, 'glue-jobs')).filter((name) => /\.(py|json)$/.test(name));
    expect(modules).toEqual(expect.arrayContaining(Object.values(JOB_SCRIPTS)));
    expect(readdirSync(folder).sort()).toEqual([...modules, ...VIEW_NAMES.map((name) => `${name}.sql`)].sort());
    for (const name of modules) {
        expect(readFileSync(join(folder, name), 'utf8')).toBe(readFileSync(join(ROOT, 'glue-jobs', name), 'utf8'));
    }
    for (const name of VIEW_NAMES) {
        expect(readFileSync(join(folder, `${name}.sql`), 'utf8')).toBe(readView(name));
    }
});
