/** What holds for every file of sql/. */
import { existsSync, readdirSync } from 'node:fs';
import { packageRoot } from '#lake/package-root';
import { QUERY_NAMES, readQuery, readView, VIEW_NAMES } from '#lake/query/sql-files';

test('no file is forgotten', () => {
    expect(readdirSync(new URL('sql/flows/views/', packageRoot)).sort()).toEqual(VIEW_NAMES.map((name) => `${name}.sql`).sort());
    expect(readdirSync(new URL('sql/flows/queries/', packageRoot)).sort()).toEqual(QUERY_NAMES.map((name) => `${name}.sql`).sort());
});

test.each([...VIEW_NAMES, ...QUERY_NAMES])('%s says its grain and its question first, and has a test', (name) => {
    const text = VIEW_NAMES.some((view) => view === name) ? readView(name as 'day_totals') : readQuery(name as 'rejects');
    expect(text).toMatch(/^-- One row per [^:]+: [^?]+\?/);
    expect(existsSync(new URL(`test/sql/flows/${name.replaceAll('_', '-')}.test.ts`, packageRoot))).toBe(true);
});

test.each(QUERY_NAMES)('%s says each of its parameters', (name) => {
    const text = readQuery(name);
    const [, named = ''] = /^-- Parameters: (.*)\.$/m.exec(text) ?? [];
    const places = text.replaceAll(/--.*/g, '').split('?').length - 1;
    expect(named.replaceAll(/\([^)]*\)/g, '').split(', ')).toHaveLength(places);
});
