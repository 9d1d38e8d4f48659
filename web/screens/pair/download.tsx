/** The days of the pair as a CSV file, with the columns of view pair_running, as `flowlake export` writes it. */
import { CsvLink } from '../../parts/csv.tsx';
import type { PairFound } from './pair-answer.ts';
import { waysOf } from './pair-answer.ts';

const FIGURES = [
    'flows',
    'timed_flows',
    'flow_duration_us_sum',
    'fwd_pkts_sum',
    'running_days',
    'running_timed_days',
    'flow_duration_us_running_mean',
    'flow_duration_us_running_stddev_pop',
    'flow_duration_us_running_stddev_samp',
    'fwd_pkts_running_mean',
    'fwd_pkts_running_stddev_pop',
    'fwd_pkts_running_stddev_samp',
] as const;

export function DownloadDays({ answer }: { answer: PairFound }) {
    const { site, src, dst } = answer;
    const rows = () =>
        waysOf(answer).flatMap((way) =>
            way.days.map((day) => {
                const figures: Readonly<Record<string, unknown>> = { ...day };
                return [site, way.src, way.dst, day.day, ...FIGURES.map((name) => figures[name])];
            }),
        );
    const file = `${src}_${dst}_${site}.csv`.replace(/[^A-Za-z0-9._-]/g, '-');
    return (
        <CsvLink file={file} columns={['site', 'src_ip', 'dst_ip', 'day', ...FIGURES]} rows={rows}>
            Download CSV
        </CsvLink>
    );
}
