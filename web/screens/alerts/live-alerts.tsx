/** Alerts as they were raised, who knows of them, and what history says of each. */
import type { AlertsLive } from '../../../lake/pages/alerts-live.ts';
import { Filters } from '../../parts/filters.tsx';
import { withChoices } from '../../parts/link.tsx';
import { Empty, Note } from '../../parts/notes.tsx';
import { Table } from '../../parts/table.tsx';
import { Instant, sayDuration } from '../../parts/time.tsx';
import { useEvents } from '../../parts/use-events.ts';
import type { ScreenProps } from '../../screen.ts';
import { Answer } from '../../shell/answer.tsx';
import { usePage } from '../../use-page.ts';
import { FollowMark } from '../fleet/follow-mark.tsx';
import { Acknowledge } from './acknowledge.tsx';
import { alertColumns, SEVERITIES } from './columns.tsx';
import { AlertTiles } from './tiles.tsx';

const PAGE = 50;

const STATES = ['open', 'unacknowledged', 'acknowledged', 'closed'];

const NAMES = ['state', 'severity', 'kind', 'device', 'rule', 'site', 'profile', 'after'] as const;

type Live = Extract<AlertsLive, { isLive: true }>;
type Row = Live['alerts'][number];

export function LiveAlerts({ query, go }: ScreenProps) {
    const chosen = Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? undefined]));
    const page = usePage<AlertsLive>('alerts-live', { ...chosen, limit: String(PAGE) });
    const again = () => {
        if (page.state === 'ready' || page.state === 'failed') {
            page.again();
        }
    };
    const following = useEvents(['raised', 'cleared', 'acknowledged', 'judged', 'pipeline_late', 'pipeline_on_time'], again);
    return (
        <Answer of={page}>
            {(found) =>
                found.isLive ? (
                    <>
                        <p class="about-view">
                            <FollowMark following={following} nowMs={found.nowMs} />
                        </p>
                        {found.isPipelineLate && (
                            <Note kind="warning">
                                <p>
                                    Latest state stands still: messages wait, or nobody serves this lake. No alert is raised until it goes
                                    on.
                                </p>
                            </Note>
                        )}
                        <AlertTiles
                            query={query}
                            open={found.openAlerts}
                            other={{ state: 'unacknowledged', title: 'not acknowledged', count: found.unacknowledged }}
                        />
                        <Filters
                            {...{ path: '/alerts', query, go }}
                            resets={['after', 'page']}
                            filters={[
                                {
                                    name: 'state',
                                    label: 'State',
                                    kind: 'choice',
                                    options: STATES.map((value) => ({ value, title: value })),
                                },
                                {
                                    name: 'severity',
                                    label: 'Severity',
                                    kind: 'choice',
                                    options: SEVERITIES.map((value) => ({ value, title: value })),
                                },
                                {
                                    name: 'kind',
                                    label: 'Kind',
                                    kind: 'choice',
                                    options: [
                                        { value: 'alert', title: 'alerts' },
                                        { value: 'silent', title: 'silences' },
                                    ],
                                },
                                { name: 'device', label: 'Device', kind: 'search', placeholder: 'id' },
                                { name: 'rule', label: 'Rule', kind: 'search', placeholder: 'all' },
                                { name: 'site', label: 'Site', kind: 'search', placeholder: 'all' },
                                { name: 'profile', label: 'Profile', kind: 'search', placeholder: 'all' },
                            ]}
                        />
                        {found.alerts.length === 0 ? <Empty title="No alert is like that" /> : <Alerts {...{ found, query, again }} />}
                    </>
                ) : (
                    <Empty title="This lake has no latest state">
                        <p>
                            <a href={withChoices('/alerts', query, { source: 'history' })}>Alerts as history has them</a>
                        </p>
                    </Empty>
                )
            }
        </Answer>
    );
}

function Alerts({ found, query, again }: { found: Live; query: URLSearchParams; again: () => void }) {
    return (
        <Table
            caption="Alerts as they were raised, the newest first"
            rows={found.alerts}
            keyOf={({ id }: Row) => id}
            columns={[
                ...alertColumns<Row>(found.nowMs),
                { name: 'known', title: 'Who knows of it', cell: (alert: Row) => <Known {...{ alert, again }} /> },
                { name: 'history', title: 'History says', cell: (alert: Row) => <Verdict alert={alert} /> },
            ]}
            pages={{
                label: found.alerts.length === 1 ? '1 alert' : `${found.alerts.length} alerts`,
                previous: query.get('after') === null ? undefined : withChoices('/alerts', query, { after: undefined }),
                next: found.next === null ? undefined : withChoices('/alerts', query, { after: found.next }),
            }}
        />
    );
}

function Known({ alert, again }: { alert: Row; again: () => void }) {
    if (alert.acknowledged) {
        const { by, note, at_ms: atMs } = alert.acknowledged;
        return (
            <>
                <strong>{by}</strong>: {note}
                <div class="small">
                    <Instant ms={atMs} />
                </div>
            </>
        );
    }
    return <Acknowledge id={alert.id} device={alert.device} onDone={again} />;
}

const VERDICTS: Readonly<Record<Row['history'], string>> = {
    pending: 'nothing yet: its readings are not all in the tables',
    confirmed: 'the same',
    changed: 'it was otherwise',
    gone: 'it was none: late readings took it away',
    added: 'it was one, and was not raised: late readings, or nobody served',
};

function Verdict({ alert: { history, inHistory, beganMs, endedMs, worst } }: { alert: Row }) {
    const changes = inHistory
        ? [
              ...(inHistory.beganMs === beganMs ? [] : [<>began {<Instant ms={inHistory.beganMs} />}</>]),
              ...(inHistory.endedMs === endedMs
                  ? []
                  : [inHistory.endedMs === null ? <>is open</> : <>lasted {sayDuration(inHistory.endedMs - inHistory.beganMs)}</>]),
              ...(inHistory.worst === worst ? [] : [<>worst value {inHistory.worst}</>]),
          ]
        : [];
    return (
        <>
            <strong>{history}</strong>
            <div class="small">
                {VERDICTS[history]}
                {changes.map((change, order) => (
                    <span key={order}>
                        {order === 0 ? ': ' : ', '}
                        {change}
                    </span>
                ))}
            </div>
        </>
    );
}
