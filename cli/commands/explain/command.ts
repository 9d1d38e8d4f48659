/** `flowlake explain`: which files, and how many of their lines, a figure comes from. */
import { type Context, defineCommand, Failure } from '#cli/command';
import { flag, isDay, text, whole } from '#cli/option';
import type { Kind } from '#lake/kind';
import type { Value } from '#lake/query/query-engine';
import type { Explanation } from '#lake/reports/explain';

interface Question {
    kind: Kind;
    /** Values of the key columns but `site`, in their order. */
    key: readonly string[];
    period: string;
    site: string | undefined;
}

export const explain = defineCommand({
    name: 'explain',
    summary: 'from which files, and how many of their lines, a pair’s figures of one day come',
    details:
        'A row for each file with what it contributes, and for each site the total, which is what pair_days says; where it is not, that is said ' +
        'with what to do, and the exit code is 1. With --lines the raw files are read again, by the reader that summarized them. ' +
        'Of flows the arguments are <src> <dst> <day>; of another kind of data (--kind) its key columns but site, in their order, and then the ' +
        'day (2026-01-27) or the hour (2026-01-27T13).',
    arguments: {
        key: {
            meaning: 'source address, destination address and day, YYYY-MM-DD; with --kind the key columns of its rows and the period',
            count: 'one or more',
        },
    },
    options: {
        kind: text('--kind <name>', 'kind of data (default: flows)'),
        site: text('--site <site>', 'only this site’s pair; devices of two sites may share an address'),
        lines: flag('--lines', 'the very lines of the raw files instead of a row for each file'),
        limit: whole('--limit <n>', 'how many lines are shown at most; all are counted', { fallback: 100 }),
    },
    examples: [
        { line: 'explain 10.1.0.7 10.1.0.20 2026-01-27', does: 'which files have flows of this pair on this day' },
        { line: 'explain 10.1.0.7 10.1.0.20 2026-01-27 --site berlin --lines', does: 'the lines, with file and line number' },
    ],
    async run({ arguments: { key: words }, options: { kind, site, lines, limit }, ...context }) {
        const question = await askedFor(words, { kind, site });
        const { useLake } = await import('#cli/use-lake');
        const { explainRows } = await import('#lake/reports/explain');
        const { findMismatches } = await import('#cli/explain-report');
        const { dayOfPeriod } = await import('#lake/layout');
        const { countRows } = await import('#lake/rows');
        const { merged } = question.kind;
        return useLake(context, async (lake) => {
            const store = await lake.store();
            const asked = { kind: question.kind, key: valuesOf(question), period: question.period };
            const explanation = await explainRows(asked, { store, signal: context.signal });
            if (countRows(merged, explanation.inLake) + explanation.parts.length === 0) {
                throw await whyNothing(lake, question);
            }
            const mismatches = findMismatches(explanation, question.kind);
            if (lines) {
                mismatches.push(...(await showLines(lake, { explanation, question, limit, context })));
            } else {
                await showParts(explanation, question, context);
            }
            for (const mismatch of mismatches) {
                await context.stderr.write(`${mismatch}\n`);
            }
            const day = dayOfPeriod(question.period);
            const advice = `See flowlake verify --from ${day} --to ${day}; with --repair it mends what can be mended\n`;
            await context.stderr.write(mismatches.length === 0 ? `As in ${merged.name}, figure by figure\n` : advice);
            return mismatches.length === 0 ? 0 : 1;
        });
    },
});

/** Takes the line's words for the key of the kind and its period. @throws UsageError where they are not that */
async function askedFor(
    words: readonly string[],
    { kind: name, site }: { kind: string | undefined; site: string | undefined },
): Promise<Question> {
    const { UsageError } = await import('#lake/errors');
    const { kinds } = await import('#lake/kinds');
    const kind = name === undefined ? kinds[0] : kinds.find((known) => known.name === name);
    if (!kind) {
        throw new UsageError(`There is no kind ${name}: this flowlake knows ${kinds.map((known) => known.name).join(', ')}`);
    }
    const { per } = kind.merged;
    const names = keyColumns(kind);
    if (words.length !== names.length + 1) {
        const expected = [...names, per].map((word) => `<${word}>`).join(' ');
        throw new UsageError(`Of ${kind.name} explain takes ${expected}, ${names.length + 1} arguments: ${words.length} were given`);
    }
    const [period = '', ...key] = [words.at(-1), ...words.slice(0, -1)].map(String);
    const [, day = '', hour] = /^(.*?)(?:T([01]\d|2[0-3]))?$/.exec(period) ?? [];
    if (!isDay(day) || (hour !== undefined) !== (per === 'hour')) {
        const example =
            per === 'hour' ? 'no hour of the calendar: write it as 2026-01-27T13' : 'no day of the calendar: write it as 2026-01-27';
        throw new UsageError(`"${period}" is ${example}`);
    }
    return { kind, key, period, site };
}

