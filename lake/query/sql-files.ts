/** The SQL of the package: the text of sql/flows/views and sql/flows/queries, the same for every engine. */
import { readFileSync } from 'node:fs';
import { packageRoot } from '#lake/package-root';

/** The standing questions, each after those it reads. Every one reads table `pair_days`, `pair_features` by way of `pair_running`. */
export const VIEW_NAMES = ['day_totals', 'pair_stats', 'pair_running', 'pair_features', 'pair_anomalies'] as const;

/** The questions with parameters; the head of each file lists them. */
export const QUERY_NAMES = ['pair_report', 'top_pairs', 'busiest_days', 'nearest_pairs', 'anomalies', 'features', 'rejects'] as const;

export type ViewName = (typeof VIEW_NAMES)[number];
export type QueryName = (typeof QUERY_NAMES)[number];

/** The select that the view is made of. */
export function readView(name: ViewName): string {
    return readFileSync(new URL(`sql/flows/views/${name}.sql`, packageRoot), 'utf8');
}

/**
 * The statement, its parameters standing as `?`: in a `where`, the only place that Athena's manual allows, but for `nearest_pairs`, which
 * cannot do without (https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html, as of November 2026; Trino
 * itself takes them anywhere). Where the file says `view NAME over RELATION`, the text of that view stands, reading RELATION instead of
 * `pair_days`: a filter on the view's days would not pass its window function, and days that cannot count would be read.
 */
export function readQuery(name: QueryName): string {
    const text = readFileSync(new URL(`sql/flows/queries/${name}.sql`, packageRoot), 'utf8');
    return text.replaceAll(/^ *view (\w+) over (\w+)$/gm, (line, view: string, relation: string) => {
        const known = VIEW_NAMES.find((one) => one === view);
        return known === undefined
            ? line
            : readView(known)
                  .replaceAll(/\bfrom pair_days\b/g, `from ${relation}`)
                  .trimEnd();
    });
}
