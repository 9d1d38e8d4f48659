/** The answer of a page, or in its place what is the matter: one look for all screens. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Problem } from '../ask-server.ts';
import { sayBytes, sayUsd } from '../parts/quantity.ts';
import type { PageState } from '../use-page.ts';

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
    switch (of.state) {
        case 'plan':
            return (
                <section class="notice" role="status">
                    <h2>Before this is asked</h2>
                    <p>
                        Athena will scan {sayBytes(of.plan.bytes)} at most for it: {sayUsd(of.plan.costUsd)} by its list price.
                    </p>
                    <button type="button" class="primary" onClick={of.go}>
                        Ask
                    </button>
                </section>
            );
        case 'loading':
            return (
                <div aria-busy="true" class={of.before === undefined ? '' : 'stale'}>
                    <Waiting />
                    {of.before !== undefined && children(of.before)}
                </div>
            );
        case 'failed':
            return <Failed problem={of.problem} again={of.again} />;
        case 'ready':
            return <>{children(of.data)}</>;
    }
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

export function Failed({ problem, again }: { problem: Problem; again: () => void }) {
    const isLost = problem.status === 0;
    useEffect(() => (isLost ? onReachable(again) : undefined), [isLost, again]);
    return (
        <section class="notice failed" role="alert">
            <h2>{problem.title}</h2>
            {problem.detail !== '' && <p>{problem.detail}</p>}
            {isLost && <p>It is tried again every few seconds.</p>}
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
