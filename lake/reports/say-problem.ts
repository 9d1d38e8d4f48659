/** The words for what needs a person: the same for a terminal and for a page. */
import { kinds } from '#lake/kinds';
import { chainPlaceOf } from '#lake/layout';
import { quoteForShell } from '#lake/quote-for-shell';
import type { Problem } from '#lake/reports/lake-status';
import type { Twins } from '#lake/twins';

export interface SaidProblem {
    /** What the subjects are: `period` where some are no days. */
    noun: 'source' | 'day' | 'period' | 'raw file';
    /** What is wrong with them, to stand behind their count: `could not be used`. */
    what: string;
    /** What to do, and what to type. */
    next: string;
}

/** A problem in words. How many the subjects are, and for how long they wait, is for the caller to say. */
export function sayProblem({ kind, subjects, why = '' }: Pick<Problem, 'kind' | 'subjects' | 'why'>): SaidProblem {
    const noun = nounOf(subjects);
    switch (kind) {
        case 'failed':
            return {
                noun: 'source',
                what: 'could not be used',
                next: `flowlake query "select source, error from sources where state = 'failed'" tells why; ${sayRemedy(subjects)}`,
            };
        case 'empty':
            return {
                noun: 'source',
                what: 'of which not one row counts',
                next: `flowlake query "select source, rows_read, rejected, skipped from sources where state = 'empty'" tells why; ${sayRemedy(subjects)}`,
            };
        case 'waiting':
            return { noun: 'source', what: 'not in the figures yet', next: 'an upload may be running, else flowlake reconcile' };
        case 'older':
            return {
                noun: 'source',
                what: 'as an older version read them',
                next: 'their figures are by its rules until flowlake reconcile reads them anew',
            };
        case 'behind':
            return {
                noun: 'source',
                what: 'as another version of what they are read by had it',
                next: 'flowlake history <source> tells which; a command may be at it, else flowlake reconcile',
            };
        case 'unknown':
            return {
                noun: 'raw file',
                what: `of a kind that this flowlake does not know (it knows ${kinds.map(({ name }) => name).join(', ')}), left alone`,
                next: 'install a version that does, or rename the folder kind=...',
            };
        case 'unreadable':
            return { noun, what: 'that cannot be read', next: why };
        case 'underived':
            return {
                noun: 'day',
                what: 'not derived from what is there now',
                next: 'an upload may be running, else flowlake reconcile',
            };
        case 'unconsolidated':
            return { noun, what: 'not consolidated', next: 'an upload may be running, else flowlake reconcile' };
    }
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

function nounOf(periods: readonly string[]): 'day' | 'period' {
    return periods.every((period) => DAY.test(period)) ? 'day' : 'period';
}

/** What helps with sources of which nothing counts. Nobody can upload an object of a chain: devices have sent what stands in it. */
function sayRemedy(sources: readonly string[]): string {
    const isSent = (source: string): boolean => chainPlaceOf(source) !== undefined;
    const helps = [
        ...(sources.every(isSent) ? [] : ['upload them corrected with --replace']),
        ...(sources.some(isSent)
            ? ['what devices have sent is read again by a corrected profile (flowlake rejects, then flowlake profile add)']
            : []),
    ];
    return `${helps.join('; ')}, or retract them`;
}

/** What sources that may count the same rows twice have in common, and how to take one of them out. */
export function sayTwinGroup({ how, sources }: Twins): { what: string; next: string } {
    return {
        what: how === 'same' ? 'come to the same figures' : 'begin with the same rows',
        next: `if they hold the same twice, take one out: flowlake retract ${quoteForShell(sources[1] ?? '')}`,
    };
}
