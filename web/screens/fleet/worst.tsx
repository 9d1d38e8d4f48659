/** The devices that were longest in alert or silent, and why: what somebody on call asks first. */
import type { FleetHistory } from '../../../lake/pages/fleet-history.ts';
import { Bar } from '../../parts/bar.tsx';
import { StateMark } from '../../parts/device-marks.tsx';
import { sayDuration } from '../../parts/time.tsx';
import { usePage } from '../../use-page.ts';
import { deviceAddress } from './device-address.ts';

interface WorstProps {
    from: string;
    to: string;
    at?: string | undefined;
    profile?: string | undefined;
    site?: string | undefined;
    prefix?: string | undefined;
    /** True beside states as they are now: those of history are left out. */
    isLive?: boolean;
}

const SHOWN = 5;

export function Worst({ from, to, at, profile, site, prefix, isLive = false }: WorstProps) {
    const worst = usePage<FleetHistory>('fleet-history', { from, to, at, profile, site, prefix, sort: '-troubled', limit: String(SHOWN) });
    const fleet = worst.state === 'ready' ? worst.data : worst.state === 'loading' ? worst.before : undefined;
    if (worst.state === 'plan') {
        return (
            <p>
                <button type="button" onClick={worst.go}>
                    Ask which devices had the most trouble from {from} to {to}
                </button>
            </p>
        );
    }
    const rows = (fleet?.devices ?? []).filter(({ troubledMs }) => troubledMs > 0);
    const most = rows[0]?.troubledMs ?? 1;
    return (
        <section class="card worst" aria-busy={worst.state === 'loading'}>
            <h2>
                Longest in alert or silent, {from} to {to}
            </h2>
            {worst.state === 'failed' && <p>{worst.problem.detail}</p>}
            {fleet && rows.length === 0 && <p>No device was in alert or silent.</p>}
            <ol>
                {rows.map(({ device, site: of, state, troubledMs, why, alerts, silences }) => (
                    <li key={`${of}/${device}`}>
                        <a href={deviceAddress({ device, site: of, from, to })}>{device}</a> {!isLive && <StateMark state={state} />}
                        <Bar share={troubledMs / most} label={sayDuration(troubledMs)} />
                        <div class="small">
                            {why}; {plural(alerts, 'alert')}, {plural(silences, 'silence')} that ended
                        </div>
                    </li>
                ))}
            </ol>
        </section>
    );
}

function plural(count: number, noun: string): string {
    return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
