/** Writes the report of a lake as a page. */
import { Failure, type RunContext } from '#cli/command';
import { useFigures } from '#cli/use-figures';
import { writeWhole } from '#cli/write-whole';
import { NotFoundError, UsageError } from '#lake/errors';
import { askCounted } from '#lake/reports/ask-counted';
import { daysOf } from '#lake/reports/days-of';
import { readLakeReport } from '#lake/reports/lake-report';

interface ReportOptions {
    from: string | undefined;
    to: string | undefined;
    site: string | undefined;
    out: string | undefined;
}

/** A page of more days is no page: their rows are had by query. */
const MOST_DAYS = 92;

/** @throws UsageError where no file is named, or too many days are asked for. @throws Failure where the lake has no figures */
export async function writeReport({ from, to, site, out }: ReportOptions, context: RunContext): Promise<number> {
    if (out === undefined) {
        throw new UsageError('Where to? -o report.html, or -o - for stdout');
    }
    if (from !== undefined && to !== undefined && daysOf({ from, to }).length > MOST_DAYS) {
        throw new UsageError(
            `${daysOf({ from, to }).length} days are asked for, and a page has ${MOST_DAYS} at most: choose --from and --to nearer to each other`,
        );
    }
    return useFigures(context, async (lake) => {
        const questions = askCounted(lake, { signal: context.signal });
        const madeAt = context.now();
        const report = await readLakeReport({ from, to, site }, { questions, store: await lake.store(), now: madeAt }).catch(
            (error: unknown) => {
                throw error instanceof NotFoundError
                    ? new Failure(`${error.message}: flowlake status says what waits`, { cause: error })
                    : error;
            },
        );
        const { writeLakePage } = await import('#cli/html/lake-page');
        const page = writeLakePage(report, { lake: context.lake?.name ?? '', madeAt, scanned: questions.scanned() });
        context.signal.throwIfAborted();
        if (out === '-') {
            await context.stdout.write(page.toString());
        } else {
            await writeWhole(out, page, context);
            await context.stderr.write(`${out}: ${report.range.from} to ${report.range.to}\n`);
        }
        return 0;
    });
}
