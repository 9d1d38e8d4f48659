/** The columns of each view, as Trino and the Glue catalog call them. */
import { readFileSync } from 'node:fs';

/** Name and Trino type of one column. */
export interface ViewColumn {
    name: string;
    type: string;
}

const describedViews: Readonly<Record<string, readonly ViewColumn[]>> = JSON.parse(
    readFileSync(new URL('view-columns.json', import.meta.url), 'utf8'),
);

/** The view's columns in their order, as cdk/generate-view-columns.ts found them. @throws TypeError for a view that is newer than that file */
export function viewColumnsOf(view: string): readonly ViewColumn[] {
    const columns = describedViews[view];
    if (columns === undefined) {
        throw new TypeError(`cdk/view-columns.json does not describe view ${view}: run npm run docs`);
    }
    return columns;
}

/** Hive's name of a column's type; it has one name of its own among them. */
export function hiveTypeOf({ type }: ViewColumn): string {
    return type === 'varchar' ? 'string' : type;
}
