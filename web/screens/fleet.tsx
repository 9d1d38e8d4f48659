/** The fleet: its devices and how they are, where they are, and what they say together. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Link, withChoices } from '../parts/link.tsx';
import { Empty, Title } from '../parts/notes.tsx';
import { dayAfter, readingDays, useDays } from '../parts/use-days.ts';
import type { ScreenProps } from '../screen.ts';
import { useAbout } from '../shell/about-context.ts';
import { Answer, Waiting } from '../shell/answer.tsx';
import { Averages } from './fleet/averages.tsx';
import type { FleetProps } from './fleet/fleet-props.ts';
import { HistoryDevices } from './fleet/history-devices.tsx';
import { LiveDevices } from './fleet/live-devices.tsx';

const VIEWS = [
    { view: undefined, title: 'Devices' },
    { view: 'map', title: 'Map' },
    { view: 'averages', title: 'Averages and alert rates' },
] as const;

/** A week. */
const DAYS_SHOWN = 7;

export default function FleetScreen(props: ScreenProps) {
    const { query } = props;
    const { hasLive } = useAbout();
    const days = useDays();
    const view = query.get('view') ?? undefined;
    return (
        <>
            <Title>Fleet</Title>
            <nav class="tabs" aria-label="Views of the fleet">
                {VIEWS.map((one) => (
                    <a
                        key={one.title}
                        href={withChoices('/fleet', query, { view: one.view, page: undefined })}
                        aria-current={one.view === view ? 'page' : undefined}
                    >
                        {one.title}
                    </a>
                ))}
            </nav>
            <Answer of={days}>
                {(lake) => {
                    const known = readingDays(lake);
                    if (!known && !hasLive) {
                        return <NoDevices />;
                    }
                    const today = new Date(lake.now).toISOString().slice(0, 10);
                    const to = query.get('to') ?? known?.last ?? today;
                    const from = query.get('from') ?? later(dayAfter(to, 1 - DAYS_SHOWN), known?.first);
                    const fleet = { ...props, from, to };
                    if (view === 'map') {
                        return <LazyMap {...fleet} />;
                    }
                    if (view === 'averages') {
                        return <Averages {...fleet} />;
                    }
                    return hasLive && query.get('source') !== 'history' ? <LiveDevices {...fleet} /> : <HistoryDevices {...fleet} />;
                }}
            </Answer>
        </>
    );
}

function later(day: string, other: string | undefined): string {
    return other !== undefined && other > day ? other : day;
}

function NoDevices() {
    return (
        <Empty title="This lake has no readings of devices yet">
            <p>
                <code>flowlake upload --kind telemetry --profile NAME FILES</code> brings files of messages in, <code>flowlake serve</code>{' '}
                takes what devices send. <Link to="/about">About this lake</Link>
            </p>
        </Empty>
    );
}

/** The map, which brings the outlines of the world, once somebody wants it. */
function LazyMap(props: FleetProps) {
    const [loaded, setLoaded] = useState<{ component: ComponentType<FleetProps> } | { why: string }>();
    useEffect(() => {
        import('./fleet/fleet-map.tsx').then(
            ({ FleetMap }) => setLoaded({ component: FleetMap }),
            (error: unknown) => setLoaded({ why: String(error) }),
        );
    }, []);
    if (!loaded) {
        return <Waiting />;
    }
    if ('why' in loaded) {
        return <Empty title={`The map cannot be loaded (${loaded.why}): load this page again`} />;
    }
    const { component: FleetMap } = loaded;
    return <FleetMap {...props} />;
}
