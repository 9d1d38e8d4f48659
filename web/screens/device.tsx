/** One device: what it measured, its alerts and silences, its traffic on the same axis, and the messages behind a point. */
import type { DeviceFacts } from '../../lake/pages/device.ts';
import { StateMark } from '../parts/device-marks.tsx';
import { Filters } from '../parts/filters.tsx';
import { Link } from '../parts/link.tsx';
import { Empty, Note, Title } from '../parts/notes.tsx';
import { Instant, sayAgo } from '../parts/time.tsx';
import { useEvents } from '../parts/use-events.ts';
import type { ScreenProps } from '../screen.ts';
import { useAbout } from '../shell/about-context.ts';
import { Answer } from '../shell/answer.tsx';
import { usePage } from '../use-page.ts';
import { Measured } from './device/measured.tsx';
import { Now } from './device/now.tsx';

export default function DeviceScreen(props: ScreenProps) {
    const id = props.query.get('id');
    return id === null ? <NoDevice {...props} /> : <OneDevice key={id} id={id} {...props} />;
}

function NoDevice(props: ScreenProps) {
    return (
        <>
            <Title>Device</Title>
            <Filters
                {...props}
                path="/device"
                filters={[{ name: 'id', label: 'Id of the device', kind: 'search', placeholder: 'thermostat-001' }]}
            />
            <p>
                <Link to="/fleet">The fleet</Link> lists all devices.
            </p>
        </>
    );
}

function OneDevice({ id, query, go }: ScreenProps & { id: string }) {
    const { nowMs } = useAbout();
    const page = usePage<DeviceFacts>('device', { id });
    useEvents(['latest', 'raised', 'cleared'], () => page.state === 'ready' && page.again());
    const facts = page.state === 'ready' ? page.data : page.state === 'loading' ? page.before : undefined;
    return (
        <>
            <Title more={facts && <Standing facts={facts} nowMs={nowMs} />}>{id}</Title>
            <Answer of={page}>
                {(device) => (
                    <>
                        <Assignments device={device} />
                        {device.live && <Now device={device} live={device.live} />}
                        {device.metrics.length === 0 ? (
                            <Empty title="Nothing that it measured is in the tables yet">
                                <p>What devices send is in the tables about a minute after it was taken in.</p>
                            </Empty>
                        ) : (
                            <Measured {...{ device, query, go }} />
                        )}
                    </>
                )}
            </Answer>
        </>
    );
}

function Standing({ facts: { live, lastMs }, nowMs }: { facts: DeviceFacts; nowMs: number }) {
    if (live) {
        return (
            <>
                <StateMark state={live.state} />
                {live.lastReceivedMs !== null && <>, heard {sayAgo(live.lastReceivedMs, Math.max(nowMs, Date.now()))}</>}
            </>
        );
    }
    return lastMs === null ? null : (
        <>
            last reading <Instant ms={lastMs} />
        </>
    );
}

/** Says where the device stands, and where it stood before. */
function Assignments({ device: { device, assignments, profile, metrics } }: { device: DeviceFacts }) {
    const now = assignments.at(-1);
    if (!now) {
        return (
            <Note>
                <p>
                    It is not in the registry{profile !== null && <>, its messages are read by profile {profile}</>}
                    {metrics[0] && <>, and its files say site {metrics[0].site}</>}. Without an address there its traffic is not known:{' '}
                    <code>
                        flowlake device add {device} --profile {profile ?? 'NAME'} --ip ADDRESS
                    </code>
                </p>
            </Note>
        );
    }
    const before = assignments.slice(0, -1);
    return (
        <>
            <p>
                {sayAssignment(now)}
                {now.valid_from !== null && <> since {now.valid_from}</>}.
                {now.ip === null && <> The registry has no address of it, so its traffic is not known.</>}
            </p>
            {before.length > 0 && (
                <details>
                    <summary>Where it stood before</summary>
                    <ul>
                        {before.map((one) => (
                            <li key={`${one.valid_from} ${one.valid_to}`}>
                                {one.valid_from ?? 'from the beginning'} until {one.valid_to}: {sayAssignment(one)}
                            </li>
                        ))}
                    </ul>
                </details>
            )}
        </>
    );
}

function sayAssignment({ site, place, profile, ip }: DeviceFacts['assignments'][number]): string {
    return [
        `At site ${site}`,
        ...(place === null ? [] : [place]),
        `read by profile ${profile}`,
        ...(ip === null ? [] : [`address ${ip}`]),
    ].join(', ');
}
