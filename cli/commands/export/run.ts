/** Brings the report of one pair, or the readings of one device, to where they are wanted. */

import type { RunContext } from '#cli/command';
import { explainNoReadings, fetchReadings, parquetColumns, readingsKey } from '#cli/device-readings';
import { printRows } from '#cli/draw/print-rows';
import { sayCount } from '#cli/draw/quantity';
import type { PageFacts } from '#cli/html/document';
import { chooseDestination, explainNoRows, type FileFormat, fetchReport, renderReport, reportKey, streamReport } from '#cli/pair-report';
import { useFigures } from '#cli/use-figures';
import { writeWhole } from '#cli/write-whole';
import type { CollectedRows } from '#lake/collect-rows';
import { UsageError } from '#lake/errors';
import { kinds } from '#lake/kinds';
import type { Lake } from '#lake/lake';
import { askCounted, type CountedQuestions } from '#lake/reports/ask-counted';

interface ExportOptions {
    device: string | undefined;
    metric: string | undefined;
    site: string | undefined;
    /** The first day, inclusive. */
    from: string | undefined;
    /** The last day, inclusive. */
    to: string | undefined;
    out: string | undefined;
    save: boolean;
    format: FileFormat | undefined;
}

/** What is exported. */
interface Source {
    fetch(questions: CountedQuestions): Promise<CollectedRows>;
    /** Says why there are no rows. @throws Failure where there is nothing of the kind at all */
    explainNothing(lake: Lake): Promise<string>;
    /** Key of the export in the lake; equal questions have equal keys. */
    keyOf(format: FileFormat): string;
    /** The rows as a Parquet file has them. */
    asTyped(rows: CollectedRows): CollectedRows;
    /** The rows as a page. */
    asPage(rows: CollectedRows, facts: PageFacts & { questions: CountedQuestions }): Promise<Buffer>;
}

/** Prints the rows, writes them into a file or puts them into the lake. @throws UsageError where neither a pair nor a device is named, or both */
export async function exportRows(
    { src, dst }: { src: string | undefined; dst: string | undefined },
    options: ExportOptions,
    context: RunContext,
): Promise<number> {
    const { out, save, format } = options;
    const source = sourceOf({ src, dst }, options);
    const output = context.isOutputGiven ? context.output : undefined;
    const destination = chooseDestination({ format, out, isSaved: save, output });
    return useFigures(context, async (lake) => {
        const questions = askCounted(lake, { signal: context.signal });
        const rows = await source.fetch(questions);
        if (rows.rows.length === 0) {
            await context.stderr.write(`${await source.explainNothing(lake)}\n`);
        }
        const facts = { lake: context.lake?.name ?? '', madeAt: context.now(), questions };
        const render = (as: FileFormat) =>
            as === 'html' ? source.asPage(rows, facts) : renderReport(as === 'parquet' ? source.asTyped(rows) : rows, as);
        if (destination.kind === 'stdout') {
            const { output: as } = destination;
            await (as === 'html'
                ? context.stdout.write((await render(as)).toString())
                : printRows(streamReport(rows), { ...context, output: as }));
        } else if (destination.kind === 'file') {
            await writeWhole(destination.file, await render(destination.format), context);
            await context.stderr.write(`${destination.file}: ${sayCount(rows.rows.length, 'row')}\n`);
        } else {
            const store = await lake.store();
            const { key } = await store.put(source.keyOf(destination.format), await render(destination.format));
            await context.stdout.write(`${key}\n`);
        }
        return 0;
    });
}

function sourceOf({ src, dst }: { src: string | undefined; dst: string | undefined }, options: ExportOptions): Source {
    const { device, metric, site, from, to } = options;
    if (device !== undefined) {
        if (src !== undefined) {
            throw new UsageError('Name a pair, SRC DST, or a device with --device, not both');
        }
        const question = { device, metric, site, from, to };
        return {
            fetch: (questions) => fetchReadings(questions, question),
            explainNothing: (lake) => explainNoReadings(lake, question),
            keyOf: (format) => readingsKey(question, format),
            asTyped: parquetColumns,
            asPage: async (rows, facts) => (await import('#cli/html/device-page')).writeDevicePage(rows, question, facts),
        };
    }
    if (src === undefined || dst === undefined) {
        throw new UsageError('Which pair? export SRC DST, or a device’s readings: export --device ID');
    }
    if (metric !== undefined) {
        throw new UsageError('--metric is of a device: add --device ID, or leave it out');
    }
    const [storedSrc = src, storedDst = dst] = kinds[0].toStoredKey?.([src, dst]) ?? [];
    const question = { src: storedSrc, dst: storedDst, site, from, to };
    return {
        fetch: (questions) => fetchReport(questions, question),
        explainNothing: (lake) => explainNoRows(lake, question),
        keyOf: (format) => reportKey(question, format),
        asTyped: (rows) => rows,
        asPage: async (rows, facts) => (await import('#cli/html/pair-page')).writePairPage(rows, question, facts),
    };
}
