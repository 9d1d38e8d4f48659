/** Devices as history has them, those with the most trouble first for who looks for the worst. */
import type { FleetHistory } from '../../../lake/pages/fleet-history.ts';
import { StateMark } from '../../parts/device-marks.tsx';
import { Figure } from '../../parts/figure.tsx';
import { Filters } from '../../parts/filters.tsx';
import { withChoices } from '../../parts/link.tsx';
import { Empty, Note } from '../../parts/notes.tsx';
import { Table } from '../../parts/table.tsx';
import { Day, Instant, sayAgo, sayDuration } from '../../parts/time.tsx';
import { useAbout } from '../../shell/about-context.ts';
import { Answer } from '../../shell/answer.tsx';
import { addressOf } from '../../shell/router.ts';
import { usePage } from '../../use-page.ts';
import { deviceAddress } from './device-address.ts';
import type { FleetProps } from './fleet-props.ts';
import { Lines, useLines } from './lines.tsx';
import { StateCounts } from './state-counts.tsx';
import { withDays } from './with-days.ts';
import { Worst } from './worst.tsx';

const PAGE = 50;

/** A lake whose newest reading is older is one that gets no more. */
const OLD_MS = 2 * 86_400_000;

const STATES = ['online', 'silent', 'unknown'] as const;

export function HistoryDevices(props: FleetProps) {
    const { query, go, from, to } = props;
    const { hasLive } = useAbout();
    const read = (name: string) => query.get(name) ?? undefined;
    const sort = read('sort') ?? 'device';
    const page = Number(read('page') ?? 1);
    const chosen = { profile: read('profile'), site: read('site'), prefix: read('prefix') };
    const at = read('at');
    const history = usePage<FleetHistory>('fleet-history', {
        ...{ from, to, ...chosen, at, sort, state: read('state'), limit: String(PAGE), page: String(page) },
    });
    return (
        <Answer of={history}>
            {(fleet) => (
                <>
                    <About fleet={fleet} from={from} to={to} query={query} hasLive={hasLive} />
                    <StateCounts counts={countsOf(fleet)} query={query} states={STATES} />
                    <Worst from={from} to={to} at={at} {...chosen} />
                    <Filters
                        {...{ path: '/fleet', query: withDays(query, { from, to }), go }}
                        resets={['page', 'after']}
                        filters={[
                            { name: 'prefix', label: 'Device begins with', kind: 'search', placeholder: 'thermo' },
                            { name: 'state', label: 'State', kind: 'choice', options: STATES.map((value) => ({ value, title: value })) },
                            {
                                name: 'profile',
                                label: 'Profile',
                                kind: 'choice',
                                options: fleet.profiles.map((value) => ({ value, title: value })),
                            },
                            { name: 'site', label: 'Site', kind: 'choice', options: fleet.sites.map((value) => ({ value, title: value })) },
                            { name: 'from', label: 'Heard from', kind: 'day' },
                            { name: 'to', label: 'to', kind: 'day' },
                        ]}
                    />
                    {fleet.devices.length === 0 ? (
                        <Empty title="No device is like that" />
                    ) : (
                        <Devices {...{ fleet, sort, page, query, from, to }} />
                    )}
                </>
            )}
        </Answer>
    );
}

function About({
    fleet,
    from,
    to,
    query,
    hasLive,
}: {
    fleet: FleetHistory;
    from: string;
    to: string;
    query: URLSearchParams;
    hasLive: boolean;
}) {
    const isOld = fleet.newestMs !== null && query.get('at') === null && fleet.atMs - fleet.newestMs > OLD_MS;
    return (
        <>
            <p class="about-view">
                As history has it: heard from <Day day={from} /> to <Day day={to} />, registered, or silent since before.{' '}
                {hasLive ? (
                    <a href={withChoices('/fleet', query, { source: undefined, sort: undefined, at: undefined, page: undefined })}>
                        As it is now
                    </a>
                ) : (
                    'Nobody serves this lake, so there is no latest state.'
                )}
            </p>
            {isOld && (
                <Note>
                    <p>
                        The newest reading is of <Instant ms={fleet.newestMs} />: by now whoever had to report is silent.{' '}
                        <a href={withChoices('/fleet', query, { at: 'end', page: undefined })}>The fleet as it was then</a>
                    </p>
                </Note>
            )}
            {query.get('at') === 'end' && fleet.newestMs !== null && (
                <Note>
                    <p>
                        As it was at the newest reading, <Instant ms={fleet.newestMs} />.{' '}
                        <a href={withChoices('/fleet', query, { at: undefined, page: undefined })}>As of now</a>
                    </p>
                </Note>
            )}
        </>
    );
}

