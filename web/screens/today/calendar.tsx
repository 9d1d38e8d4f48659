/** A year of days by weeks: darker is more, hatched is a day without figures, and each leads to what changed on it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { withChoices } from '../../parts/link.tsx';
import { groupDigits } from '../../parts/quantity.ts';
import { weekdayOf } from '../../parts/time.tsx';
import { Answer } from '../../shell/answer.tsx';
import { usePage } from '../../use-page.ts';
import type { PartProps } from './part.tsx';

interface CalendarDay {
    day: string;
    is: 'there' | 'missing' | 'unreadable' | 'outside';
    amount?: string;
    sites?: number;
    why?: string;
}

interface CalendarAnswer {
    of: string;
    from: string;
    to: string;
    first: string | null;
    last: string | null;
    days: readonly CalendarDay[];
}

interface CalendarProps extends PartProps {
    /** Kinds of data that the lake has. */
    kinds: readonly string[];
}

const WORDS: Readonly<Record<string, { title: string; unit: string }>> = {
    flows: { title: 'Flows', unit: 'flows' },
    telemetry: { title: 'Readings', unit: 'readings' },
};

const WEEK = 7;

export function Calendar({ day, query, kinds }: CalendarProps) {
    const asked = query.get('of');
    const of = asked !== null && kinds.includes(asked) ? asked : (kinds[0] ?? 'flows');
    const site = query.get('site') ?? undefined;
    const to = query.get('to') ?? undefined;
    const calendar = usePage<CalendarAnswer>('calendar', { of, site, to });
    const { title, unit } = WORDS[of] ?? { title: of, unit: of };
    return (
        <section class="card" aria-labelledby="calendar">
            <div class="calendar-head">
                <h2 id="calendar">
                    {title} by day{site !== undefined && ` of ${site}`}
                </h2>
                <nav aria-label="Calendar" class="day-ways">
                    {kinds.length > 1 &&
                        kinds.map((kind) => (
                            <a key={kind} href={withChoices('/', query, { of: kind })} aria-current={kind === of ? 'true' : undefined}>
                                {WORDS[kind]?.title ?? kind}
                            </a>
                        ))}
                    {site !== undefined && <a href={withChoices('/', query, { site: undefined })}>All sites</a>}
                    {to !== undefined && <a href={withChoices('/', query, { to: undefined })}>Latest year</a>}
                </nav>
            </div>
            <Answer of={calendar}>
                {(found) => (
                    <>
                        <Sentence found={found} unit={unit} />
                        <Grid found={found} unit={unit} day={day} query={query} />
                        <Legend found={found} unit={unit} query={query} />
                    </>
                )}
            </Answer>
        </section>
    );
}

/** The calendar in a sentence: what it shows to who does not see it. */
function Sentence({ found: { days }, unit }: { found: CalendarAnswer; unit: string }) {
    const [there, missing, unreadable] = (['there', 'missing', 'unreadable'] as const).map((is) => days.filter((one) => one.is === is));
    const first = there?.[0]?.day;
    const fault = unreadable?.[0];
    return (
        <>
            <p>
                {first === undefined
                    ? `No ${unit} in this year.`
                    : `${there?.length} ${there?.length === 1 ? 'day' : 'days'} with ${unit}, ${first} to ${there?.at(-1)?.day}; ${missing?.length === 0 ? 'none is missing' : `${missing?.length} missing`}.`}
            </p>
            {fault && (
                <p class="fault">
                    {unreadable?.length} {unreadable?.length === 1 ? 'day' : 'days'} cannot be read, {fault.day} for one: {fault.why}
                </p>
            )}
        </>
    );
}

interface GridProps {
    found: CalendarAnswer;
    unit: string;
    day: string;
    query: URLSearchParams;
}

/** Days that keys lead to from a day. */
const STEPS: Readonly<Record<string, number>> = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -WEEK, ArrowRight: WEEK };

