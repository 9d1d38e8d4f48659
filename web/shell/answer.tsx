/** The answer of a page, or in its place what is the matter: one look for all screens. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Problem } from '../ask-server.ts';
import { sayBytes, sayUsd } from '../parts/quantity.ts';
import type { PageState, Plan } from '../use-page.ts';

/** An answer that takes longer is said to be on its way. */
const WAITING_MS = 300;

/** An answer that takes longer is said to take long. */
const SLOW_MS = 8000;

/** A server that could not be reached is asked again after that. */
const TRY_AGAIN_MS = 3000;

interface AnswerProps<T> {
    of: PageState<T>;
    children(data: T): ComponentChildren;
}

export function Answer<T>({ of, children }: AnswerProps<T>) {
    const isLoading = of.state === 'loading';
    const data = of.state === 'ready' ? of.data : of.state === 'plan' ? undefined : of.before;
    const isOld = data !== undefined && of.state !== 'ready';
    // Each part keeps its place whatever the state is: what is asked again keeps focus, and what somebody has opened stays open.
    return (
        <div aria-busy={isLoading} class={isOld ? 'answer old' : 'answer'}>
            {of.state === 'plan' && <Planned plan={of.plan} go={of.go} />}
            {isLoading && <Waiting />}
            {of.state === 'failed' && <Failed problem={of.problem} again={of.again} isOldShown={isOld} />}
            {data !== undefined && <div class={isOld ? 'stale' : 'fresh'}>{children(data)}</div>}
        </div>
    );
}

function Planned({ plan: { bytes, costUsd, unknown }, go }: { plan: Plan; go: () => void }) {
    return (
        <section class="notice" role="status">
            <h2>Before this is asked</h2>
            <p>
                Athena will scan {sayBytes(bytes)} at most for it: {sayUsd(costUsd)} by its list price.
                {unknown.length > 0 && ` What it scans of ${unknown.join(', ')} comes on top: nobody knows how much that is.`}
            </p>
            <button type="button" class="primary" onClick={go}>
                Ask
            </button>
        </section>
    );
}

/** Says that an answer is on its way, once it has been for a moment, and that it takes long, once it does. */
export function Waiting() {
    const [waited, setWaited] = useState<'' | 'on its way' | 'slow'>('');
    useEffect(() => {
        const first = setTimeout(() => setWaited('on its way'), WAITING_MS);
        const second = setTimeout(() => setWaited('slow'), SLOW_MS);
        return () => {
            clearTimeout(first);
            clearTimeout(second);
        };
    }, []);
    return (
        <p class="waiting" role="status">
            {waited === 'on its way' && 'On its way …'}
            {waited === 'slow' && 'Still on its way: this machine or its connection is slow, or much has to be read'}
        </p>
    );
}

interface FailedProps {
    problem: Problem;
    again: () => void;
    /** True if the answer of before stands below. */
    isOldShown?: boolean;
}

export function Failed({ problem, again, isOldShown = false }: FailedProps) {
    const isLost = problem.status === 0;
    useEffect(() => (isLost ? onReachable(again) : undefined), [isLost, again]);
    return (
        <section class="notice failed" role="alert">
            <h2>{problem.title}</h2>
            {problem.detail !== '' && <p>{problem.detail}</p>}
            {isLost && <p>It is tried again every few seconds.</p>}
            {isOldShown && <p>Below stands what was shown before.</p>}
            <button type="button" onClick={again}>
                Try again
            </button>
        </section>
    );
}

/** Calls back once the server can be reached. @returns what ends that */
function onReachable(reached: () => void): () => void {
    const leaving = new AbortController();
    const timer = setInterval(() => {
        fetch('/web/icon.svg', { method: 'HEAD', cache: 'no-store', signal: leaving.signal }).then(reached, () => undefined);
    }, TRY_AGAIN_MS);
    return () => {
        clearInterval(timer);
        leaving.abort();
    };
}
