/** What was asked in this browser before, and the way to forget it. */
import { sayUsd } from '../../parts/quantity.ts';
import { Instant } from '../../parts/time.tsx';
import type { AskedBefore } from './history.ts';

interface AskedBeforeProps {
    history: readonly AskedBefore[];
    /** Forgets one of them, by what its address says, or all. */
    onForget(search?: string): void;
}

export function AskedBeforeList({ history, onForget }: AskedBeforeProps) {
    return (
        <details class="card">
            <summary>Asked before ({history.length})</summary>
            {history.length === 0 ? (
                <p>Nothing yet. What is asked here stays in this browser.</p>
            ) : (
                <>
                    <ul class="ask-history">
                        {history.map(({ search, title, atMs, rows, costUsd }) => (
                            <li key={search}>
                                <a href={`/ask?${search}`}>
                                    <code>{title}</code>
                                </a>
                                <span class="ask-small">
                                    <Instant ms={atMs} /> · {rows} {rows === 1 ? 'row' : 'rows'}
                                    {costUsd !== undefined && ` · ${sayUsd(costUsd)}`}
                                </span>
                                <button type="button" class="quiet" aria-label={`Forget: ${title}`} onClick={() => onForget(search)}>
                                    Forget
                                </button>
                            </li>
                        ))}
                    </ul>
                    <button type="button" onClick={() => onForget()}>
                        Forget all
                    </button>
                    <p class="ask-small">They are kept in this browser and nowhere else.</p>
                </>
            )}
        </details>
    );
}
