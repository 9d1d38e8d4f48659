/** Tables and views with their columns, and a first question for each. */
import { Link } from '../../parts/link.tsx';
import type { Relation } from './complete.ts';

export function Relations({ relations }: { relations: readonly Relation[] }) {
    return (
        <details class="card">
            <summary>Tables and views ({relations.length})</summary>
            {relations.map((relation) => (
                <details key={relation.name} class="ask-relation">
                    <summary>
                        <code>{relation.name}</code> {relation.what === 'view' && <span class="ask-small">view</span>}
                    </summary>
                    <p>{relation.meaning}</p>
                    <p>
                        <Link to="/ask" query={{ sql: `select *\nfrom ${relation.name}\nlimit 100` }}>
                            Its first rows
                        </Link>
                    </p>
                    <ul>
                        {relation.columns.map(({ name, type, unit, meaning }) => (
                            <li key={name}>
                                <code>{name}</code> <span class="ask-small">{unit ?? type}</span>
                                {meaning !== undefined && <span class="ask-meaning">{meaning}</span>}
                            </li>
                        ))}
                    </ul>
                </details>
            ))}
        </details>
    );
}
