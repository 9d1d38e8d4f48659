/** The columns of each view, as Trino and the Glue catalog call them. */
import { readFileSync } from 'node:fs';
import type { ViewName } from '#lake/query/sql-files';

/** Name and Trino type of one column. */
export interface ViewColumn {
    name: string;
    type: string;
}

const describedViews: Record<ViewName, ViewColumn[]> = JSON.parse(readFileSync(new URL('view-columns.json', import.meta.url), 'utf8'));

/** The view's columns in their order, as cdk/generate-view-columns.ts found them. */
export function viewColumnsOf(view: ViewName): readonly ViewColumn[] {
    return describedViews[view];
}

/** Hive has one name of its own among them. */
export function hiveTypeOf({ type }: ViewColumn): string {
    return type === 'varchar' ? 'string' : type;
}
