/** One pair: is a day of it odd, how has it developed there and back, which devices are it, and from which files a day comes. */
import { Choices } from '../parts/choices.tsx';
import { type Filter, Filters } from '../parts/filters.tsx';
import { Link, withChoices } from '../parts/link.tsx';
import { Empty, Note, Title } from '../parts/notes.tsx';
import { PairName } from '../parts/pair-name.tsx';
import { Day } from '../parts/time.tsx';
import type { ScreenProps } from '../screen.ts';
import { Answer } from '../shell/answer.tsx';
import { usePage } from '../use-page.ts';
import { PairCharts } from './pair/charts.tsx';
import { DayVerdict } from './pair/day-verdict.tsx';
import { DownloadDays } from './pair/download.tsx';
import { Ends } from './pair/ends.tsx';
import { FilesOfDay } from './pair/files.tsx';
import { MEASURES, type Measure, type PairAnswer, type PairFound, wayOf } from './pair/pair-answer.ts';
import { UnusualDays } from './pair/unusual-days.tsx';
import { NoFlowsYet } from './pairs/no-flows.tsx';

const PATH = '/pair';

const FILTERS: readonly Filter[] = [
    { name: 'day', label: 'Is this day odd?', kind: 'day' },
    { name: 'from', label: 'From', kind: 'day' },
    { name: 'to', label: 'To', kind: 'day' },
];

export default function PairScreen(props: ScreenProps) {
    const { query } = props;
    const [src, dst] = [query.get('src') ?? '', query.get('dst') ?? ''];
    if (src === '' || dst === '') {
        return (
            <>
                <Title>Pair</Title>
                <Empty title="Which pair?">
                    <p>
                        The address of this view names none. <a href="/pairs">Look for one among all pairs</a>.
                    </p>
                </Empty>
            </>
        );
    }
    return <Pair {...props} src={src} dst={dst} />;
}

function Pair({ src, dst, ...props }: ScreenProps & { src: string; dst: string }) {
    const { query } = props;
    const site = query.get('site') ?? undefined;
    const asked = { src, dst, site, from: query.get('from') ?? undefined, to: query.get('to') ?? undefined };
    const page = usePage<PairAnswer>('pair', asked);
    return (
        <div class="pair">
            <Title
                more={
                    <a href={withChoices(PATH, query, { src: dst, dst: src, day: undefined })}>
                        Turn round: <PairName src={dst} dst={src} />
                    </a>
                }
            >
                <PairName src={src} dst={dst} />
                {site !== undefined && <small> at {site}</small>}
            </Title>
            <Answer of={page}>{(answer) => <Shown {...props} answer={answer} />}</Answer>
        </div>
    );
}

function Shown({ answer, ...props }: ScreenProps & { answer: PairAnswer }) {
    const { query } = props;
    switch (answer.state) {
        case 'no_flows':
            return <NoFlowsYet />;
        case 'unknown':
            return <Unknown {...answer} />;
        case 'sites':
            return (
                <Empty title="Several sites tell of this pair">
                    <p>Addresses of two sites are two devices. Which one?</p>
                    <ul>
                        {answer.sites.map(({ site, days, first, last }) => (
                            <li key={site}>
                                <a href={withChoices(PATH, query, { site })}>{site}</a>: {days === 1 ? '1 day' : `${days} days`}, {first} to{' '}
                                {last}
                            </li>
                        ))}
                    </ul>
                </Empty>
            );
        case 'no_days':
            return (
                <>
                    <Filters {...props} path={PATH} filters={FILTERS} resets={['day']} />
                    <Empty title="Nothing of this pair on these days">
                        <p>
                            It has {answer.days === 1 ? '1 day' : `${answer.days} days`}, from {answer.first} to {answer.last}, at site{' '}
                            {answer.site}.{' '}
                            <a href={withChoices(PATH, query, { from: undefined, to: undefined, day: undefined })}>Look at all of them</a>.
                        </p>
                    </Empty>
                </>
            );
        case 'found':
            return <Found {...props} answer={answer} />;
    }
}

function Unknown({ src, dst, site }: Extract<PairAnswer, { state: 'unknown' }>) {
    const nearest = usePage<{ pairs: readonly Readonly<Record<'site' | 'src' | 'dst' | 'likeness' | 'days', string>>[] }>('nearest-pairs', {
        src,
        dst,
    });
    return (
        <Empty title={`No flow of this pair is known${site === null ? '' : ` at site ${site}`}`}>
            <p>
                No file of this lake has one from {src} to {dst}. The nearest pairs that there are:
            </p>
            <Answer of={nearest}>
                {({ pairs }) => (
                    <ul>
                        {pairs.map((pair) => (
                            <li key={`${pair.site} ${pair.src} ${pair.dst}`}>
                                <Link to={PATH} query={{ src: pair.src, dst: pair.dst, site: pair.site }}>
                                    <PairName src={pair.src} dst={pair.dst} />
                                </Link>{' '}
                                at {pair.site} ({pair.likeness})
                            </li>
                        ))}
                    </ul>
                )}
            </Answer>
        </Empty>
    );
}

function Found({ answer, ...props }: ScreenProps & { answer: PairFound }) {
    const { query } = props;
    const measure: Measure = MEASURES.find(({ name }) => name === query.get('measure')) ?? MEASURES[0];
    const way = wayOf(answer, query.get('way'));
    const days = [...new Set([...answer.there, ...answer.back].map(({ day }) => day))].sort();
    const day = query.get('day') ?? days.at(-1) ?? answer.range.to;
    const view = { ...props, path: PATH, answer, measure, way, day };
    return (
        <>
            <DayVerdict {...view} />
            {answer.problem !== null && (
                <Note kind="warning">
                    <p>There are no running figures: {answer.problem}</p>
                </Note>
            )}
            <div class="pair-choices">
                <Choices
                    label="Measure"
                    choices={MEASURES.map((one) => ({
                        title: one.title,
                        address: withChoices(PATH, query, { measure: one.name }),
                        isChosen: one === measure,
                    }))}
                />
                <Choices
                    label="Usual of"
                    choices={(['there', 'back'] as const).map((one) => ({
                        title: one === 'there' ? `${answer.src} → ${answer.dst}` : `${answer.dst} → ${answer.src}`,
                        address: withChoices(PATH, query, { way: one }),
                        isChosen: way.name === one,
                    }))}
                />
                <Filters {...props} path={PATH} filters={FILTERS} resets={['day']} />
            </div>
            <PairCharts {...view} />
            <UnusualDays {...view} />
            <FilesOfDay {...view} />
            <Ends answer={answer} />
            <section class="card" aria-labelledby="take-along">
                <h2 id="take-along">Take it along</h2>
                <p>
                    <DownloadDays answer={answer} />: {answer.there.length} days there and {answer.back.length} back, every figure with all
                    its digits.
                </p>
                <p>
                    The same as a page that opens from a mail: <code>{answer.commands[way.name]}</code>
                </p>
                <p>
                    <Link to="/compare" query={{ by: 'pair', site: answer.site }}>
                        Compare two periods of all pairs at {answer.site}
                    </Link>
                </p>
                <p class="range">
                    Shown: <Day day={answer.range.from} /> to <Day day={answer.range.to} />. At {answer.site} the pair has {answer.days}{' '}
                    days of flows, from {answer.first} to {answer.last}.
                </p>
            </section>
        </>
    );
}
