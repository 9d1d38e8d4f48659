/**
 * What a training job is told of the exported days of a range: its objects in three parts by time, their columns, and what they are.
 * glue-jobs/feature_manifests.py is the same. A manifest is as SageMaker reads it: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
 */
import type { ResultColumn } from '#lake/query/query-engine';

/** Shares of the days, in order: what comes later is never trained on. */
const TRAIN = 0.7;
const VALIDATION = 0.15;

const CONTENT_TYPE = 'application/x-parquet';

/** The days, ascending, in three parts by time. Of fewer than three days all are trained on. */
export function splitDays(days: readonly string[]): Record<'train' | 'validation' | 'test', string[]> {
    if (days.length < 3) {
        return { train: [...days], validation: [], test: [] };
    }
    const validation = Math.max(1, Math.floor(days.length * VALIDATION));
    const train = Math.min(Math.max(1, Math.floor(days.length * TRAIN)), days.length - 2 * validation);
    return { train: days.slice(0, train), validation: days.slice(train, train + validation), test: days.slice(train + validation) };
}

/** The manifests of a range and their keys. A lake in a directory has no address: `exports/...` is what their keys begin with wherever the lake goes. */
export function manifestFiles(
    { from, to }: { from: string; to: string },
    {
        view,
        prefix,
        columns,
        counts,
    }: { view: string; prefix: string; columns: readonly ResultColumn[]; counts: ReadonlyMap<string, number> },
): [key: string, text: string][] {
    const folder = `${prefix}_manifests/${from}_${to}/`;
    const parts = Object.entries(splitDays([...counts.keys()].sort()));
    const rowsOf = (days: readonly string[]): number => days.reduce((sum, day) => sum + (counts.get(day) ?? 0), 0);
    const manifests = parts.map(([part, days]): [string, string] => [
        `${folder}${part}.manifest`,
        JSON.stringify([{ prefix }, ...days.map((day) => `day=${day}/part-00.parquet`)], null, 4),
    ]);
    const told = {
        table: view,
        content_type: CONTENT_TYPE,
        from,
        to,
        columns: columns.map(({ name, type }) => ({ name, type: type === 'varchar' ? 'string' : type })),
        split: { by: 'time', ...Object.fromEntries(parts.map(([part, days]) => [part, { days, rows: rowsOf(days) }])) },
    };
    return [...manifests, [`${folder}schema.json`, JSON.stringify(told, null, 4)]];
}
