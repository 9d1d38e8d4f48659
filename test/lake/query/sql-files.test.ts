/** Views and queries are found where they lie: a file in a kind's folder is all that a new one needs. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findSqlFiles, pathOfView, QUERY_NAMES, readQuery, readView, relationsReadBy, VIEW_NAMES } from '#lake/query/sql-files';
import { makeFolder } from '#test/support/temporary';

/** A folder of SQL files, these texts by path. */
async function sqlFolder(texts: Record<string, string>): Promise<URL> {
    const folder = await makeFolder();
    for (const [path, text] of Object.entries(texts)) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), text);
    }
    return pathToFileURL(`${folder}/`);
}

test('files of every kind are found by their names, and nothing else is taken for one', async () => {
    const folder = await sqlFolder({
        'flows/views/day_totals.sql': 'select 1 from pair_days\n',
        'flows/queries/top_pairs.sql': 'select 2 from pair_days\n',
        'telemetry/views/device_days.sql': 'select 3 from readings\n',
        'telemetry/views/notes.md': 'no SQL',
        'meters/queries/usage.sql': 'select 4 from meter_hours\n',
        'README.md': 'no folder of a kind',
    });
    const { views, queries } = findSqlFiles(folder);
    expect([...views]).toEqual([
        ['day_totals', { path: 'flows/views/day_totals.sql', text: 'select 1 from pair_days\n' }],
        ['device_days', { path: 'telemetry/views/device_days.sql', text: 'select 3 from readings\n' }],
    ]);
    expect([...queries.keys()]).toEqual(['top_pairs', 'usage']);
});

test('a view comes after those it reads, of its own kind or another', async () => {
    const folder = await sqlFolder({
        'a/views/alpha.sql': 'select * from omega inner join\n    middle on true\n',
        'a/views/beta.sql': '-- It reads nothing from alpha.\nselect * from pair_days\n',
        'b/views/middle.sql': 'with omega as (select 1)\nselect * from beta\n',
        'b/views/omega.sql': 'select * from\nmiddle\n',
    });
    expect([...findSqlFiles(folder).views.keys()]).toEqual(['beta', 'middle', 'omega', 'alpha']);
});

test('views that read each other in a circle are an error that names them', async () => {
    const folder = await sqlFolder({ 'a/views/one.sql': 'select * from two', 'a/views/two.sql': 'select * from one' });
    expect(() => findSqlFiles(folder)).toThrow('Views read each other in a circle: one reads two reads one');
});

test.each(['views', 'queries'])('two kinds with %s of one name are an error that names both files', async (what) => {
    const folder = await sqlFolder({ [`a/${what}/totals.sql`]: 'select 1', [`b/${what}/totals.sql`]: 'select 2' });
    expect(() => findSqlFiles(folder)).toThrow(`sql/a/${what}/totals.sql and sql/b/${what}/totals.sql have one name`);
});

test('what a select reads is told whatever its layout, comments left aside', () => {
    const sql = 'select extract(day from seen) -- not from nowhere\nFROM One\nleft join two on true, lateral (select 1 from\n  three)';
    expect(relationsReadBy(sql)).toEqual(new Set(['seen', 'one', 'two', 'three']));
});

test('a view or query is read by its name, and a name that is none is told with those that there are', () => {
    expect(readView('day_totals')).toContain('from pair_days\n');
    expect(pathOfView('day_totals')).toBe('sql/flows/views/day_totals.sql');
    expect(() => readView('day_total')).toThrow(`There is no view day_total in sql/: these are there: ${VIEW_NAMES.join(', ')}`);
    expect(() => pathOfView('day_total')).toThrow('There is no view day_total');
    expect(() => readQuery('top_pair')).toThrow(`There is no query top_pair in sql/: these are there: ${QUERY_NAMES.join(', ')}`);
});

test('a query that names a view over a relation holds its text, which reads the relation', () => {
    const sql = readQuery('pair_report');
    expect(sql).not.toMatch(/view \w+ over/);
    expect(sql.match(/from pair_days/g)).toHaveLength(1);
    expect(sql).toContain('from asked_days\n');
});

test.each(QUERY_NAMES)('the parameters of %s stand in a where only, as Athena wants it', (name) => {
    const plain = readQuery(name).replaceAll(/--.*/g, '');
    // From each parameter back to the clause that it is in.
    const clauses = [...plain.matchAll(/\?/g)].map(
        ({ index }) => [...plain.slice(0, index).matchAll(/\b(select|from|where|on|group by|order by|having|limit|values)\b/g)].at(-1)?.[1],
    );
    expect(new Set(clauses)).toEqual(new Set(['where']));
});
