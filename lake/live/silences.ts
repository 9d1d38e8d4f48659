/**
 * Raises the silences of a device whose time has passed. Whether it has is judged by arrivals; the episode is the one that history will have, by the device's own
 * times.
 */
import { compareTexts } from '#lake/rows';
import { openEpisodesOf } from '#lake/telemetry/episodes';
import type { DerivingRules } from '#lake/telemetry/rules';
import { deadlineOf, type LiveClock } from './device-state.ts';
import { alertId, liveEpisode } from './latest.ts';
import type { DeviceItem, LiveEpisode, StateChange } from './state-store.ts';

/** What changes of the item, by the rules of its profile as they are now: undefined where the lake has no such profile. */
export function raiseSilences(item: DeviceItem, rules: DerivingRules | undefined, clock: LiveClock): StateChange {
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
