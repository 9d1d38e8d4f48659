/** Alerts and silences: as they were raised live, with who knows of them, and as history has them. */
import { withChoices } from '../parts/link.tsx';
import { Title } from '../parts/notes.tsx';
import type { ScreenProps } from '../screen.ts';
import { useAbout } from '../shell/about-context.ts';
import { HistoryAlerts } from './alerts/history-alerts.tsx';
import { LiveAlerts } from './alerts/live-alerts.tsx';

export default function AlertsScreen(props: ScreenProps) {
    const { query } = props;
    const { hasLive } = useAbout();
    const isHistory = !hasLive || query.get('source') === 'history';
    const address = (source: string | undefined) =>
        withChoices('/alerts', query, { source, page: undefined, after: undefined, state: undefined });
    return (
        <>
            <Title>Alerts</Title>
            {hasLive && (
                <nav class="tabs" aria-label="Where the alerts are from">
                    <a href={address(undefined)} aria-current={isHistory ? undefined : 'page'}>
                        As they were raised
                    </a>
                    <a href={address('history')} aria-current={isHistory ? 'page' : undefined}>
                        As history has them
                    </a>
                </nav>
            )}
            {isHistory ? <HistoryAlerts {...props} hasLive={hasLive} /> : <LiveAlerts {...props} />}
        </>
    );
}
