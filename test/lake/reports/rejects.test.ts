/** Rejects of files of any kind, in one table. */
import { DuckDBInstance } from '@duckdb/node-api';
import { rejectsSql } from '#lake/reports/rejects';
import { type Table, text, whole } from '#lake/tables';

function rejectsTable(name: string, columns: Table['columns']): { rejects: Table } {
    return { rejects: { name, prefix: `${name}/`, format: 'jsonl.gz', grain: 'reject', columns } };
}

const FLOWS = rejectsTable('rejects', [text('source', ''), text('version', ''), whole('line_number', ''), text('line', '')]);
const METERS = rejectsTable('meter_rejects', [text('source', ''), text('version', ''), whole('offset', ''), text('why', '')]);

async function ask(sql: string, parameters: (string | bigint | null)[]): Promise<unknown[]> {
    const connection = await (await DuckDBInstance.create()).connect();
    await connection.run(`
        create table sources as select * from (values ('raw/a.csv', '1-a'), ('raw/kind=meters/m', '2-b')) as t(source, version);
        create table rejects as select * from (values ('raw/a.csv', '1-a', 10::bigint, 'ten'), ('raw/a.csv', '1-a', 9::bigint, 'nine'),
            ('raw/a.csv', '0-x', 1::bigint, 'of an earlier version')) as t(source, version, line_number, line);
        create table meter_rejects as select * from (values ('raw/kind=meters/m', '2-b', 7::bigint, 'short')) as t(source, version, "offset", why)`);
    const reader = await connection.runAndReadAll(sql, parameters);
    connection.closeSync();
    return reader.getRowsJS();
}

test('rejects of two kinds stand below each other, and what a kind does not say of them is null', async () => {
    expect(await ask(rejectsSql([FLOWS, METERS]), [null, 10n])).toEqual([
        ['raw/a.csv', 9n, 'nine', null, null],
        ['raw/a.csv', 10n, 'ten', null, null],
        ['raw/kind=meters/m', null, null, 7n, 'short'],
    ]);
});

test('rejects of one source have the columns of its kind, and no more rows than are asked for', async () => {
    expect(await ask(rejectsSql([METERS]), ['raw/kind=meters/m', 10n])).toEqual([['raw/kind=meters/m', 7n, 'short']]);
    expect(await ask(rejectsSql([FLOWS]), ['raw/a.csv', 1n])).toEqual([['raw/a.csv', 9n, 'nine']]);
});
