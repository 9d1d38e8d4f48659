/** How far the pipeline is behind. Nothing of a lake whose only work is an upload's own. */
import { Figure } from '../../parts/figure.tsx';
import { sayDuration } from '../../parts/time.tsx';
import { Answer } from '../../shell/answer.tsx';
import { usePage } from '../../use-page.ts';

interface Stage {
    what: string;
    behindMs: number | null;
    waiting: number | null;
    why: string | null;
}

export function Lag() {
    const lag = usePage<{ is: string; stages: readonly Stage[] }>('lag');
    return (
        <Answer of={lag}>
            {({ is, stages }) =>
                stages.length === 0 ? null : (
                    <section class="card" aria-labelledby="lag">
                        <h2 id="lag">How far behind</h2>
                        {is === 'not served' && <p>Nobody serves this lake now: what devices send is not taken.</p>}
                        <ul class="stages">
                            {stages.map(({ what, behindMs, waiting, why }) => (
                                <li key={what} class={why === null ? '' : 'late'}>
                                    <strong>{what}</strong>{' '}
                                    <span>
                                        {behindMs !== null && `${sayDuration(behindMs)} behind`}
                                        {behindMs !== null && waiting !== null && ', '}
                                        {waiting !== null && (
                                            <>
                                                <Figure value={String(waiting)} /> waiting
                                            </>
                                        )}
                                        {behindMs === null &&
                                            waiting === null &&
                                            why === null &&
                                            (what === 'inbox' ? 'takes messages' : 'no figure')}
                                    </span>
                                    {why !== null && <span class="why">! {why}</span>}
                                </li>
                            ))}
                        </ul>
                    </section>
                )
            }
        </Answer>
    );
}
