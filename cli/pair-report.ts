/** The report of one pair: its rows, what they look like in each format, where they are kept, and what is said where there are none. */
import { extname } from 'node:path';
import type { PlotOptions } from '#cli/draw/plot';
import { renderPlot } from '#cli/draw/plot';
import { renderCsv, renderJson } from '#cli/draw/print-rows';
import { type CollectedRows, collectRows } from '#lake/collect-rows';
import { UsageError } from '#lake/errors';
import type { Lake } from '#lake/lake';
import { EXPORTS_PREFIX } from '#lake/layout';
import type { QueryResult } from '#lake/query/query-engine';
import { askCounted, type CountedQuestions } from '#lake/reports/ask-counted';
import type { OutputFormat } from './command.ts';
import { Failure } from './command.ts';

/** A pair, and the days whose rows are asked for, both ends included. */
export interface PairQuestion {
    src: string;
    dst: string;
    site: string | undefined;
    from: string | undefined;
    to: string | undefined;
}

/** All rows of one pair, by site and day: a row per day, so they fit in memory. */
export type PairReport = CollectedRows;

export const FILE_FORMATS = ['csv', 'json', 'parquet', 'html'] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

const NEAREST_COUNT = 5;

export async function fetchReport({ ask }: Pick<CountedQuestions, 'ask'>, { src, dst, site, from, to }: PairQuestion): Promise<PairReport> {
    return ask('pair_report', [src, dst, site ?? null, to ?? null, from ?? null]);
}

/** Says why a report has no rows, where the pair has other days. @throws Failure where there is no such pair, naming the nearest. */
export async function explainNoRows(lake: Lake, { src, dst, site, from, to }: PairQuestion): Promise<string> {
    const pair = `${src} -> ${dst}${site === undefined ? '' : ` at site ${site}`}`;
    const { columns, rows } = await fetchReport(askCounted(lake), { src, dst, site, from: undefined, to: undefined });
    const days = rows.map((row) => String(row[columns.findIndex(({ name }) => name === 'day')])).sort();
    if (days.length > 0) {
        const asked = [from === undefined ? '' : ` from ${from}`, to === undefined ? '' : ` to ${to}`].join('');
        return `No days of ${pair}${asked}: it has ${days.length} from ${days[0]} to ${days.at(-1)}`;
    }
    const nearest = await collectRows(await lake.ask('nearest_pairs', [src, dst, BigInt(NEAREST_COUNT)]));
    if (nearest.rows.length === 0) {
        throw new Failure(`No pair ${pair}: the lake has no pairs yet`);
    }
    const lines = nearest.rows.map(([nearSite, nearSrc, nearDst]) => `  ${nearSrc} ${nearDst} --site ${nearSite}`);
    throw new Failure(`No pair ${pair}. The nearest that exist:\n${lines.join('\n')}`);
}

/** The bytes of a file of rows in the format. */
export async function renderReport(report: PairReport, format: Exclude<FileFormat, 'html'>): Promise<Uint8Array> {
    if (format === 'parquet') {
        const { writeParquetTable } = await import('#lake/parquet');
        return writeParquetTable({ columns: report.columns.map(({ name, type }) => ({ name, type })), rows: report.rows });
    }
    let text = '';
    for await (const chunk of format === 'csv' ? renderCsv(streamReport(report)) : renderJson(streamReport(report))) {
        text += chunk.text;
    }
    return Buffer.from(text);
}

/** The report as the result of a query. */
export function streamReport({ columns, rows }: PairReport): QueryResult {
    const batches = async function* () {
        yield rows;
    };
    return { columns, batches: batches() };
}

/** Key of the report in the lake; equal questions have equal keys. Colons of IPv6 become dashes, which no address has. */
export function reportKey({ src, dst, site, from, to }: PairQuestion, format: FileFormat): string {
    const days = from === undefined && to === undefined ? '' : `_${from ?? ''}_${to ?? ''}`;
    const name = `${src}_${dst}`.replaceAll(':', '-');
    return `${EXPORTS_PREFIX}${site === undefined ? 'all' : `site=${site}`}/${name}${days}.${format}`;
}

/** The plot of the pair's forward packets; meant for the report of one site. */
export function plotReport({ columns, rows }: PairReport, options: PlotOptions): string {
    const placeOf = (name: string) => columns.findIndex((column) => column.name === name);
    const day = placeOf('day');
    const total = placeOf('fwd_pkts_sum');
    const mean = placeOf('fwd_pkts_running_mean');
    const deviation = placeOf('fwd_pkts_running_stddev_pop');
    const points = rows.map((row) => ({
        day: String(row[day]),
        total: Number(row[total]),
        mean: Number(row[mean]),
        deviation: Number(row[deviation]),
    }));
    return renderPlot(points, options);
}

/** A place that the report goes to, and what it is written as. */
export type Destination =
    | { kind: 'stdout'; output: OutputFormat | 'html' }
    | { kind: 'file'; file: string; format: FileFormat }
    | { kind: 'lake'; format: FileFormat };

/**
 * The place that the report goes to, and its format: what --format says, else the file's ending, else --output, else csv.
 * @throws UsageError where the format does not fit the place
 */
export function chooseDestination({
    format,
    out,
    isSaved,
    output,
}: {
    format: FileFormat | undefined;
    out: string | undefined;
    isSaved: boolean;
    output: OutputFormat | undefined;
}): Destination {
    if (isSaved && out !== undefined) {
        throw new UsageError('Give -o FILE or --save, not both');
    }
    const file = out === '-' ? undefined : out;
    const ending = extname(file ?? '')
        .slice(1)
        .toLowerCase();
    const chosen = format ?? FILE_FORMATS.find((known) => known === ending) ?? output ?? (file === undefined ? 'csv' : undefined);
    if (chosen === undefined) {
        throw new UsageError(`The ending of ${out} tells no format: add --format csv, json, parquet or html`);
    }
    if (file === undefined && !isSaved) {
        if (chosen === 'parquet') {
            throw new UsageError('Parquet is no text: write it to a file (-o report.parquet) or into the lake (--save)');
        }
        return { kind: 'stdout', output: chosen };
    }
    if (chosen === 'table') {
        throw new UsageError('A table is for reading: choose --format csv, json, parquet or html for what is kept');
    }
    return file === undefined ? { kind: 'lake', format: chosen } : { kind: 'file', file, format: chosen };
}