function countsOf({ groups }: FleetHistory) {
    const sum = (pick: (group: FleetHistory['groups'][number]) => number) => groups.reduce((total, group) => total + pick(group), 0);
    return { online: sum((group) => group.online), late: 0, silent: sum((group) => group.silent), unknown: sum((group) => group.unknown) };
}

interface DevicesProps {
    fleet: FleetHistory;
    sort: string;
    page: number;
    query: URLSearchParams;
    from: string;
    to: string;
}

type Row = FleetHistory['devices'][number];

function Devices({ fleet, sort, page, query, from, to }: DevicesProps) {
    const lines = useLines(
        to,
        fleet.devices.map(({ device }) => device),
    );
    const first = (page - 1) * PAGE + 1;
    const pageAddress = (other: number) => withChoices('/fleet', query, { page: other === 1 ? undefined : String(other) });
    return (
        <Table
            caption="Devices of the fleet"
            rows={fleet.devices}
            keyOf={({ site, device }: Row) => `${site}/${device}`}
            sort={sort}
            sortAddress={(other) => withChoices('/fleet', query, { sort: other, page: undefined })}
            pages={{
                label: `${first} to ${first + fleet.devices.length - 1} of ${fleet.count}`,
                previous: page > 1 ? pageAddress(page - 1) : undefined,
                next: page * PAGE < fleet.count ? pageAddress(page + 1) : undefined,
            }}
            columns={[
                {
                    name: 'device',
                    title: 'Device',
                    isSortable: true,
                    cell: ({ device, site }: Row) => (
                        <a class="device-id" href={deviceAddress({ device, site, from, to })}>
                            {device}
                        </a>
                    ),
                },
                { name: 'state', title: 'State', cell: ({ state }: Row) => <StateMark state={state} /> },
                { name: 'profile', title: 'Profile', cell: ({ profile }: Row) => <span class="one-line">{profile ?? '–'}</span> },
                {
                    name: 'site',
                    title: 'Site',
                    cell: ({ site, place }: Row) => (
                        <>
                            {site}
                            {place !== null && <div class="small place-text">{place}</div>}
                        </>
                    ),
                },
                {
                    name: 'last',
                    title: 'Last reading',
                    isSortable: true,
                    cell: ({ lastMs }: Row) =>
                        lastMs === null ? (
                            <span class="missing">not since {from}</span>
                        ) : (
                            <>
                                <Instant ms={lastMs} />
                                <div class="small">{sayAgo(lastMs, fleet.atMs)}</div>
                            </>
                        ),
                },
                {
                    name: 'line',
                    title: <>Hours of {to}</>,
                    cell: ({ site, device }: Row) => <Lines of={lines} site={site} device={device} />,
                },
                {
                    name: 'battery',
                    title: 'Battery',
                    isNumber: true,
                    isSortable: true,
                    cell: ({ battery }: Row) => <Figure value={battery} />,
                },
                {
                    name: 'alerts',
                    title: 'Alerts',
                    isNumber: true,
                    isSortable: true,
                    cell: ({ alerts, openAlerts, device }: Row) =>
                        alerts === 0 ? (
                            <Figure value="0" />
                        ) : (
                            <a href={addressOf('/alerts', { device, source: 'history', from, to })}>
                                {alerts}
                                {openAlerts > 0 && `, ${openAlerts} open`}
                            </a>
                        ),
                },
                {
                    name: 'troubled',
                    title: 'In alert or silent',
                    isNumber: true,
                    isSortable: true,
                    cell: ({ troubledMs }: Row) => (troubledMs === 0 ? <Figure value="0" /> : sayDuration(troubledMs)),
                },
            ]}
        />
    );
}
