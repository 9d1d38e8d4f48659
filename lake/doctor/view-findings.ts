/** Judges whether a view of the catalog is the one that sql/ has, in the form in which Athena and Trino keep views. */
import type { CatalogTable } from './catalog-facts.ts';
import { type Finding, ok, problem } from './finding.ts';

export interface ExpectedView {
    name: string;
    /** File of the view in the package: `sql/flows/views/day_totals.sql`. */
    path: string;
    /** The select in that file. */
    sql: string;
    database: string;
    redeploy: string;
}

/** Finding on a view. @param found what the catalog has under the view's name */
export function judgeView(found: CatalogTable | undefined, { name, path, sql, database, redeploy }: ExpectedView): Finding {
    const check = `view ${name}`;
    if (found === undefined) {
        return problem(check, 'not in the catalog, or hidden from you by Lake Formation', redeploy);
    }
    const definition = decodeView(found.viewText);
    const differences = [
        ...(found.type === 'VIRTUAL_VIEW' ? [] : [`it is no view: ${found.type || 'no type'}`]),
        ...(found.parameters.presto_view === 'true' ? [] : ['parameter presto_view is not true: engines do not take it for a view']),
        ...(found.description === 'Presto View' ? [] : ['its description is not "Presto View": Trino does not take it for a view']),
        ...(definition
            ? definitionDifferences(definition, { sql, database, columns: found.columns.map((column) => column.name) })
            : ['its text cannot be decoded']),
    ];
    return differences.length === 0
        ? ok(check, `the text of ${path}`)
        : problem(check, differences.join('; '), `it is of another version, or was changed by hand: ${redeploy}`);
}

interface ViewDefinition {
    sql: string;
    catalog: string;
    database: string;
    columns: readonly string[];
    isRunAsInvoker: boolean;
}

/** What stands in a view's text, `/* Presto View: <base64 of JSON> *\/`; undefined where it is no such text. */
export function decodeView(text: string): ViewDefinition | undefined {
    const packed = /^\/\* Presto View: ([A-Za-z0-9+/=]+) \*\/$/.exec(text.trim())?.[1];
    try {
        const value: unknown = JSON.parse(Buffer.from(packed ?? '', 'base64').toString());
        if (typeof value !== 'object' || value === null) {
            return undefined;
        }
        const found = new Map<string, unknown>(Object.entries(value));
        const columns = found.get('columns');
        return {
            sql: String(found.get('originalSql') ?? ''),
            catalog: String(found.get('catalog') ?? ''),
            database: String(found.get('schema') ?? ''),
            columns: Array.isArray(columns) ? columns.map((column) => String(column?.name ?? '')) : [],
            isRunAsInvoker: found.get('runAsInvoker') === true,
        };
    } catch {
        return undefined;
    }
}

function definitionDifferences(view: ViewDefinition, expected: { sql: string; database: string; columns: readonly string[] }): string[] {
    return [
        ...(plain(view.sql) === plain(expected.sql) ? [] : ['its SQL is another one']),
        ...(view.database === expected.database ? [] : [`it reads database ${view.database || 'of no name'}`]),
        ...(view.catalog.toLowerCase() === 'awsdatacatalog' ? [] : [`it reads catalog ${view.catalog || 'of no name'}`]),
        ...(view.columns.join() === expected.columns.join() && view.columns.length > 0
            ? []
            : ['its columns are not those of its definition']),
        ...(view.isRunAsInvoker ? [] : ['it does not run with the rights of who asks']),
    ];
}

/** The SQL without blanks at the ends and a final semicolon, which change nothing. */
function plain(sql: string): string {
    return sql.trim().replace(/;$/, '').trimEnd();
}
