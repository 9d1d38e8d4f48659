/** Pairs, hours of devices and weeks of devices that are unusual against their own past. */
import { useEffect } from 'preact/hooks';
import { Figure, Mean } from '../../parts/figure.tsx';
import { Day } from '../../parts/time.tsx';
import { Answer } from '../../shell/answer.tsx';
import { usePage } from '../../use-page.ts';
import { Change, Changes, DeviceLink, limitOf, PairLink, type PartProps } from './part.tsx';

interface Unusual<Row> {
    hasMore: boolean;
    rows: readonly Row[];
}

interface UnusualPair {
    site: string;
    src_ip: string;
    dst_ip: string;
    measure: string;
    value: string;
    usual: string;
    usual_low: string;
    usual_high: string;
    score: number;
}

/** What a measure is counted in. */
const UNITS: Readonly<Record<string, string>> = { flows: 'flows', fwd_pkts_sum: 'packets', flow_duration_us_sum: 'µs of flows' };

interface UnusualPairsProps extends PartProps {
    /** Called once it is known whether there are some, or why that cannot be told. */
    onKnown(): void;
}

export function UnusualPairs({ day, query, onKnown }: UnusualPairsProps) {
    const name = 'unusual-pairs';
    const found = usePage<Unusual<UnusualPair>>('unusual', { of: 'pairs', day, limit: limitOf(name, query) });
    const isKnown = found.state !== 'loading';
    useEffect(() => {
        if (isKnown) {
            onKnown();
        }
    }, [isKnown]);
    return (
        <Answer of={found}>
            {({ rows, hasMore }) => (
                <Changes
                    title="Unusual pairs"
                    name={name}
                    query={query}
                    total={null}
                    hasMore={hasMore}
                    none="each is as on such days before, or too young for a verdict"
                >
                    {rows.map((row) => (
                        <Change
                            key={`${row.site} ${row.src_ip} ${row.dst_ip} ${row.measure}`}
                            site={row.site}
                            link={<PairLink site={row.site} src={row.src_ip} dst={row.dst_ip} day={day} />}
                        >
                            <Figure value={row.value} unit={UNITS[row.measure] ?? row.measure} />
                            <Times value={row.value} usual={row.usual} />: usually <Figure value={row.usual} />, on half of such days{' '}
                            <Figure value={row.usual_low} /> to <Figure value={row.usual_high} />
                        </Change>
                    ))}
                </Changes>
            )}
        </Answer>
    );
}

/** `, 12 times as much`; nothing where there is usually none. */
function Times({ value, usual }: { value: string; usual: string }) {
    const times = Number(value) / Number(usual);
    return Number.isFinite(times) && times >= 1.5 ? (
        <>
            , <Mean value={times} digits={2} /> times as much
        </>
    ) : null;
}

interface UnusualHour {
    site: string;
    device: string;
    metric: string;
    hour: string;
    mean: number;
    usual: number;
    usual_low: number;
    usual_high: number;
    score: number;
}

export function UnusualHours({ day, query }: PartProps) {
    const name = 'unusual-hours';
    const found = usePage<Unusual<UnusualHour>>('unusual', { of: 'hours', day, limit: limitOf(name, query) });
    return (
        <Answer of={found}>
            {({ rows, hasMore }) => (
                <Changes
                    title="Unusual hours of devices"
                    name={name}
                    query={query}
                    total={null}
                    hasMore={hasMore}
                    none="each is as at that time of such days before, or too young for a verdict"
                >
                    {rows.map((row) => (
                        <Change
                            key={`${row.site} ${row.device} ${row.metric} ${row.hour}`}
                            site={row.site}
                            link={<DeviceLink site={row.site} device={row.device} />}
                        >
                            {row.metric} <Mean value={row.mean} /> from {sayHour(row.hour)} on, far {row.score > 0 ? 'above' : 'below'} the
                            usual <Mean value={row.usual} /> (half of such hours <Mean value={row.usual_low} /> to{' '}
                            <Mean value={row.usual_high} />)
                        </Change>
                    ))}
                </Changes>
            )}
        </Answer>
    );
}

function sayHour(hour: string): string {
    return `${hour.padStart(2, '0')}:00`;
}

interface UnusualWeek {
    site: string;
    device: string;
    metric: string;
    week: string;
    mean: number;
    usual: number;
    change: number;
    fleet_change: number;
    drift: number;
    score: number;
}

export function UnusualDrift({ day, query }: PartProps) {
    const name = 'drift';
    const found = usePage<Unusual<UnusualWeek>>('unusual', { of: 'drift', day, limit: limitOf(name, query) });
    return (
        <Answer of={found}>
            {({ rows, hasMore }) => (
                <Changes
                    title="Devices that have moved away from their fleet"
                    name={name}
                    query={query}
                    total={null}
                    hasMore={hasMore}
                    none="none in this week, or too few weeks for a verdict"
                >
                    {rows.map((row) => (
                        <Change
                            key={`${row.site} ${row.device} ${row.metric}`}
                            site={row.site}
                            link={<DeviceLink site={row.site} device={row.device} />}
                        >
                            {row.metric} <Mean value={row.mean} /> in the week from <Day day={row.week} />, usually{' '}
                            <Mean value={row.usual} />: moved by <Mean value={row.change} digits={3} />, its fleet by{' '}
                            <Mean value={row.fleet_change} digits={3} />
                        </Change>
                    ))}
                </Changes>
            )}
        </Answer>
    );
}
