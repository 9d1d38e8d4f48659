/** What the devices of each profile and site say together, and how many of them were in alert. */
import { useMemo } from 'preact/hooks';
import type { FleetHistory } from '../../../lake/pages/fleet-history.ts';
import type { FleetHours } from '../../../lake/pages/fleet-hours.ts';
import { Bar } from '../../parts/bar.tsx';
import { Figure, Mean, roundTo } from '../../parts/figure.tsx';
import { Filters } from '../../parts/filters.tsx';
import { Empty } from '../../parts/notes.tsx';
import { Table } from '../../parts/table.tsx';
import { TimeChart } from '../../parts/time-chart.tsx';
import { Answer } from '../../shell/answer.tsx';
import { addressOf } from '../../shell/router.ts';
import { usePage } from '../../use-page.ts';
import type { FleetProps } from './fleet-props.ts';
import { withDays } from './with-days.ts';

const HOUR_MS = 3_600_000;

/** Lines that a chart can have before nobody tells them apart. */
const MAX_LINES = 6;

export function Averages({ query, go, from, to }: FleetProps) {
    const read = (name: string) => query.get(name) ?? undefined;
    const hours = usePage<FleetHours>('fleet-hours', { from, to, site: read('site'), metric: read('metric') });
    const groups = usePage<FleetHistory>('fleet-history', { from, to, at: read('at'), site: read('site'), limit: '1' });
    return (
        <Answer of={hours}>
            {(fleet) => (
                <>
                    <Filters
                        {...{ path: '/fleet', query: withDays(query, { from, to }), go }}
                        filters={[
                            {
                                name: 'metric',
                                label: 'Metric',
                                kind: 'choice',
                                none: 'of most devices',
                                options: fleet.metrics.map((value) => ({ value, title: value })),
                            },
                            { name: 'site', label: 'Site', kind: 'search', placeholder: 'all' },
                            { name: 'from', label: 'From', kind: 'day' },
                            { name: 'to', label: 'to', kind: 'day' },
                        ]}
                    />
                    {fleet.metric === null || fleet.sites.length === 0 ? (
                        <Empty title="Nothing was measured in these days" />
                    ) : (
                        <>
                            <HourCharts fleet={fleet} metric={fleet.metric} />
                            <Answer of={groups}>
                                {(history) => <Groups {...{ fleet, history, from, to, metric: fleet.metric ?? '' }} />}
                            </Answer>
                        </>
                    )}
                </>
            )}
        </Answer>
    );
}

function HourCharts({ fleet, metric }: { fleet: FleetHours; metric: string }) {
    // A plot is drawn anew where these are others.
    const { times, means, rates } = useMemo(() => linesOf(fleet.sites.slice(0, MAX_LINES)), [fleet]);
    return (
        <>
            {fleet.sites.length > MAX_LINES && (
                <p>
                    The first {MAX_LINES} of {fleet.sites.length} sites are drawn; the table below has all.
                </p>
            )}
            <TimeChart title={`Average of ${metric} over a site’s devices, by the hour`} times={times} isFromZero={false} series={means} />
            <TimeChart
                title="Share of the reporting devices of which an alert began, by the hour"
                times={times}
                height={170}
                series={rates}
            />
        </>
    );
}

function linesOf(sites: FleetHours['sites']) {
    const all = sites.flatMap(({ hourMs }) => hourMs);
    const [first, last] = [Math.min(...all), Math.max(...all)];
    // Every hour is there: what was not measured is a gap.
    const times = Array.from({ length: (last - first) / HOUR_MS + 1 }, (_, at) => first + at * HOUR_MS);
    const lineOf = ({ site, hourMs }: FleetHours['sites'][number], values: readonly (number | null)[]) => {
        const byHour = new Map(hourMs.map((ms, at) => [ms, values[at] ?? null]));
        return { title: site, values: times.map((ms) => byHour.get(ms) ?? null), look: 'line' as const };
    };
    return { times, means: sites.map((site) => lineOf(site, site.mean)), rates: sites.map((site) => lineOf(site, site.alertRate)) };
}

interface GroupsProps {
    fleet: FleetHours;
    history: FleetHistory;
    metric: string;
    from: string;
    to: string;
}

function Groups({ fleet, history, metric, from, to }: GroupsProps) {
    const means = new Map(fleet.groups.map((group) => [`${group.profile} ${group.site}`, group]));
    return (
        <Table
            caption={`By profile and site, ${from} to ${to}`}
            isCaptionShown
            rows={history.groups}
            keyOf={({ profile, site }) => `${profile} ${site}`}
            columns={[
                { name: 'profile', title: 'Profile', cell: ({ profile }) => profile ?? 'not known' },
                {
                    name: 'site',
                    title: 'Site',
                    cell: ({ profile, site }) => (
                        <a href={addressOf('/fleet', { site, profile: profile ?? undefined, from, to, source: 'history' })}>{site}</a>
                    ),
                },
                { name: 'heard', title: 'Devices heard', isNumber: true, cell: ({ heard }) => <Figure value={String(heard)} /> },
                {
                    name: 'rate',
                    title: 'Had an alert',
                    cell: ({ alertRate, alerted }) =>
                        alertRate === null ? '–' : <Bar share={alertRate} label={`${roundTo(alertRate * 100, 3)} % (${alerted})`} />,
                },
                { name: 'alerts', title: 'Alerts', isNumber: true, cell: ({ alerts }) => <Figure value={String(alerts)} /> },
                {
                    name: 'mean',
                    title: `Average ${metric}`,
                    isNumber: true,
                    cell: ({ profile, site }) => <Mean value={means.get(`${profile} ${site}`)?.mean} />,
                },
                {
                    name: 'n',
                    title: 'Readings of it',
                    isNumber: true,
                    cell: ({ profile, site }) => <Figure value={means.get(`${profile} ${site}`)?.n} />,
                },
            ]}
        />
    );
}
