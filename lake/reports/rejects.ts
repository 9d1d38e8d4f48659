/** The rows that could not be used, of files of any kind: as SQL, for whichever engine answers. */
import type { Kind } from '#lake/kind';
import type { Column } from '#lake/tables';

/**
 * A select with one row per rejected row of the versions that count, in the order of the files; a column that a kind has not is null for it.
 * Parameters: source (raw key) or null for all, number of rows.
 */
export function rejectsSql(ofKinds: readonly Pick<Kind, 'rejects'>[]): string {
    const columns = [...new Map(ofKinds.flatMap(({ rejects }) => rejects.columns.map((column) => [column.name, column]))).values()];
    // A kind's columns may be named like words of SQL.
    const shown = columns.filter(({ name }) => name !== 'version').map(({ name }) => `"${name}"`);
    const ofEach = ofKinds.map(({ rejects }) => {
        const own = new Set(rejects.columns.map(({ name }) => name));
        const values = columns.map((column) => (own.has(column.name) ? `"${column.name}"` : `${nullOf(column)} as "${column.name}"`));
        return `select ${values.join(', ')} from ${rejects.name}`;
    });
    return `with rejected as (
    ${ofEach.join('\n    union all\n    ')}
),

ranked as (
    select
        ${shown.map((name) => `rejected.${name},`).join('\n        ')}
        row_number() over (order by ${shown.map((name) => `rejected.${name}`).join(', ')}) as place
    from rejected
    inner join sources on sources.source = rejected.source and sources.version = rejected.version
    where rejected.source = coalesce(cast(? as varchar), rejected.source)
)

select
    ${shown.join(',\n    ')}
from ranked
where place <= cast(? as bigint)
order by place
`;
}

function nullOf({ type }: Column): string {
    return `cast(null as ${type === 'string' ? 'varchar' : type})`;
}
