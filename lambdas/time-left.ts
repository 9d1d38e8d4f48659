/** Tells how long an invocation may still work. */
import type { Context } from 'aws-lambda';

export interface TimeLeft {
    /** Time until Lambda ends the invocation by force, in milliseconds. */
    remainingMs(): number;
    /** Aborted when no more work may be begun or gone on with. */
    signal: AbortSignal;
}

/**
 * Time between the signal and the end. It must hold the step that does not look at the signal (one Parquet object of some hundred thousand
 * pairs, one call to S3 with a second attempt), then giving messages back, logs and metrics. An invocation that is ended by force loses
 * these, and all of its messages stay away for their whole visibility time-out.
 */
const STOP_BEFORE_END_MS = 10_000;

/** Share of the time that goes to the end at most: a short time-out leaves half of itself to the work. */
const LARGEST_SHARE = 0.5;

/** The time of one invocation, from now on. */
export function timeLeftOf(context: Pick<Context, 'getRemainingTimeInMillis'>): TimeLeft {
    const remainingMs = (): number => context.getRemainingTimeInMillis();
    return { remainingMs, signal: AbortSignal.timeout(workingMsOf(remainingMs())) };
}

/** The part of `wholeMs` that may be spent on work. */
export function workingMsOf(wholeMs: number): number {
    const marginMs = Math.min(STOP_BEFORE_END_MS, wholeMs * LARGEST_SHARE);
    return Math.max(0, Math.floor(wholeMs - marginMs));
}
