/** Today: what changed on a day, each with one sentence why; the newest day of the lake where the address names none. */

import { useState } from 'preact/hooks';
import { Link, withChoices } from '../parts/link.tsx';
import { Empty, Title } from '../parts/notes.tsx';
import { Day } from '../parts/time.tsx';
import type { ScreenProps } from '../screen.ts';
import { useAbout } from '../shell/about-context.ts';
import { Answer, Waiting } from '../shell/answer.tsx';
import { usePage } from '../use-page.ts';
import { AlertsOfDay } from './today/alerts-of-day.tsx';
import { Amounts, type TodayAnswer } from './today/amounts.tsx';
import { Attention, Doubts } from './today/attention.tsx';
import { Calendar } from './today/calendar.tsx';
import { Lag } from './today/lag.tsx';
import { News } from './today/news.tsx';
import { UnusualDrift, UnusualHours, UnusualPairs } from './today/unusual.tsx';

interface LakeDays {
    now: number;
    newest: string | null;
    kinds: readonly { kind: string; first: string | null; last: string | null; count: number }[];
}

export default function TodayScreen(props: ScreenProps) {
    const days = usePage<LakeDays>('days');
    return (
        <div class="today">
            <Answer of={days}>
                {(lake) => {
                    const day = props.query.get('day') ?? lake.newest;
                    return day === null ? <NothingYet /> : <DayOfLake {...props} lake={lake} day={day} />;
                }}
            </Answer>
        </div>
    );
}

function NothingYet() {
    const { lake } = useAbout();
    return (
        <>
            <Title>Today</Title>
            <Empty title="This lake has no figures yet">
                <p>
                    Files of flows go in by <code>flowlake --lake {lake} upload FILES</code>, messages of devices by{' '}
                    <code>flowlake --lake {lake} serve</code>.
                </p>
            </Empty>
            <Lag />
            <Attention />
            <Doubts />
        </>
    );
}

interface DayProps extends ScreenProps {
    lake: LakeDays;
    day: string;
}

function DayOfLake({ lake, day, ...props }: DayProps) {
    const today = usePage<TodayAnswer>('today', { day });
    const [isChangedKnown, setChangedKnown] = useState(false);
    const kinds = lake.kinds.filter(({ count }) => count > 0).map(({ kind }) => kind);
    // While it is not known what there is on the day, all is asked for.
    const hasAny = (kind: 'flows' | 'telemetry'): boolean =>
        kinds.includes(kind) && (today.state !== 'ready' || (today.data[kind]?.siteCount ?? 0) > 0);
    const part = { ...props, day };
    return (
        <>
            <Title more={<DayChoice {...part} newest={lake.newest} now={lake.now} />}>{day === lake.newest ? 'Today' : day}</Title>
            <Amounts {...part} today={today} kinds={kinds} />
            <Calendar {...part} kinds={kinds} />
            {/* What is beyond the first screenful waits for it: a browser asks few things at once. */}
            {today.state !== 'loading' && (
                <>
                    <section class="card" aria-labelledby="changed">
                        <h2 id="changed">What changed</h2>
                        <p>
                            Against days like it before.{' '}
                            <Link
                                to="/compare"
                                query={{ before_from: dayBefore(day, 7), before_to: dayBefore(day, 7), from: day, to: day }}
                            >
                                Compare it with the same day of the week before
                            </Link>
                        </p>
                        {!hasAny('flows') && !hasAny('telemetry') && <p>Nothing can be compared: the lake has no figures of this day.</p>}
                        <div class="changes">
                            {hasAny('flows') && (
                                <div>
                                    <UnusualPairs {...part} onKnown={() => setChangedKnown(true)} />
                                    <News {...part} of="pairs" />
                                </div>
                            )}
                            {hasAny('telemetry') && (
                                <div>
                                    <UnusualHours {...part} />
                                    <UnusualDrift {...part} />
                                    <News {...part} of="devices" />
                                </div>
                            )}
                        </div>
                    </section>
                    {kinds.includes('telemetry') && <AlertsOfDay {...part} />}
                    <Lag />
                    <Doubts />
                    {/* It looks at every object of the lake: what is quicker goes first. */}
                    {isChangedKnown || !hasAny('flows') ? <Attention /> : <Waiting />}
                </>
            )}
        </>
    );
}

const DAY_MS = 86_400_000;

interface ChoiceProps extends ScreenProps {
    day: string;
    newest: string | null;
    now: number;
}

/** Which day it is, how long ago that was, and the ways to others. */
function DayChoice({ day, newest, now, query, go }: ChoiceProps) {
    const ago = Math.floor((now - Date.parse(day)) / DAY_MS);
    const addressOf = (to: string) => withChoices('/', query, { day: to === newest ? undefined : to, all: undefined });
    return (
        <div class="day-choice">
            <span>
                <strong>
                    <Day day={day} />
                </strong>
                , {sayAgo(ago)}
                {day === newest && ago > 1 && <span>, the newest day of the lake</span>}
            </span>
            <nav aria-label="Other days" class="day-ways">
                <a href={addressOf(dayBefore(day, 1))}>‹ Day before</a>
                <label>
                    <span class="hidden">Day</span>
                    <input
                        type="date"
                        value={day}
                        onChange={({ currentTarget: { value } }) =>
                            value !== '' &&
                            go('/', { ...Object.fromEntries(query), day: value === newest ? undefined : value, all: undefined })
                        }
                    />
                </label>
                {newest !== null && day < newest ? (
                    <a href={addressOf(dayBefore(day, -1))}>Day after ›</a>
                ) : (
                    <span class="off">Day after ›</span>
                )}
                {day !== newest && newest !== null && <a href={addressOf(newest)}>Newest</a>}
            </nav>
        </div>
    );
}

/** The day so many days before; behind it, where `count` is below 0. */
function dayBefore(day: string, count: number): string {
    return new Date(Date.parse(day) - count * DAY_MS).toISOString().slice(0, 10);
}

function sayAgo(days: number): string {
    return days < 0 ? 'in the future' : days === 0 ? 'today' : days === 1 ? 'yesterday' : `${days} days ago`;
}
