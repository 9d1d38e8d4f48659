/** Alerts as history has them: of all times, also of lakes that nobody serves. */
import type { AlertsHistory } from '../../../lake/pages/alerts-history.ts';
import { Filters } from '../../parts/filters.tsx';
import { withChoices } from '../../parts/link.tsx';
import { Empty } from '../../parts/notes.tsx';
import { groupDigits } from '../../parts/quantity.ts';
import { Table } from '../../parts/table.tsx';
import type { ScreenProps } from '../../screen.ts';
import { Answer } from '../../shell/answer.tsx';
import { usePage } from '../../use-page.ts';
import { alertColumns, SEVERITIES } from './columns.tsx';
import { AlertTiles } from './tiles.tsx';

const PAGE = 50;

const NAMES = ['state', 'severity', 'kind', 'device', 'rule', 'site', 'profile', 'from', 'to'] as const;

export function HistoryAlerts({ query, go, hasLive }: ScreenProps & { hasLive: boolean }) {
    const chosen = Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? undefined]));
    const page = Number(query.get('page') ?? 1);
    // States of latest state mean open ones here.
    const state = chosen.state === 'unacknowledged' ? 'open' : chosen.state === 'acknowledged' ? undefined : chosen.state;
    const alerts = usePage<AlertsHistory>('alerts-history', { ...chosen, state, page: String(page), limit: String(PAGE) });
    const toOptions = (values: readonly string[]) => values.map((value) => ({ value, title: value }));
    return (
        <Answer of={alerts}>
            {(found) => (
                <>
                    <p class="about-view">
                        As the readings of the lake say, all of them in their order.{' '}
                        {!hasLive && (
                            <>
                                Nobody serves this lake, so nobody can say here that an alert is known: <code>flowlake serve</code> raises
                                alerts, and <code>flowlake alert acknowledge ID --note TEXT</code> says so.
                            </>
                        )}
                    </p>
                    <AlertTiles query={query} open={found.open} other={{ state: 'closed', title: 'closed', count: found.closed }} />
                    <Filters
                        {...{ path: '/alerts', query, go }}
                        filters={[
                            { name: 'state', label: 'State', kind: 'choice', options: toOptions(['open', 'closed']) },
                            { name: 'severity', label: 'Severity', kind: 'choice', options: toOptions(SEVERITIES) },
                            {
                                name: 'kind',
                                label: 'Kind',
                                kind: 'choice',
                                options: [
                                    { value: 'alert', title: 'alerts' },
                                    { value: 'silent', title: 'silences' },
                                ],
                            },
                            { name: 'rule', label: 'Rule', kind: 'choice', options: toOptions(found.rules) },
                            { name: 'site', label: 'Site', kind: 'choice', options: toOptions(found.sites) },
                            { name: 'profile', label: 'Profile', kind: 'choice', options: toOptions(found.profiles) },
                            { name: 'device', label: 'Device', kind: 'search', placeholder: 'id' },
                            { name: 'from', label: 'Not ended before', kind: 'day' },
                            { name: 'to', label: 'Began until', kind: 'day' },
                        ]}
                    />
                    {found.alerts.length === 0 ? (
                        <Empty title="No alert is like that" />
                    ) : (
                        <Table
                            caption="Alerts and silences, open ones first"
                            rows={found.alerts}
                            keyOf={({ site, device, rule, beganMs }) => `${site} ${device} ${rule} ${beganMs}`}
                            columns={alertColumns(found.nowMs)}
                            pages={{
                                label: `${(page - 1) * PAGE + 1} to ${(page - 1) * PAGE + found.alerts.length} of ${groupDigits(String(found.count))}`,
                                previous:
                                    page > 1
                                        ? withChoices('/alerts', query, { page: page === 2 ? undefined : String(page - 1) })
                                        : undefined,
                                next: page * PAGE < found.count ? withChoices('/alerts', query, { page: String(page + 1) }) : undefined,
                            }}
                        />
                    )}
                </>
            )}
        </Answer>
    );
}
