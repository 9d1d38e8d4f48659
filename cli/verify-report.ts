/** What verifying a lake found, as people and cron jobs take it in. */
import { DIFFERENCE_KINDS, type DifferenceKind } from '#lake/verify/findings';
import type { VerifyResult } from '#lake/verify/verify';
import type { Context } from './command.ts';

/** Beside the codes of every command: nothing differs, and not everything could be checked. */
const NOT_ALL_CHECKED = 3;

const DIFFERENCE_COLUMNS = ['kind', 'source', 'site', 'src_ip', 'dst_ip', 'day', 'figure', 'in_lake', 'recomputed'] as const;

type Surroundings = Pick<Context, 'stdout' | 'stderr' | 'signal' | 'output'>;

/** The differences to stdout, and to stderr what each kind means, the notes and what was compared. */
export async function showVerification(result: VerifyResult, context: Surroundings): Promise<void> {
    const { printRows } = await import('#cli/draw/print-rows');
    const { batchOf } = await import('#cli/draw/batch-of');
    const { stderr } = context;
    const { differences, differenceCount } = result;
    const rows = differences.map((difference) => DIFFERENCE_COLUMNS.map((name) => difference[name]?.toString() ?? null));
    if (rows.length > 0 || context.output !== 'table') {
        const columns = DIFFERENCE_COLUMNS.map((name) => ({ name, type: 'varchar' }));
        await printRows({ columns, batches: batchOf(rows) }, context);
    }
    if (differenceCount > differences.length) {
        await stderr.write(`These are the first ${differences.length} of ${differenceCount} differences; --limit <n> shows more\n`);
    }
    for (const kind of kindsOf(result)) {
        await stderr.write(`${kind}: ${DIFFERENCE_KINDS[kind]}\n`);
    }
    for (const { text } of result.notes) {
        await stderr.write(`${text}\n`);
    }
    await stderr.write(`${await sayCompared(result)}: ${await sayVerdict(result)}\n`);
}

/** 0 all equal, 1 differences, 3 no difference and not all checked. */
export function exitCodeOf(verdict: VerifyResult['verdict']): number {
    return { equal: 0, different: 1, incomplete: NOT_ALL_CHECKED }[verdict];
}

function kindsOf({ differences }: VerifyResult): DifferenceKind[] {
    return [...new Set(differences.map(({ kind }) => kind))];
}

async function sayCompared({ sources, figures, pairDays, days, rowsRead }: VerifyResult): Promise<string> {
    const { sayCount } = await import('#cli/draw/quantity');
    const fromSummaries = sources.fromSummaries > 0 ? `, ${sources.fromSummaries} more by their summaries` : '';
    const compared = `${sayCount(figures, 'figure')} of ${sayCount(pairDays, 'pair day')} on ${sayCount(days, 'day')}`;
    return `Compared ${compared} with ${sayCount(rowsRead, 'row')} of ${sayCount(sources.recomputed, 'source')}${fromSummaries}`;
}

async function sayVerdict({ verdict, differenceCount }: VerifyResult): Promise<string> {
    const { sayCount } = await import('#cli/draw/quantity');
    return {
        equal: 'all equal',
        different: sayCount(differenceCount, 'difference'),
        incomplete: 'no difference, but not everything could be checked, see above',
    }[verdict];
}
