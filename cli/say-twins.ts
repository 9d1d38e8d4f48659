/** Sources that may count the same rows twice, in words. */
import type { Twins } from '#lake/twins';
import { quoteForShell } from './quote-for-shell.ts';

/** Groups that are told one by one. */
const MOST_GROUPS = 3;

/** A line for each of the first groups, with how to take one of its sources out. */
export function sayTwins(twins: readonly Twins[]): string[] {
    const told = twins.slice(0, MOST_GROUPS).map(({ how, sources }) => {
        const [first = '', second = ''] = sources;
        const shown = `${first} and ${second}${sources.length > 2 ? ` (and ${sources.length - 2} more)` : ''}`;
        const what = how === 'same' ? 'come to the same figures' : 'begin with the same rows';
        return `${shown} ${what}: if they hold the same twice, take one out: flowlake retract ${quoteForShell(second)}`;
    });
    const more = twins.length - MOST_GROUPS;
    return more > 0 ? [...told, `${more} more such ${more === 1 ? 'group' : 'groups'} of sources`] : told;
}
