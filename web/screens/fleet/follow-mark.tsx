/** Says how what is shown is kept up to date. */
import { Instant } from '../../parts/time.tsx';
import type { Following } from '../../parts/use-events.ts';

const WORDS: Readonly<Record<Following, string>> = {
    live: 'Live: changes are shown as they happen.',
    polled: 'Asked again every 20 seconds.',
    off: '',
};

export function FollowMark({ following, nowMs }: { following: Following; nowMs: number }) {
    return (
        <span class="follow">
            {following === 'live' && (
                <span class="sign" aria-hidden="true">
                    ◉{' '}
                </span>
            )}
            {WORDS[following]} As of <Instant ms={nowMs - (nowMs % 1000)} />.
        </span>
    );
}
