/**
 * Raises the silences of a device whose time has passed. Whether it has is judged by arrivals; the episode is the one that history will have, by the device's own
 * times.
 */
import { compareTexts } from '#lake/rows';
import { openEpisodesOf } from '#lake/telemetry/episodes';
import type { DerivingRules } from '#lake/telemetry/rules';
import { deadlineOf, type LiveClock } from './device-state.ts';
import { alertId, liveEpisode } from './latest.ts';
import type { LiveProfiles } from './live-profiles.ts';
import type { DeviceItem, LiveEpisode, StateChange, StateStore } from './state-store.ts';

/** Silences that are raised in one write. */
const SILENCES_AT_ONCE = 500;

export interface RaiseOptions {
    state: StateStore;
    /** Devices of which a silence is to be raised, so many at most. */
    awaited: (clock: LiveClock, limit: number) => string[] | Promise<string[]>;
    profiles: Pick<LiveProfiles, 'open'>;
    clock: () => LiveClock;
    /** What else is told of a device whose silence is raised. */
    tell?: (change: StateChange, before: DeviceItem) => StateChange;
    /** True once the rest is for the next look. */
    isOver?: () => boolean;
}

/** Raises the silences whose times have passed, some hundreds at a time. @returns how many were raised @throws StorageError */
export async function raiseAwaited({
    state,
    awaited,
    profiles,
    clock,
    tell = (change) => change,
    isOver = () => false,
}: RaiseOptions): Promise<number> {
    let raised = 0;
    for (let isMore = true; isMore && !isOver(); ) {
        const at = clock();
        const devices = await awaited(at, SILENCES_AT_ONCE);
        const changes: StateChange[] = [];
        for (const item of (await state.read(devices)).values()) {
            const profile = await profiles.open(item.profile);
            changes.push(tell(raiseSilences(item, 'why' in profile ? undefined : profile.rules, at), item));
        }
        // Where a message came in between, the next look sees it.
        const isWritten = changes.length > 0 && (await state.write({ changes, nowMs: at.nowMs }));
        raised += isWritten ? changes.reduce((sum, { alerts }) => sum + alerts.length, 0) : 0;
        isMore = isWritten && devices.length === SILENCES_AT_ONCE;
    }
    return raised;
}

/** What changes of the item, by the rules of its profile as they are now: undefined where the lake has no such profile. */
function raiseSilences(item: DeviceItem, rules: DerivingRules | undefined, clock: LiveClock): StateChange {
    const { rules: state, lastReceivedMs, open } = item;
    const raised: LiveEpisode[] = [];
    const waiting: number[] = [];
    if (state && rules && lastReceivedMs !== null) {
        const known = new Set(open.map(({ id }) => id));
        const silences = openEpisodesOf(state, rules).filter((episode) => episode.kind === 'silent' && !known.has(alertId(episode)));
        for (const silence of silences) {
            const dueMs = lastReceivedMs + silence.began_ms - state.lastMs;
            if (clock.watermarkMs > deadlineOf(dueMs, lastReceivedMs, clock)) {
                raised.push(liveEpisode(silence, { raisedMs: clock.nowMs }));
            } else {
                waiting.push(dueMs);
            }
        }
    }
    return {
        item: {
            ...item,
            open: [...open, ...raised].sort((a, b) => compareTexts(a.id, b.id)),
            nextSilenceMs: waiting.length === 0 ? null : Math.min(...waiting),
            version: item.version + 1,
        },
        alerts: raised,
        events: raised.map((alert) => ({ kind: 'raised', alert })),
    };
}
