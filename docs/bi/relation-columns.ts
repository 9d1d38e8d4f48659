/** The columns of the lake's tables and views, for dashboards: what they show must be there. */
import { viewColumnsOf } from '#cdk/view-columns';
import { tables } from '#lake/kinds';
import { VIEW_NAMES } from '#lake/query/sql-files';

interface RelationColumn {
    name: string;
    /** Trino's type: `varchar`, `bigint`, `decimal(38,0)`. */
    type: string;
    /** What it holds, where a table says it. */
    meaning?: string;
}

/** All columns of a table or view, in its order. @throws TypeError for a relation that the lake has not */
export function relationColumns(relation: string): RelationColumn[] {
    if (VIEW_NAMES.includes(relation)) {
        return [...viewColumnsOf(relation)];
    }
    const table = tables.find(({ name }) => name === relation);
    if (table === undefined) {
        throw new TypeError(`The lake has no table or view ${relation}: docs/tables.md lists them`);
    }
    const columns = table.columns.map(({ name, type, meaning }) => ({ name, type: type === 'string' ? 'varchar' : type, meaning }));
    return table.per === undefined ? columns : [{ name: 'day', type: 'varchar', meaning: 'the day, YYYY-MM-DD' }, ...columns];
}
