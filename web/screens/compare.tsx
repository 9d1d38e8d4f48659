/** Two periods beside each other: what is new, gone, grown and shrunk, by pair, device or site, and what goes from site to site. */
import { Choices } from '../parts/choices.tsx';
import { type Filter, Filters } from '../parts/filters.tsx';
import { withChoices } from '../parts/link.tsx';
import { Empty, Note, Title } from '../parts/notes.tsx';
import type { Query, ScreenProps } from '../screen.ts';
import { Answer } from '../shell/answer.tsx';
import { usePage } from '../use-page.ts';
import { Changed } from './compare/changed.tsx';
import { type Compared, MEASURES, SUBJECTS, type TotalsAnswer } from './compare/compare-answer.ts';
import { SiteMatrix } from './compare/site-matrix.tsx';
import { Totals } from './compare/totals.tsx';
import { addDays } from './pair/pair-answer.ts';
import { NoFlowsYet } from './pairs/no-flows.tsx';
import { useSiteFilter } from './pairs/site-filter.ts';

const PATH = '/compare';

/** Choices that are of other rows once something else has changed. */
const PLACES = ['after', 'before'];

const PERIODS: readonly Filter[] = [
    { name: 'before_from', label: 'Before: from', kind: 'day' },
    { name: 'before_to', label: 'to', kind: 'day' },
    { name: 'from', label: 'After: from', kind: 'day' },
    { name: 'to', label: 'to', kind: 'day' },
];

/** Periods that are compared often: so many days against as many before them. */
const USUAL_PERIODS = [
    { days: 1, title: 'a day' },
    { days: 7, title: 'a week' },
    { days: 28, title: 'four weeks' },
];

interface LakeDays {
    kinds: readonly { kind: string; last: string | null }[];
}

export default function CompareScreen(props: ScreenProps) {
    const days = usePage<LakeDays>('days');
    return (
        <div class="compare">
            <Title>Compare</Title>
            <Answer of={days}>
                {({ kinds }) => {
                    const last = kinds.find(({ kind }) => kind === 'flows')?.last ?? null;
                    return last === null ? <NoFlowsYet /> : <Comparison {...props} last={last} />;
                }}
            </Answer>
        </div>
    );
}

/** A period of so many days up to `to`, and one of as many before it. */
function periodsUntil(to: string, days: number): { from: string; to: string; before_from: string; before_to: string } {
    const from = addDays(to, 1 - days);
    return { from, to, before_from: addDays(from, -days), before_to: addDays(from, -1) };
}

const WEEK = 7;

function Comparison({ last, ...props }: ScreenProps & { last: string }) {
    const { query } = props;
    const usual = periodsUntil(last, WEEK);
    const of = (name: keyof typeof usual): string => query.get(name) ?? usual[name];
    const compared: Compared = {
        from: of('from'),
        to: of('to'),
        before_from: of('before_from'),
        before_to: of('before_to'),
        site: query.get('site') ?? undefined,
        measure: MEASURES.find(({ name }) => name === query.get('measure')) ?? MEASURES[0],
        by: SUBJECTS.find(({ name }) => name === query.get('by')) ?? SUBJECTS[0],
    };
    // The fields show the days that are compared, also where the address names none.
    const shown = new URLSearchParams(query);
    for (const name of ['from', 'to', 'before_from', 'before_to'] as const) {
        shown.set(name, compared[name]);
    }
    const site = useSiteFilter();
    const link = (changes: Query): string => withChoices(PATH, query, { after: undefined, before: undefined, ...changes });
    const view = { ...props, path: PATH, compared };
    return (
        <>
            <div class="compare-choices">
                <Choices
                    label="Compare"
                    choices={USUAL_PERIODS.map(({ days, title }) => {
                        const periods = periodsUntil(last, days);
                        const isChosen = (Object.keys(periods) as (keyof typeof periods)[]).every(
                            (name) => periods[name] === compared[name],
                        );
                        return { title: `${title} with the one before`, address: link(periods), isChosen };
                    })}
                />
                <Choices
                    label="By"
                    choices={SUBJECTS.map((one) => ({
                        title: one.title,
                        address: link({ by: one.name, sort: undefined }),
                        isChosen: one === compared.by,
                    }))}
                />
                <Choices
                    label="Measure"
                    choices={MEASURES.map((one) => ({
                        title: one.title,
                        address: link({ measure: one.name }),
                        isChosen: one === compared.measure,
                    }))}
                />
            </div>
            <Filters {...props} query={shown} path={PATH} filters={[...PERIODS, site]} resets={PLACES} />
            <Results {...view} link={link} />
        </>
    );
}

interface ResultsProps extends ScreenProps {
    path: string;
    compared: Compared;
    link(changes: Query): string;
}

function Results(props: ResultsProps) {
    const { compared, link } = props;
    const { by, measure, ...periods } = compared;
    const totals = usePage<TotalsAnswer>('compare-totals', { ...periods, by: by.name, measure: measure.name });
    return (
        <Answer of={totals}>
            {(answer) => {
                if (answer.state === 'no_flows') {
                    return <NoFlowsYet />;
                }
                if (answer.state === 'no_days') {
                    return (
                        <Empty title="No flows in either period">
                            <p>
                                The lake has flows from {answer.first} to {answer.last}.{' '}
                                <a href={link({ from: undefined, to: undefined, before_from: undefined, before_to: undefined })}>
                                    Compare its last week with the one before
                                </a>
                                .
                            </p>
                        </Empty>
                    );
                }
                return (
                    <>
                        <Coverage {...answer} />
                        <Totals {...props} answer={answer} />
                        <Changed {...props} answer={answer} />
                        <SiteMatrix compared={compared} />
                    </>
                );
            }}
        </Answer>
    );
}

/** Says where a period has days without flows, or fewer days: it is smaller for that alone. */
function Coverage({ before, after }: Extract<TotalsAnswer, { state: 'found' }>) {
    if (before.there === after.there && before.there === before.asked && after.there === after.asked) {
        return null;
    }
    const say = (name: string, { from, to, there, asked }: typeof before): string =>
        `${name}, ${from} to ${to}: flows of ${there} of ${asked === 1 ? '1 day' : `${asked} days`}`;
    return (
        <Note kind={before.there === 0 || after.there === 0 ? 'warning' : 'info'}>
            <p>
                {say('Before', before)}. {say('After', after)}.{' '}
                {before.there === after.there ? 'Days without a file count nowhere.' : 'The periods differ for that alone.'}
            </p>
        </Note>
    );
}
