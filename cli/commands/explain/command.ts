/** `flowlake explain`: which files, and how many of their lines, a figure comes from. */
import { type Context, defineCommand, Failure } from '#cli/command';
import { flag, isDay, text, whole } from '#cli/option';
import type { Lake } from '#lake/lake';
import type { Value } from '#lake/query/query-engine';
import type { Explanation } from '#lake/reports/explain';

interface Question {
    src: string;
    dst: string;
    day: string;
    site: string | undefined;
}

export const explain = defineCommand({
    name: 'explain',
    summary: 'from which files, and how many of their lines, a pair’s figures of one day come',
    details:
        'A row for each file with what it contributes, and for each site the total, which is what pair_days says; where it is not, that is said ' +
        'with what to do, and the exit code is 1. With --lines the raw files are read again, by the reader that summarized them.',
    arguments: {
        src: { meaning: 'source address', count: 'one' },
        dst: { meaning: 'destination address', count: 'one' },
        day: { meaning: 'day, YYYY-MM-DD', count: 'one' },
    },
    options: {
        site: text('--site <site>', 'only this site’s pair; devices of two sites may share an address'),
        lines: flag('--lines', 'the very lines of the raw files instead of a row for each file'),
        limit: whole('--limit <n>', 'how many lines are shown at most; all are counted', { fallback: 100 }),
    },
    examples: [
        { line: 'explain 10.1.0.7 10.1.0.20 2026-01-27', does: 'which files have flows of this pair on this day' },
        { line: 'explain 10.1.0.7 10.1.0.20 2026-01-27 --site berlin --lines', does: 'the lines, with file and line number' },
    ],
    async run({ arguments: { src, dst, day }, options: { site, lines, limit }, ...context }) {
        if (!isDay(day)) {
            const { UsageError } = await import('#lake/errors');
            throw new UsageError(`"${day}" is no day of the calendar: write it as 2026-01-27`);
        }
        const { useLake } = await import('#cli/use-lake');
        const { explainPairDay } = await import('#lake/reports/explain');
        const { findMismatches } = await import('#cli/explain-report');
        return useLake(context, async (lake) => {
            const question = { src, dst, day, site };
            const store = await lake.store();
            const explanation = await explainPairDay(question, { store, signal: context.signal });
            if (explanation.inLake.site.length + explanation.parts.length === 0) {
                throw await whyNothing(lake, question);
            }
            const mismatches = findMismatches(explanation);
            if (lines) {
                mismatches.push(...(await showLines(lake, { explanation, question, limit, context })));
            } else {
                await showParts(explanation, context);
            }
            for (const mismatch of mismatches) {
                await context.stderr.write(`${mismatch}\n`);
            }
            const advice = `See flowlake verify --from ${day} --to ${day}; with --repair it mends what can be mended\n`;
            await context.stderr.write(mismatches.length === 0 ? 'As in pair_days, figure by figure\n' : advice);
            return mismatches.length === 0 ? 0 : 1;
        });
    },
});

type Surroundings = Pick<Context, 'stdout' | 'stderr' | 'signal' | 'output' | 'now'>;

async function showParts(explanation: Explanation, context: Surroundings): Promise<void> {
    const { PART_COLUMNS, partRows } = await import('#cli/explain-report');
    const { batchOf } = await import('#cli/draw/batch-of');
    const { printRows } = await import('#cli/draw/print-rows');
    await printRows({ columns: PART_COLUMNS, batches: batchOf(partRows(explanation)) }, context);
}

/** @returns what does not agree */
async function showLines(
    lake: Lake,
    { explanation, question, limit, context }: { explanation: Explanation; question: Question; limit: number; context: Surroundings },
): Promise<string[]> {
    const { findLineMismatches, LINE_COLUMNS, nameOf } = await import('#cli/explain-report');
    const { batchOf } = await import('#cli/draw/batch-of');
    const { printRows } = await import('#cli/draw/print-rows');
    const { openProgress } = await import('#cli/draw/progress');
    const { findLines } = await import('#lake/reports/explain-lines');
    const store = await lake.store();
    const rows: Value[][] = [];
    const mismatches: string[] = [];
    let count = 0n;
    const totalBytes = explanation.parts.reduce((sum, { record }) => sum + (record?.size_bytes ?? 0), 0);
    const progress = openProgress({ stderr: context.stderr, now: context.now, doing: 'Reading', totalBytes });
    try {
        for (const part of explanation.parts) {
            const { record, version } = part;
            if (record?.version !== version) {
                mismatches.push(`the lines of ${nameOf(part)} cannot be shown: another version of it is live by now`);
                continue;
            }
            const options = { store, maxLines: limit - rows.length, signal: context.signal, onBytes: progress.advance };
            const found = await findLines(record, question, options);
            mismatches.push(...findLineMismatches(part, found));
            count += found.count;
            rows.push(...found.lines.map((line) => [record.source, BigInt(line.lineNumber), line.durationUs, line.packets, line.line]));
        }
    } finally {
        await progress.stop();
    }
    await printRows({ columns: LINE_COLUMNS, batches: batchOf(rows) }, context);
    if (count > BigInt(rows.length)) {
        await context.stderr.write(`These are the first ${rows.length} of ${count} lines; --limit <n> shows more\n`);
    }
    return mismatches;
}

const NEAREST_DAYS = 5;

/** Which days the pair has instead, or which pairs there are. */
async function whyNothing(lake: Lake, { src, dst, site, day }: Question): Promise<Failure> {
    const { explainNoRows, fetchReport } = await import('#cli/pair-report');
    const question = { src, dst, site, from: undefined, to: undefined };
    const { columns, rows } = await fetchReport(lake, question);
    if (rows.length === 0) {
        return new Failure(await explainNoRows(lake, question));
    }
    const place = columns.findIndex(({ name }) => name === 'day');
    const days = [...new Set(rows.map((row) => String(row[place])))];
    const distance = (other: string): number => Math.abs(Date.parse(other) - Date.parse(day));
    const nearest = days.toSorted((a, b) => distance(a) - distance(b)).slice(0, NEAREST_DAYS);
    return new Failure(`No flows of ${src} -> ${dst} on ${day}. The nearest of its ${days.length} days: ${nearest.sort().join(', ')}`);
}
