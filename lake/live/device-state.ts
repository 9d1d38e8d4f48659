/**
 * The state of a device, online, late or silent, is judged by arrivals and by how far latest state is, never by a clock alone. A machine whose clock jumps, that was
 * switched off, or whose inbox stands still, knows nothing of its devices for a while, and says so.
 */
import type { DeviceItem, LiveEpisode, StateOfDevice } from './state-store.ts';

/** Latest state is late once it has not been level with the inbox for this long. */
export const PIPELINE_LATE_MS = 30_000;

/** What time it is for latest state; UTC epoch milliseconds. */
export interface LiveClock {
    /** The machine's clock. */
    nowMs: number;
    /** All that arrived before is in latest state. */
    watermarkMs: number;
    /** Since when devices have been watched without a break: the start of this program, or the last jump of the machine's clock. */
    watchedSinceMs: number;
    /** True while the watermark stands still. */
    isPipelineLate: boolean;
}

/**
 * The time at which something is due that was said by an arrival. Of an arrival before the watch began, and of one by a clock that has gone back since, it is counted
 * from the watch's beginning.
 */
export function deadlineOf(dueMs: number, receivedMs: number, { nowMs, watchedSinceMs }: LiveClock): number {
    const isWatched = receivedMs >= watchedSinceMs && receivedMs <= nowMs;
    return isWatched ? dueMs : watchedSinceMs + dueMs - receivedMs;
}

/** What of an item its state is told by. */
type Known = Pick<DeviceItem, 'dueMs' | 'silentMs' | 'lastReceivedMs'> & { open: readonly Pick<LiveEpisode, 'kind'>[] };

/** What the device's item says of it. */
export function stateOf({ dueMs, silentMs, lastReceivedMs, open }: Known, clock: LiveClock): StateOfDevice {
    if (dueMs === null || silentMs === null || lastReceivedMs === null) {
        return 'unknown';
    }
    const isRaised = open.some(({ kind }) => kind === 'silent');
    if (clock.isPipelineLate) {
        return !isRaised && clock.nowMs <= deadlineOf(dueMs, lastReceivedMs, clock) ? 'online' : 'unknown';
    }
    if (isRaised || clock.watermarkMs > deadlineOf(silentMs, lastReceivedMs, clock)) {
        return 'silent';
    }
    return clock.watermarkMs > deadlineOf(dueMs, lastReceivedMs, clock) ? 'late' : 'online';
}
