/** What time it is for latest state on AWS: what the watch noted at its last look. */
import type { LiveClock } from '#lake/live/device-state';
import { numberIn, type StoredRecord, toRecord } from './state-records.ts';

export const PIPELINE_PART = 'pipeline';

export const CLOCK_KEY = toRecord({ part: PIPELINE_PART, place: 'clock' });

/** The watch looks once a minute; after so long without a look nobody knows how far latest state is. */
const LOOK_BELIEVED_MS = 5 * 60_000;

/** The clock by what was noted; before the first look nothing is late, and each device has its whole interval. */
export function clockOf(noted: StoredRecord | undefined, nowMs: number): LiveClock {
    const lookedMs = noted && numberIn(noted, 'at_ms');
    if (!noted || lookedMs === undefined) {
        return { nowMs, watermarkMs: nowMs, watchedSinceMs: nowMs, isPipelineLate: false };
    }
    const watchedSinceMs = numberIn(noted, 'watched_since_ms') ?? nowMs;
    const watermarkMs = numberIn(noted, 'watermark_ms') ?? lookedMs;
    const isPipelineLate = numberIn(noted, 'late_since_ms') !== undefined || nowMs - lookedMs > LOOK_BELIEVED_MS;
    return { nowMs, watermarkMs: isPipelineLate ? watermarkMs : nowMs, watchedSinceMs, isPipelineLate };
}