/** The columns that the arguments are of. */
function keyColumns({ merged }: Kind): string[] {
    return merged.columns.filter(({ merge, name }) => merge === 'key' && name !== 'site').map(({ name }) => name);
}

/** The question's key by its columns. */
function valuesOf({ kind, key, site }: Question): Record<string, string> {
    const values = Object.fromEntries(keyColumns(kind).map((name, at) => [name, key[at] ?? '']));
    return site === undefined ? values : { ...values, site };
}

type Surroundings = Pick<Context, 'stdout' | 'stderr' | 'signal' | 'output' | 'now'>;

async function showParts(explanation: Explanation, { kind }: Question, context: Surroundings): Promise<void> {
    const { partColumns, partRows } = await import('#cli/explain-report');
    const { batchOf } = await import('#cli/draw/batch-of');
    const { printRows } = await import('#cli/draw/print-rows');
    await printRows({ columns: partColumns(kind), batches: batchOf(partRows(explanation, kind)) }, context);
}

/** @returns what does not agree */
async function showLines(
    lake: Lake,
    { explanation, question, limit, context }: { explanation: Explanation; question: Question; limit: number; context: Surroundings },
): Promise<string[]> {
    const { findLineMismatches, lineColumns, lineRow, nameOf } = await import('#cli/explain-report');
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
            const { kind, key, period } = question;
            const options = { store, kind, key, period, maxLines: limit - rows.length, signal: context.signal, onBytes: progress.advance };
            const found = await findLines(record, options);
            mismatches.push(...findLineMismatches(part, found, kind));
            count += found.count;
            rows.push(...found.lines.map((line) => lineRow(line, { source: record.source, kind })));
        }
    } finally {
        await progress.stop();
    }
    await printRows({ columns: lineColumns(question.kind), batches: batchOf(rows) }, context);
    if (count > BigInt(rows.length)) {
        await context.stderr.write(`These are the first ${rows.length} of ${count} lines; --limit <n> shows more\n`);
    }
    return mismatches;
}

const NEAREST_DAYS = 5;

/** Which days the key has instead; of the first kind also which pairs there are. */
async function whyNothing(lake: Lake, question: Question): Promise<Failure> {
    const { kind, key, period, site } = question;
    const { kinds } = await import('#lake/kinds');
    const days = await daysOf(lake, question);
    const [src = '', dst = ''] = key;
    if (days.length === 0 && kind === kinds[0]) {
        const { explainNoRows } = await import('#cli/pair-report');
        return new Failure(await explainNoRows(lake, { src, dst, site, from: undefined, to: undefined }));
    }
    const what = `No ${kind.accounts?.rows ?? 'rows'} of ${key.join(' -> ')}`;
    if (days.length === 0) {
        return new Failure(`${what}${site === undefined ? '' : ` at site ${site}`} in ${kind.merged.name}`);
    }
    const distance = (day: string): number => Math.abs(Date.parse(day) - Date.parse(period.slice(0, day.length)));
    const nearest = days.toSorted((a, b) => distance(a) - distance(b)).slice(0, NEAREST_DAYS);
    const when = period.includes('T') ? `in ${period}` : `on ${period}`;
    return new Failure(`${what} ${when}. The nearest of its ${days.length} days: ${nearest.sort().join(', ')}`);
}

/** The days on which the key has rows. */
async function daysOf(lake: Lake, question: Question): Promise<string[]> {
    const values = Object.entries(valuesOf(question));
    const where = values.map(([name]) => `"${name}" = ?`).join(' and ');
    const { batches } = await (await lake.engine()).query(
        `select distinct cast(day as varchar) as day from ${question.kind.merged.name} where ${where} order by 1`,
        { parameters: values.map(([, value]) => value) },
    );
    const days: string[] = [];
    for await (const rows of batches) {
        days.push(...rows.map(([day]) => String(day)));
    }
    return days;
}
