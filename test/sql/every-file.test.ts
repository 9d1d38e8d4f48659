/** What holds for every file of sql/. */
import { existsSync, readdirSync } from 'node:fs';
import { packageRoot } from '#lake/package-root';
import { QUERY_NAMES, readQuery, readView, VIEW_NAMES } from '#lake/query/sql-files';

const KINDS = readdirSync(new URL('sql/', packageRoot));

/** Kind and name of each file in the folders of this name. */
function filesIn(what: 'views' | 'queries'): [kind: string, name: string][] {
    return KINDS.flatMap((kind) => {
        const folder = new URL(`sql/${kind}/${what}/`, packageRoot);
        return existsSync(folder) ? readdirSync(folder).map((file): [string, string] => [kind, file.replace(/\.sql$/, '')]) : [];
    });
}

const VIEWS = filesIn('views');
const QUERIES = filesIn('queries');

test('no file is forgotten', () => {
    expect(VIEWS.map(([, name]) => name).sort()).toEqual([...VIEW_NAMES].sort());
    expect(QUERIES.map(([, name]) => name).sort()).toEqual([...QUERY_NAMES].sort());
    expect([VIEW_NAMES, QUERY_NAMES]).toEqual([expect.arrayContaining(['day_totals']), expect.arrayContaining(['pair_report'])]);
});

test.each([...VIEWS, ...QUERIES])('of %s, %s says its grain and its question first, and has a test', (kind, name) => {
    const text = VIEW_NAMES.includes(name) ? readView(name) : readQuery(name);
    expect(text).toMatch(/^-- One row per [^:]+: [^?]+\?/);
    expect(existsSync(new URL(`test/sql/${kind}/${name.replaceAll('_', '-')}.test.ts`, packageRoot))).toBe(true);
});

test.each(QUERY_NAMES)('%s says each of its parameters', (name) => {
    const text = readQuery(name);
    const [, named = ''] = /^-- Parameters: (.*)\.$/m.exec(text) ?? [];
    const places = text.replaceAll(/--.*/g, '').split('?').length - 1;
    expect(named.replaceAll(/\([^)]*\)/g, '').split(', ')).toHaveLength(places);
});
