/** Sources that may count the same rows twice, in words. */
import { sayTwinGroup } from '#lake/reports/say-problem';
import type { Twins } from '#lake/twins';

/** Groups that are told one by one. */
const MOST_GROUPS = 3;

/** A line for each of the first groups, with how to take one of its sources out. */
export function sayTwins(twins: readonly Twins[]): string[] {
    const told = twins.slice(0, MOST_GROUPS).map((group) => {
        const [first = '', second = ''] = group.sources;
        const shown = `${first} and ${second}${group.sources.length > 2 ? ` (and ${group.sources.length - 2} more)` : ''}`;
        const { what, next } = sayTwinGroup(group);
        return `${shown} ${what}: ${next}`;
    });
    const more = twins.length - MOST_GROUPS;
    return more > 0 ? [...told, `${more} more such ${more === 1 ? 'group' : 'groups'} of sources`] : told;
}
