/** How many alerts are open, by severity, and how many of one more state: each a way to them. */
import { SeverityMark } from '../../parts/device-marks.tsx';
import { withChoices } from '../../parts/link.tsx';
import { groupDigits } from '../../parts/quantity.ts';
import { SEVERITIES } from './columns.tsx';

interface AlertTilesProps {
    query: URLSearchParams;
    /** Open alerts of each severity; none where one is not named. */
    open: Readonly<Partial<Record<string, number>>>;
    /** The state beside. */
    other: { state: string; title: string; count: number };
}

export function AlertTiles({ query, open, other }: AlertTilesProps) {
    const to = (choices: Record<string, string | undefined>) =>
        withChoices('/alerts', query, { ...choices, page: undefined, after: undefined });
    return (
        <ul class="tiles">
            {SEVERITIES.map((severity) => (
                <li key={severity}>
                    <a href={to({ state: 'open', severity })}>
                        <span class="tile-number">{groupDigits(String(open[severity] ?? 0))}</span>
                        <span>
                            open, <SeverityMark severity={severity} />
                        </span>
                    </a>
                </li>
            ))}
            <li>
                <a href={to({ state: other.state, severity: undefined })}>
                    <span class="tile-number">{groupDigits(String(other.count))}</span>
                    <span>{other.title}</span>
                </a>
            </li>
        </ul>
    );
}
