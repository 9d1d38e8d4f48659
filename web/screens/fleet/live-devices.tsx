/** Devices as they are now. */
import type { FleetLive } from '../../../lake/pages/fleet-live.ts';
import { DEVICE_STATES, SeverityMark, StateMark } from '../../parts/device-marks.tsx';
import { Figure } from '../../parts/figure.tsx';
import { Filters } from '../../parts/filters.tsx';
import { withChoices } from '../../parts/link.tsx';
import { Empty, Note } from '../../parts/notes.tsx';
import { Table } from '../../parts/table.tsx';
import { Instant, sayAgo } from '../../parts/time.tsx';
import { useEvents } from '../../parts/use-events.ts';
import { Answer } from '../../shell/answer.tsx';
import { addressOf } from '../../shell/router.ts';
import { usePage } from '../../use-page.ts';
import { deviceAddress } from './device-address.ts';
import type { FleetProps } from './fleet-props.ts';
import { FollowMark } from './follow-mark.tsx';
import { Lines, useLines } from './lines.tsx';
import { StateCounts } from './state-counts.tsx';
import { Worst } from './worst.tsx';

const PAGE = 50;

type Live = Extract<FleetLive, { isLive: true }>;
type Row = Live['devices'][number];

export function LiveDevices(props: FleetProps) {
    const { query, go, from, to } = props;
    const read = (name: string) => query.get(name) ?? undefined;
    const chosen = { profile: read('profile'), site: read('site'), prefix: read('prefix') };
    const now = usePage<FleetLive>('fleet-live', { ...chosen, state: read('state'), after: read('after'), limit: String(PAGE) });
    const again = () => {
        if (now.state === 'ready' || now.state === 'failed') {
            now.again();
        }
    };
    const following = useEvents(['latest', 'raised', 'cleared', 'pipeline_late', 'pipeline_on_time'], again);
    return (
        <Answer of={now}>
            {(answer) =>
                answer.isLive === false ? (
                    <Empty title="This lake has no latest state">
                        <p>
                            <a href={withChoices('/fleet', query, { source: 'history' })}>The fleet as history has it</a>
                        </p>
                    </Empty>
                ) : (
                    <>
                        <p class="about-view">
                            <FollowMark following={following} nowMs={answer.nowMs} />{' '}
                            <a href={withChoices('/fleet', query, { source: 'history', after: undefined, state: undefined })}>
                                As history has it
                            </a>
                        </p>
                        {answer.fleet.isPipelineLate && (
                            <Note kind="warning">
                                <p>
                                    Latest state stands still: messages wait, or nobody serves this lake. What is shown is how it was;
                                    states are unknown until it goes on.
                                </p>
                            </Note>
                        )}
                        <StateCounts counts={answer.fleet.devices} query={query} states={DEVICE_STATES} />
                        <OpenAlerts fleet={answer.fleet} />
                        <Worst from={from} to={to} {...chosen} isLive />
                        <Filters
                            {...{ path: '/fleet', query, go }}
                            resets={['page', 'after']}
                            filters={[
                                { name: 'prefix', label: 'Device begins with', kind: 'search', placeholder: 'thermo' },
                                {
                                    name: 'state',
                                    label: 'State',
                                    kind: 'choice',
                                    options: DEVICE_STATES.map((value) => ({ value, title: value })),
                                },
                                { name: 'profile', label: 'Profile', kind: 'choice', options: optionsOf(answer, ({ profile }) => profile) },
                                { name: 'site', label: 'Site', kind: 'choice', options: optionsOf(answer, ({ site }) => site) },
                            ]}
                        />
                        {answer.devices.length === 0 ? <Empty title="No device is like that" /> : <Devices {...{ answer, query, to }} />}
                    </>
                )
            }
        </Answer>
    );
}

function optionsOf({ fleet }: Live, pick: (group: Live['fleet']['groups'][number]) => string) {
    return [...new Set(fleet.groups.map(pick))].sort().map((value) => ({ value, title: value }));
}

function OpenAlerts({ fleet: { openAlerts, unacknowledged } }: { fleet: Live['fleet'] }) {
    const some = (['critical', 'warning', 'info'] as const).filter((severity) => openAlerts[severity] > 0);
    return (
        <p>
            {some.length === 0 ? 'No alert is open.' : 'Open alerts: '}
            {some.map((severity) => (
                <a key={severity} class="spaced" href={addressOf('/alerts', { state: 'open', severity })}>
                    {openAlerts[severity]} <SeverityMark severity={severity} />
                </a>
            ))}
            {unacknowledged > 0 && <a href={addressOf('/alerts', { state: 'unacknowledged' })}>{unacknowledged} not acknowledged</a>}
        </p>
    );
}

function Devices({ answer, query, to }: { answer: Live; query: URLSearchParams; to: string }) {
    const { devices, nowMs, next } = answer;
    const lines = useLines(
        to,
        devices.map(({ device }) => device),
    );
    return (
        <Table
            caption="Devices as they are now, by their ids"
            rows={devices}
            keyOf={({ device }: Row) => device}
            pages={{
                label: `${devices[0]?.device ?? ''} to ${devices.at(-1)?.device ?? ''}`,
                previous: query.get('after') === null ? undefined : withChoices('/fleet', query, { after: undefined }),
                next: next === null ? undefined : withChoices('/fleet', query, { after: next }),
            }}
            columns={[
                {
                    name: 'device',
                    title: 'Device',
                    cell: ({ device, site }: Row) => (
                        <a class="device-id" href={deviceAddress({ device, site })}>
                            {device}
                        </a>
                    ),
                },
                { name: 'state', title: 'State', cell: ({ state }: Row) => <StateMark state={state} /> },
                { name: 'profile', title: 'Profile', cell: ({ profile }: Row) => profile },
                { name: 'site', title: 'Site', cell: ({ site }: Row) => site },
                {
                    name: 'last',
                    title: 'Last message',
                    cell: ({ lastReceivedMs }: Row) =>
                        lastReceivedMs === null ? (
                            <span class="missing">never</span>
                        ) : (
                            <>
                                {sayAgo(lastReceivedMs, nowMs)}
                                <div class="small">
                                    <Instant ms={lastReceivedMs} />
                                </div>
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
                    cell: ({ battery }: Row) => <Figure value={battery?.value ?? null} {...(battery?.unit && { unit: battery.unit })} />,
                },
                {
                    name: 'alerts',
                    title: 'Open alerts',
                    cell: ({ openAlerts, why, device }: Row) =>
                        openAlerts === 0 ? (
                            <span class="missing">none</span>
                        ) : (
                            <div class="words">
                                <a href={addressOf('/alerts', { device, state: 'open' })}>{openAlerts}</a>: {why}
                            </div>
                        ),
                },
            ]}
        />
    );
}
