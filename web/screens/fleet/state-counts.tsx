/** How many devices are in each state; each number is the way to them. */
import { type DeviceState, StateMark } from '../../parts/device-marks.tsx';
import { withChoices } from '../../parts/link.tsx';
import { groupDigits } from '../../parts/quantity.ts';

interface StateCountsProps {
    counts: Readonly<Record<DeviceState, number>>;
    states: readonly DeviceState[];
    query: URLSearchParams;
}

export function StateCounts({ counts, states, query }: StateCountsProps) {
    const chosen = query.get('state');
    return (
        <ul class="tiles">
            {states.map((state) => (
                <li key={state}>
                    <a
                        href={withChoices('/fleet', query, {
                            state: chosen === state ? undefined : state,
                            page: undefined,
                            after: undefined,
                        })}
                        aria-current={chosen === state ? 'true' : undefined}
                    >
                        <span class="tile-number">{groupDigits(String(counts[state]))}</span>
                        <StateMark state={state} />
                    </a>
                </li>
            ))}
        </ul>
    );
}
