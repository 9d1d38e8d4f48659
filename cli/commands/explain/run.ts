/** Explains the figures of one key in one period. */
import { Failure, type RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { openProgress } from '#cli/draw/progress';
import { explainNoRows } from '#cli/pair-report';
import { useFigures } from '#cli/use-figures';
import { UsageError } from '#lake/errors';
import { isDay } from '#lake/instant';
import type { Kind } from '#lake/kind';
import { kinds } from '#lake/kinds';
import type { Lake } from '#lake/lake';
import { dayOfPeriod } from '#lake/layout';
import type { Value } from '#lake/query/query-engine';
import { type Explanation, explainRows } from '#lake/reports/explain';
import { findLines } from '#lake/reports/explain-lines';
import { findLineMismatches, findMismatches, lineColumns, lineRow, nameOf, partColumns, partRows } from '#lake/reports/explain-report';
import { countRows } from '#lake/rows';

export interface ExplainOptions {
    /** Name of the kind. */
    kind: string;
    /** Site whose rows are shown; undefined shows all sites. */
    site: string | undefined;
    /** True shows the lines of the raw files, `limit` at most, and not a row for each file. */
    lines: boolean;
    limit: number;
}

interface Question {
    kind: Kind;
    /** Values of the key columns but `site`, in their order. */
    key: readonly string[];
    period: string;
    site: string | undefined;
}

/** Shows where the figures come from. @param words the key and the period @returns 1 where they do not come to what the lake says */
export async function explainKey(
    words: readonly string[],
    { kind, site, lines, limit }: ExplainOptions,
    context: RunContext,
): Promise<number> {
    const question = askedFor(words, { kind, site });
    const { merged } = question.kind;
    return useFigures(context, async (lake) => {
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
}

/** Takes the line's words for the key of the kind and its period. @throws UsageError where they are not that */
function askedFor(words: readonly string[], { kind: name, site }: Pick<ExplainOptions, 'kind' | 'site'>): Question {
    const kind = kinds.find((known) => known.name === name) ?? kinds[0];
    const { per } = kind.merged;
    const names = keyColumns(kind);
    if (words.length !== names.length + 1) {
        const expected = [...names, per].map((word) => `<${word}>`).join(' ');
        const got = `${words.length} of ${names.length + 1} arguments`;
        throw new UsageError(`Of ${kind.name} explain takes ${expected}: got ${got} (flowlake explain --help shows how)`);
    }
    const [period = '', ...key] = [words.at(-1), ...words.slice(0, -1)].map(String);
    const [, day = '', hour] = /^(.*?)(?:T([01]\d|2[0-3]))?$/.exec(period) ?? [];
    if (!isDay(day) || (hour !== undefined) !== (per === 'hour')) {
        const example =
            per === 'hour' ? 'no hour of the calendar: write it as 2026-01-27T13' : 'no day of the calendar: write it as 2026-01-27';
        throw new UsageError(`"${period}" is ${example}`);
    }
    return { kind, key: kind.toStoredKey?.(key) ?? key, period, site };
}

/** The columns that the command's words are values of. */
function keyColumns({ merged, askedBy }: Kind): readonly string[] {
    return askedBy ?? merged.columns.filter(({ merge, name }) => merge === 'key' && name !== 'site').map(({ name }) => name);
}

/** The question's key by its columns. */
function valuesOf({ kind, key, site }: Question): Record<string, string> {
    const values = Object.fromEntries(keyColumns(kind).map((name, at) => [name, key[at] ?? '']));
    return site === undefined ? values : { ...values, site };
}

async function showParts(explanation: Explanation, { kind }: Question, context: RunContext): Promise<void> {
    await printRows({ columns: partColumns(kind), batches: batchOf(partRows(explanation, kind)) }, context);
}

/** Shows the lines. @returns what does not agree */
async function showLines(
    lake: Lake,
    { explanation, question, limit, context }: { explanation: Explanation; question: Question; limit: number; context: RunContext },
): Promise<string[]> {
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

/** The error for a key without figures: which days it has instead, and for the first kind also which pairs there are. */
async function whyNothing(lake: Lake, question: Question): Promise<Failure> {
    const { kind, key, period, site } = question;
    const days = await daysOf(lake, question);
    const [src = '', dst = ''] = key;
    if (days.length === 0 && kind === kinds[0]) {
        return new Failure(await explainNoRows(lake, { src, dst, site, from: undefined, to: undefined }));
    }
    const what = `No ${kind.accounts?.total ?? kind.accounts?.rows ?? 'rows'} of ${key.join(' -> ')}`;
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
