/** Brings the report of one pair to where it is wanted. */

import type { RunContext } from '#cli/command';
import { printRows } from '#cli/draw/print-rows';
import { chooseDestination, explainNoRows, type FileFormat, fetchReport, renderReport, reportKey, streamReport } from '#cli/pair-report';
import { useFigures } from '#cli/use-figures';
import { kinds } from '#lake/kinds';
import { writeWhole } from './write-whole.ts';

interface ExportOptions {
    site: string | undefined;
    from: string | undefined;
    to: string | undefined;
    out: string | undefined;
    save: boolean;
    format: FileFormat | undefined;
}

/** Prints the report, writes it into a file or puts it into the lake. */
export async function exportReport(
    { src, dst }: { src: string; dst: string },
    { site, from, to, out, save, format }: ExportOptions,
    context: RunContext,
): Promise<number> {
    const output = context.isOutputGiven ? context.output : undefined;
    const destination = chooseDestination({ format, out, isSaved: save, output });
    return useFigures(context, async (lake) => {
        const [storedSrc = src, storedDst = dst] = kinds[0].toStoredKey?.([src, dst]) ?? [];
        const question = { src: storedSrc, dst: storedDst, site, from, to };
        const report = await fetchReport(lake, question);
        if (report.rows.length === 0) {
            await context.stderr.write(`${await explainNoRows(lake, question)}\n`);
        }
        if (destination.kind === 'stdout') {
            await printRows(streamReport(report), { ...context, output: destination.output });
        } else if (destination.kind === 'file') {
            await writeWhole(destination.file, await renderReport(report, destination.format), context);
            await context.stderr.write(`${destination.file}: ${report.rows.length === 1 ? '1 row' : `${report.rows.length} rows`}\n`);
        } else {
            const store = await lake.store();
            const { key } = await store.put(reportKey(question, destination.format), await renderReport(report, destination.format));
            await context.stdout.write(`${key}\n`);
        }
        return 0;
    });
}
