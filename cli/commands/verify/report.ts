/** What verifying a lake found, as people and cron jobs take it in. */

import type { Context } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { sayCount } from '#cli/draw/quantity';
import { columnNames, meaningsOf, nounOf, rowOf, tableNamed } from '#lake/verify/say-difference';
import type { VerifyResult } from '#lake/verify/verify';

/** Exit code beside those of every command: nothing differs, and not everything could be checked. */
const NOT_ALL_CHECKED = 3;

type Surroundings = Pick<Context, 'stdout' | 'stderr' | 'signal' | 'output'>;

/** Prints the differences to stdout, and to stderr what each kind means, the notes and what was compared. */
export async function showVerification(result: VerifyResult, context: Surroundings): Promise<void> {
    const { stderr } = context;
    const { differences, differenceCount } = result;
    const names = columnNames(differences);
    const rows = differences.map((difference) => {
        const values = rowOf(difference);
        return names.map((name) => values[name]?.toString() ?? null);
    });
    if (rows.length > 0 || context.output !== 'table') {
        const columns = names.map((name) => ({ name, type: 'varchar' }));
        await printRows({ columns, batches: batchOf(rows) }, context);
    }
    if (differenceCount > differences.length) {
        await stderr.write(`These are the first ${differences.length} of ${differenceCount} differences; --limit <n> shows more\n`);
    }
    for (const meaning of meaningsOf(differences)) {
        await stderr.write(`${meaning}\n`);
    }
    for (const { text } of result.notes) {
        await stderr.write(`${text}\n`);
    }
    await stderr.write(`${sayCompared(result)}: ${sayVerdict(result)}\n`);
}

/** The exit code: 0 all equal, 1 differences, 3 no difference and not all checked. */
export function exitCodeOf(verdict: VerifyResult['verdict']): number {
    return { equal: 0, different: 1, incomplete: NOT_ALL_CHECKED }[verdict];
}

function sayCompared({ sources, compared, rowsRead }: VerifyResult): string {
    const fromSummaries = sources.fromSummaries > 0 ? `, ${sources.fromSummaries} more by their summaries` : '';
    const tables = compared.map(({ table, periods, rows, figures }) => {
        const named = tableNamed(table);
        const where = `${named.per === 'hour' ? 'in' : 'on'} ${sayCount(periods, named.per)}`;
        return `${sayCount(figures, 'figure')} of ${sayCount(rows, nounOf(named))} ${where}`;
    });
    return `Compared ${new Intl.ListFormat('en-GB').format(tables)} with ${sayCount(rowsRead, 'row')} of ${sayCount(sources.recomputed, 'source')}${fromSummaries}`;
}

function sayVerdict({ verdict, differenceCount }: VerifyResult): string {
    return {
        equal: 'all equal',
        different: sayCount(differenceCount, 'difference'),
        incomplete: 'no difference, but not everything could be checked, see above',
    }[verdict];
}
