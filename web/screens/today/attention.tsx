/** What needs a person, as `flowlake status` tells it; and what is worth a look. */
import { Figure } from '../../parts/figure.tsx';
import { Link } from '../../parts/link.tsx';
import { Note } from '../../parts/notes.tsx';
import { sayDuration } from '../../parts/time.tsx';
import { Answer } from '../../shell/answer.tsx';
import { usePage } from '../../use-page.ts';

interface Problem {
    kind: string;
    count: number;
    subjects: readonly string[];
    waitingMs: number | null;
    noun: string;
    what: string;
    next: string;
}

interface AttentionAnswer {
    problems: readonly Problem[];
}

export function Attention() {
    const attention = usePage<AttentionAnswer>('attention');
    return (
        <Answer of={attention}>
            {({ problems }) =>
                problems.length === 0 ? (
                    <section class="card">
                        <h2>Nothing needs a person</h2>
                        <p>Every file that is in the lake is in the figures.</p>
                    </section>
                ) : (
                    <Note kind="warning">
                        <h2>What needs a person</h2>
                        <ul class="problems">
                            {problems.map((problem) => (
                                <ProblemItem key={problem.kind} problem={problem} />
                            ))}
                        </ul>
                    </Note>
                )
            }
        </Answer>
    );
}

interface DoubtsAnswer {
    doubtCount: number;
    doubts: readonly { text: string; remedy: string; count: number; sources: readonly string[] }[];
    twinCount: number;
    twins: readonly { sources: readonly string[]; count: number; what: string; next: string }[];
    rejects: { sources: number; rows: string };
}

export function Doubts() {
    const answer = usePage<DoubtsAnswer>('doubts');
    return (
        <section class="card" aria-labelledby="looks">
            <h2 id="looks">Worth a look</h2>
            <Answer of={answer}>
                {({ doubtCount, doubts, twinCount, twins, rejects }) => (
                    <ul class="problems">
                        <li>
                            {rejects.sources === 0 ? (
                                'No row was rejected'
                            ) : (
                                <>
                                    <Link to="/quality" query={{ look: 'rejects' }}>
                                        <Figure value={rejects.rows} /> {rejects.rows === '1' ? 'row' : 'rows'} of {rejects.sources}{' '}
                                        {rejects.sources === 1 ? 'source' : 'sources'}
                                    </Link>{' '}
                                    could not be used; each is kept, with the reason
                                </>
                            )}
                        </li>
                        {doubts.map(({ text, remedy, count, sources }) => (
                            <li key={text + remedy}>
                                {text}: <SourceLink source={sources[0] ?? ''} />
                                {count > 1 && ` and ${count - 1} more`}
                                <span class="next">{remedy}</span>
                            </li>
                        ))}
                        {doubtCount > doubts.length && (
                            <li>
                                <Link to="/quality" query={{ look: 'doubts' }}>
                                    {doubtCount - doubts.length} more doubts
                                </Link>
                            </li>
                        )}
                        {twins.map(({ sources, count, what, next }) => (
                            <li key={sources.join(' ')}>
                                <SourceLink source={sources[0] ?? ''} /> and{' '}
                                {count === 2 ? <SourceLink source={sources[1] ?? ''} /> : `${count - 1} more`} {what}
                                <span class="next">{next}</span>
                            </li>
                        ))}
                        {twinCount > twins.length && (
                            <li>
                                <Link to="/quality" query={{ look: 'twins' }}>
                                    {twinCount - twins.length} more groups of sources that may hold the same rows
                                </Link>
                            </li>
                        )}
                    </ul>
                )}
            </Answer>
        </section>
    );
}

/** Kinds of problems whose sources Quality shows, by their state. */
const STATES = ['failed', 'empty', 'waiting', 'unknown'];

function ProblemItem({ problem: { kind, count, subjects, waitingMs, noun, what, next } }: { problem: Problem }) {
    const counted = `${count} ${count === 1 ? noun : `${noun}s`}`;
    return (
        <li>
            {STATES.includes(kind) ? (
                <Link to="/quality" query={{ state: kind }}>
                    {counted}
                </Link>
            ) : (
                counted
            )}{' '}
            {what}
            {waitingMs !== null && `, the longest for ${sayDuration(waitingMs)}`}:{' '}
            <span class="mono">{subjects.slice(0, 3).join(', ')}</span>
            {count > 3 && ` and ${count - 3} more`}
            <span class="next">{next}</span>
        </li>
    );
}

function SourceLink({ source }: { source: string }) {
    return (
        <span class="mono">
            <Link to="/quality" query={{ source }}>
                {source}
            </Link>
        </span>
    );
}