function Grid({ found, unit, day, query }: GridProps) {
    const { days } = found;
    const heat = heatOf(days);
    const last = days.findLastIndex(({ is }) => is !== 'outside');
    const chosen = days.findIndex((one) => one.day === day);
    const [focused, setFocused] = useState<number>();
    const place = useRef<HTMLElement>(null);
    // One day is in the order of tabs, arrows lead to the others: nobody has to step through a year.
    const reachable = focused ?? (chosen >= 0 ? chosen : Math.max(last, 0));
    useEffect(() => {
        // The newest weeks are what is looked for; on a phone they are beyond the edge.
        if (place.current) {
            place.current.scrollLeft = place.current.scrollWidth;
        }
    }, [days]);
    const pressed = (event: KeyboardEvent) => {
        const here = event.target instanceof HTMLElement ? Number(event.target.dataset.at) : Number.NaN;
        const step = event.key === 'Home' ? -here : event.key === 'End' ? last - here : STEPS[event.key];
        if (step === undefined || Number.isNaN(here) || event.ctrlKey || event.metaKey || event.altKey) {
            return;
        }
        event.preventDefault();
        place.current?.querySelector<HTMLElement>(`[data-at="${here + step}"]`)?.focus();
    };
    const weeks = Array.from({ length: days.length / WEEK }, (_, week) => week * WEEK);
    return (
        <section
            class="calendar-scroll"
            ref={place}
            aria-label={`Calendar of ${unit}: arrow keys move from day to day`}
            onKeyDown={pressed}
        >
            <table class="calendar">
                <caption class="hidden">Each day with its {unit}, a column a week</caption>
                <thead>
                    <tr>
                        <th scope="col">
                            <span class="hidden">Weekday</span>
                        </th>
                        {weeks.map((at) => (
                            <th key={at} scope="col">
                                <span class="hidden">Week of {days[at]?.day}</span>
                                <span class="month" aria-hidden="true">
                                    {monthAt(days, at)}
                                </span>
                            </th>
                        ))}
                    </tr>
                </thead>
                <tbody>
                    {Array.from({ length: WEEK }, (_, weekday) => (
                        <tr key={days[weekday]?.day}>
                            <th scope="row" class="weekday">
                                {weekdayOf(days[weekday]?.day ?? '')}
                            </th>
                            {weeks.map((week) => {
                                const at = week + weekday;
                                const one = days[at];
                                return (
                                    <td key={at}>
                                        {one && (
                                            <a
                                                data-at={at}
                                                href={withChoices('/', query, { day: one.day, all: undefined })}
                                                class={`day ${one.is} heat-${heat.get(one.day) ?? 0}`}
                                                tabIndex={at === reachable ? 0 : -1}
                                                aria-current={one.day === day ? 'date' : undefined}
                                                title={sayDay(one, unit)}
                                                aria-label={sayDay(one, unit)}
                                                onFocus={() => setFocused(at)}
                                            >
                                                {one.is === 'unreadable' ? '×' : ''}
                                            </a>
                                        )}
                                    </td>
                                );
                            })}
                        </tr>
                    ))}
                </tbody>
            </table>
        </section>
    );
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The month that begins in the week; `Jan 2026` where a year does. */
function monthAt(days: readonly CalendarDay[], at: number): string {
    const first = days.slice(at, at + WEEK).find(({ day }) => day.endsWith('-01'))?.day;
    const month = first === undefined ? undefined : MONTHS[Number(first.slice(5, 7)) - 1];
    return month === undefined ? '' : first?.slice(5, 7) === '01' ? `${first.slice(0, 4)}` : month;
}

function sayDay({ day, is, amount, sites, why }: CalendarDay, unit: string): string {
    const name = `${weekdayOf(day)} ${day}`;
    switch (is) {
        case 'there':
            return `${name}: ${groupDigits(amount ?? '')} ${unit}, ${sites} ${sites === 1 ? 'site' : 'sites'}`;
        case 'missing':
            return `${name}: no ${unit}`;
        case 'unreadable':
            return `${name}: cannot be read: ${why}`;
        case 'outside':
            return `${name}: before the first or after the last day with ${unit}`;
    }
}

/** Five steps, so that each has about as many days: one large day does not make all others pale. */
const HEATS = 5;

/** The heat of each day, 1 to 5, by the place of its amount among all. Amounts are whole numbers of any size. */
function heatOf(days: readonly CalendarDay[]): ReadonlyMap<string, number> {
    const sorted = sortedAmounts(days);
    return new Map(
        days.flatMap(({ day, amount }): [string, number][] => {
            if (amount === undefined) {
                return [];
            }
            const value = BigInt(amount);
            const below = sorted.filter((other) => other < value).length;
            const equal = sorted.filter((other) => other === value).length;
            return [[day, Math.min(HEATS, Math.floor(((below + equal / 2) / sorted.length) * HEATS) + 1)]];
        }),
    );
}

function sortedAmounts(days: readonly CalendarDay[]): bigint[] {
    return days.flatMap(({ amount }) => (amount === undefined ? [] : [BigInt(amount)])).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function Legend({ found, unit, query }: { found: CalendarAnswer; unit: string; query: URLSearchParams }) {
    const amounts = sortedAmounts(found.days);
    const [least, most] = [amounts[0], amounts.at(-1)];
    const before = new Date(Date.parse(found.from) - 86_400_000).toISOString().slice(0, 10);
    return (
        <div class="calendar-foot">
            <ul class="legend">
                {least !== undefined && most !== undefined && (
                    <li>
                        {groupDigits(String(least))}
                        <span class="heats" aria-hidden="true">
                            {Array.from({ length: HEATS }, (_, at) => (
                                <span key={at} class={`day there heat-${at + 1}`} />
                            ))}
                        </span>
                        {groupDigits(String(most))} {unit}
                    </li>
                )}
                <li>
                    <span class="day missing hatched" aria-hidden="true" />
                    no {unit}
                </li>
                <li>
                    <span class="day unreadable" aria-hidden="true">
                        ×
                    </span>
                    cannot be read
                </li>
            </ul>
            {found.first !== null && found.first < found.from && <a href={withChoices('/', query, { to: before })}>‹ Year before</a>}
        </div>
    );
}
