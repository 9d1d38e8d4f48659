/** The answer of one page of the server, as a component sees it: what it will cost, that it is on its way, why there is none, or the answer. */
import { useEffect, useState } from 'preact/hooks';
import { askServer, NoAnswer, type Problem, pageAddress } from './ask-server.ts';
import { useAbout } from './shell/about-context.ts';

/** What a page will scan at most. */
export interface Plan {
    /** Decimal digits. */
    bytes: string;
    costUsd: number;
    /** What is scanned beside that, by its name: how much it is nobody knows. */
    unknown: readonly string[];
}

export type PageState<T> =
    /** Only where reading is paid for: nothing has been asked yet. */
    | { state: 'plan'; plan: Plan; go(): void }
    /** `before` is the last answer of this place, to be shown meanwhile. */
    | { state: 'loading'; before: T | undefined }
    | { state: 'failed'; problem: Problem; before: T | undefined; again(): void }
    | { state: 'ready'; data: T; again(): void };

type Step<T> = { of: string } & (
    | { is: 'plan'; plan: Plan }
    | { is: 'failed'; problem: Problem }
    | { is: 'ready'; data: T }
    | { is: 'asking' }
);

/** Asks the page, and again when its parameters are others. Where reading is paid for it first says what that will cost. */
export function usePage<T>(name: string, parameters: Readonly<Record<string, string | undefined>> = {}): PageState<T> {
    const { isPaid } = useAbout();
    const address = pageAddress(name, parameters);
    const [step, setStep] = useState<Step<T>>({ of: '', is: 'asking' });
    const [before, setBefore] = useState<T>();
    const [round, setRound] = useState({ address, count: 0, isAgreed: false });
    const isAgreed = round.address === address && round.isAgreed;
    const count = round.address === address ? round.count : 0;

    useEffect(() => {
        const leaving = new AbortController();
        const { signal } = leaving;
        const load = async (): Promise<Step<T>> => {
            if (isPaid && !isAgreed) {
                const { plan } = await askServer<{ plan: Plan | null }>(planAddress(name, parameters), { signal });
                if (plan) {
                    return { of: address, is: 'plan', plan };
                }
            }
            return { of: address, is: 'ready', data: await askServer<T>(address, { signal }) };
        };
        setStep({ of: address, is: 'asking' });
        load().then(
            (next) => {
                if (!signal.aborted) {
                    setStep(next);
                    setBefore(next.is === 'ready' ? next.data : undefined);
                }
            },
            (error: unknown) => {
                if (!signal.aborted) {
                    setStep({ of: address, is: 'failed', problem: problemOf(error) });
                }
            },
        );
        return () => leaving.abort();
    }, [address, count, isAgreed, isPaid]);

    const again = () => setRound({ address, count: count + 1, isAgreed: true });
    if (step.of !== address || step.is === 'asking') {
        return { state: 'loading', before };
    }
    switch (step.is) {
        case 'plan':
            return { state: 'plan', plan: step.plan, go: again };
        case 'failed':
            return { state: 'failed', problem: step.problem, before, again };
        case 'ready':
            return { state: 'ready', data: step.data, again };
    }
}

function planAddress(name: string, parameters: Readonly<Record<string, string | undefined>>): string {
    return pageAddress(`${name}/plan`, parameters);
}

function problemOf(error: unknown): Problem {
    return error instanceof NoAnswer ? error.problem : { status: 0, title: 'This page is broken', detail: String(error) };
}
