/** Judges whether every source counts, and none of them twice. */
import { type Answer, type Finding, judge, ok, orOk, problem, warning } from './finding.ts';
import type { SourceFacts } from './source-facts.ts';

export function judgeSources(answer: Answer<SourceFacts | undefined>): readonly Finding[] {
    const check = 'sources';
    return judge(check, answer, {
        missing: () => ok(check, 'none'),
        found: (facts) => {
            if (!facts) {
                return [{ check, result: 'could not check', found: 'too many to look at each', todo: 'flowlake status looks at all' }];
            }
            const { lost, twins } = facts;
            const wrong = [
                ...(lost.length > 0
                    ? [problem(check, `nothing of ${some(lost)} counts`, 'flowlake status says how to find out why, and what to do')]
                    : []),
                ...twins
                    .slice(0, MOST_TWINS)
                    .map(({ how, sources }) =>
                        warning(
                            check,
                            `${some(sources)} ${how === 'same' ? 'come to the same figures' : 'begin with the same rows'}`,
                            `if they hold the same twice, take one out: flowlake retract ${sources[1]}`,
                        ),
                    ),
                ...(twins.length > MOST_TWINS
                    ? [warning(check, `${twins.length - MOST_TWINS} more groups like these`, 'take out what counts twice, and look again')]
                    : []),
            ];
            return orOk(check, wrong, 'each counts, and no two of a site come to the same figures or begin alike');
        },
    });
}

/** Groups that are told one by one. */
const MOST_TWINS = 3;

function some(sources: readonly string[]): string {
    return sources.slice(0, 3).join(', ') + (sources.length > 3 ? ` and ${sources.length - 3} more` : '');
}
