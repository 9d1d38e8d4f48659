/** The rows of one source that could not be used, as they were read: a page of them. */
import { z } from '@hono/zod-openapi';
import { NotFoundError, StorageError } from '#lake/errors';
import { readLedger } from '#lake/ledger';
import { type RejectedRow, rejectsOf } from '#lake/reports/first-reject';
import { sourceId } from '#lake/source-id';
import { definePage, type Json } from './page.ts';

interface RejectsParameters {
    source: string;
    /** Only those of this reason. */
    reason?: string | undefined;
    page: number;
}

const ROWS_OF_A_PAGE = 50;

export const rejectsPage = definePage<RejectsParameters>({
    name: 'rejects',
    parameters: z.strictObject({
        source: z.string(),
        reason: z.string().optional(),
        page: z.coerce.number().int().min(1).default(1),
    }),
    reads: () => [],
    async answer({ source, reason, page }, { lake, signal }) {
        const store = await lake.store();
        const { record } = await readLedger(store, sourceId(source));
        if (!record) {
            throw new NotFoundError(`No source ${source}: its name is its raw key, as flowlake query "select source from sources" has it`);
        }
        const first = (page - 1) * ROWS_OF_A_PAGE;
        const rows: RejectedRow[] = [];
        let met = 0;
        try {
            for await (const row of rejectsOf(record, { store })) {
                signal.throwIfAborted();
                if (reason !== undefined && row.reason !== reason) {
                    continue;
                }
                met += 1;
                if (met > first + ROWS_OF_A_PAGE) {
                    break;
                }
                if (met > first) {
                    rows.push(row);
                }
            }
        } catch (error) {
            throw isDamaged(error)
                ? new StorageError(
                      `The rejects of ${source} cannot be read (${error.message}): flowlake verify --repair reads the file once more`,
                      { cause: error },
                  )
                : error;
        }
        const hasRejects = record.rows_rejected > 0 || Number(record.metrics_rejected ?? 0) > 0;
        return {
            source,
            page,
            hasMore: met > first + ROWS_OF_A_PAGE,
            // The ledger tells of rejects, and there are none: their object is gone.
            areMissing: record.version !== null && hasRejects && reason === undefined && met === 0,
            rows: rows.map(toJson),
        };
    },
});

function isDamaged(error: unknown): error is Error {
    return error instanceof SyntaxError || (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'));
}

function toJson({ line_number, metric, reason, why, line }: RejectedRow): Json {
    const textOf = (value: unknown): string | null => (value === undefined || value === null ? null : String(value));
    return { lineNumber: textOf(line_number), metric: textOf(metric), reason: textOf(reason), why: textOf(why), line: textOf(line) };
}
