/** The newest reading of each metric. */
import type { DeviceFacts } from '../../../lake/pages/device.ts';
import { Figure } from '../../parts/figure.tsx';
import { Note } from '../../parts/notes.tsx';
import { Instant } from '../../parts/time.tsx';

export function Now({ device, live }: { device: DeviceFacts; live: NonNullable<DeviceFacts['live']> }) {
    const { latest, openAlerts, why, rejected, refused, lastRejected } = live;
    return (
        <>
            {openAlerts > 0 && (
                <Note kind="warning">
                    <p>
                        {openAlerts === 1 ? 'An alert is open' : `${openAlerts} alerts are open`}: {why}.{' '}
                        <a href={`/alerts?device=${encodeURIComponent(device.device)}&state=open`}>
                            See {openAlerts === 1 ? 'it' : 'them'}
                        </a>
                    </p>
                </Note>
            )}
            {lastRejected && (
                <Note>
                    <p>
                        {rejected} of its messages had no reading, the last one at <Instant ms={lastRejected.receivedMs} />:{' '}
                        {lastRejected.why}
                    </p>
                </Note>
            )}
            {refused > 0 && (
                <Note>
                    <p>{refused} messages came as this device’s and were put aside: wrong topic, or another device in them.</p>
                </Note>
            )}
            {latest.length > 0 && (
                <ul class="tiles latest" aria-label="Newest readings">
                    {latest.map(({ metric, value, unit, atMs }) => (
                        <li key={metric}>
                            <div class="tile">
                                <span class="tile-number">
                                    <Figure value={value} {...(unit !== null && { unit })} />
                                </span>
                                <span>{metric}</span>
                                <span class="small">
                                    <Instant ms={atMs} />
                                </span>
                            </div>
                        </li>
                    ))}
                </ul>
            )}
        </>
    );
}
