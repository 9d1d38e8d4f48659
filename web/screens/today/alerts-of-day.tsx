/** Alerts and silences that the day has seen. */
import { Figure } from '../../parts/figure.tsx';
import { Link, withChoices } from '../../parts/link.tsx';
import { Instant, sayDuration } from '../../parts/time.tsx';
import { Answer } from '../../shell/answer.tsx';
import { usePage } from '../../use-page.ts';
import { ALL, DeviceLink, FEW, limitOf, type PartProps } from './part.tsx';

interface Episode {
    state: 'open' | 'ended';
    severity: string;
    site: string;
    device: string;
    rule: string;
    kind: string;
    worst: string | null;
    readings: string;
    why: string;
    beganMs: number;
    endedMs: number | null;
}

interface AlertsAnswer {
    day: string;
    counts: readonly { kind: string; severity: string; episodes: number; open: number; began: number; openNow: number }[];
    rows: readonly Episode[];
}

const NAME = 'alerts';

export function AlertsOfDay({ day, query }: PartProps) {
    const alerts = usePage<AlertsAnswer>('alerts-of-day', { day, limit: limitOf(NAME, query) });
    return (
        <section class="card" aria-labelledby="alerts">
            <h2 id="alerts">Alerts and silences</h2>
            <Answer of={alerts}>
                {({ counts, rows }) => {
                    const sum = (kind: string, name: 'episodes' | 'open' | 'began' | 'openNow') =>
                        counts.reduce((total, one) => total + (one.kind === kind ? one[name] : 0), 0);
                    const total = sum('alert', 'episodes') + sum('silent', 'episodes');
                    const isAll = query.get('all') === NAME;
                    return (
                        <>
                            <p>
                                {total === 0
                                    ? 'None on this day. '
                                    : `${sayCount(sum('alert', 'episodes'), 'alert')} (${sum('alert', 'began')} began on this day, ${sum('alert', 'open')} not over) and ${sayCount(sum('silent', 'episodes'), 'silence')} (${sum('silent', 'began')} began). `}
                                Now{' '}
                                <Link to="/alerts" query={{ state: 'open' }}>
                                    {sayCount(sum('alert', 'openNow'), 'alert')} open
                                </Link>
                                , {sayCount(sum('silent', 'openNow'), 'device')} silent.{' '}
                                <Link to="/alerts" query={{ source: 'history', from: day, to: day }}>
                                    All of this day
                                </Link>
                            </p>
                            {rows.length > 0 && (
                                <ul class="episodes">
                                    {rows.map((row) => (
                                        <li key={`${row.site} ${row.device} ${row.rule} ${row.beganMs}`}>
                                            <span class={`severity is-${row.kind === 'silent' ? 'silent' : row.severity}`}>
                                                {row.kind === 'silent' ? 'silent' : row.severity}
                                            </span>{' '}
                                            <span class="subject">
                                                <DeviceLink site={row.site} device={row.device} /> <span class="site">{row.site}</span>
                                            </span>
                                            <span class="why">
                                                {row.why}
                                                {row.worst !== null && (
                                                    <>
                                                        ; at worst <Figure value={plain(row.worst)} />
                                                    </>
                                                )}
                                                ; from <Instant ms={row.beganMs} />{' '}
                                                {row.endedMs === null ? 'on, not over' : `for ${sayDuration(row.endedMs - row.beganMs)}`}
                                            </span>
                                        </li>
                                    ))}
                                </ul>
                            )}
                            {(total > rows.length || isAll) && (
                                <p class="more">
                                    <a href={withChoices('/', query, { all: isAll ? undefined : NAME })}>
                                        {isAll ? `Show the first ${FEW}` : `Show more of ${total}`}
                                    </a>
                                    {isAll && total > rows.length && <span> These are the first {ALL}.</span>}
                                </p>
                            )}
                        </>
                    );
                }}
            </Answer>
        </section>
    );
}

function sayCount(count: number, noun: string): string {
    return `${count} ${count === 1 ? noun : `${noun}s`}`;
}

/** Decimal text without the zeros at its end. */
function plain(text: string): string {
    return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
