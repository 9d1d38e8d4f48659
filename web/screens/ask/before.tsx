/** What a question will cost, before it is asked: known while it is typed, and only said where reading is paid for. */
import { useEffect, useState } from 'preact/hooks';
import { askServer, NoAnswer, pageAddress } from '../../ask-server.ts';
import { sayBytes, sayUsd } from '../../parts/quantity.ts';
import { useAbout } from '../../shell/about-context.ts';
import type { AskPlan } from './answer.ts';

type Known = { is: 'plan'; plan: AskPlan | null } | { is: 'refused'; why: string };

/** Whoever types is not interrupted by answers to every letter. */
const TYPING_MS = 500;

export function Before({ asked }: { asked: Readonly<Record<string, string | undefined>> | undefined }) {
    const { isPaid } = useAbout();
    const address = asked && pageAddress('ask/plan', asked);
    const [known, setKnown] = useState<Known & { of: string }>();
    useEffect(() => {
        if (!isPaid || address === undefined) {
            return;
        }
        const leaving = new AbortController();
        const timer = setTimeout(() => {
            askServer<{ plan: AskPlan | null }>(address, { signal: leaving.signal }).then(
                ({ plan }) => setKnown({ of: address, is: 'plan', plan }),
                (error: unknown) => {
                    if (!leaving.signal.aborted) {
                        setKnown({ of: address, is: 'refused', why: error instanceof NoAnswer ? error.problem.detail : String(error) });
                    }
                },
            );
        }, TYPING_MS);
        return () => {
            clearTimeout(timer);
            leaving.abort();
        };
    }, [address, isPaid]);
    if (!isPaid) {
        return <p class="ask-before">Reading this lake costs nothing.</p>;
    }
    const now = known?.of === address ? known : undefined;
    return (
        <p class="ask-before" aria-live="polite">
            {now === undefined ? (address === undefined ? '' : 'What it will scan is being looked up …') : say(now)}
        </p>
    );
}

function say(known: Known): string {
    if (known.is === 'refused') {
        return `What it will scan is not known: ${known.why}`;
    }
    if (known.plan === null) {
        return 'It scans nothing.';
    }
    const { bytes, costUsd, unknown } = known.plan;
    return unknown.length > 0
        ? `What it will scan is not known: ${unknown.join(', ')} ${unknown.length === 1 ? 'is' : 'are'} none of the lake’s tables and views.`
        : `It will scan ${sayBytes(bytes)} at most: ${sayUsd(costUsd)} by Athena’s list price. A filter on day, or fewer columns, make it less.`;
}
