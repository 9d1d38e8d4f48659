/** Bodies of answers, as schemas.ts describes them: names of the lake's columns, numbers with all their digits. */
import type { LatestMetric, LiveAlert, LiveEpisode, LiveEvent } from '#lake/live/state-store';
import { exactNumber, shortDecimal } from './exact-json.ts';
import type { DeviceNow, Fleet, LakeReading, ReadingStep } from './services.ts';

export function fleetBody({ devices, groups, openAlerts, unacknowledged, isPipelineLate }: Fleet): object {
    return { devices, groups, open_alerts: openAlerts, unacknowledged, pipeline_late: isPipelineLate };
}

export function deviceBody({ state, item }: DeviceNow): object {
    const { device, site, profile, lastAtMs, lastReceivedMs, dueMs, silentMs, open, refused, rejected, lastRejected, metrics } = item;
    return {
        device,
        site,
        profile,
        state,
        last_at_ms: lastAtMs,
        last_received_ms: lastReceivedMs,
        due_ms: dueMs,
        silent_ms: silentMs,
        open_alerts: open.length,
        refused,
        rejected,
        last_rejected: lastRejected && { received_ms: lastRejected.receivedMs, reason: lastRejected.reason, why: lastRejected.why },
        metrics: metricsBody(metrics),
    };
}

function metricsBody(metrics: Readonly<Record<string, LatestMetric>>): object {
    return Object.fromEntries(
        Object.entries(metrics).map(([name, { value, text, unit, atMs, receivedMs, message, clock }]) => [
            name,
            { value: exactNumber(value), text, unit, at_ms: atMs, received_ms: receivedMs, message, clock },
        ]),
    );
}

export function alertBody({ acknowledged, history, inHistory, ...episode }: LiveAlert): object {
    return { ...episodeBody(episode), acknowledged, history, in_history: inHistory && episodeBody(inHistory) };
}

function episodeBody(episode: LiveEpisode): object {
    const { id, site, device, profile, rule, kind, severity, began_ms, ended_ms, worst, readings, why, raised_ms } = episode;
    const told = { id, site, device, profile, rule, kind, severity, began_ms, ended_ms };
    return { ...told, worst: exactNumber(shortDecimal(worst)), readings, why, raised_ms };
}

/** A reading as a row: its columns in the order of CSV. Numbers are exact. */
export function readingRow(reading: LakeReading) {
    const { site, device, metric, atMs, value, text, clock, receivedMs, message, copies } = reading;
    return { site, device, metric, at_ms: atMs, value: shortDecimal(value), text, clock, received_ms: receivedMs, message, copies };
}

/** A step as a row, as `readingRow`. */
export function stepRow({ site, device, metric, fromMs, readings, min, max, mean }: ReadingStep) {
    return { site, device, metric, from_ms: fromMs, n: readings, min: shortDecimal(min), max: shortDecimal(max), mean };
}

/** The row as JSON: columns of exact numbers are numbers. */
export function rowBody<R extends ReturnType<typeof readingRow> | ReturnType<typeof stepRow>>(row: R): object {
    return 'value' in row ? { ...row, value: exactNumber(row.value) } : { ...row, min: exactNumber(row.min), max: exactNumber(row.max) };
}

/** The data of an event; its kind stands in it too, for clients that look at data alone. */
export function eventBody(event: LiveEvent): object {
    switch (event.kind) {
        case 'latest':
            return { ...event, metrics: metricsBody(event.metrics) };
        case 'raised':
        case 'cleared':
            return { kind: event.kind, alert: episodeBody(event.alert) };
        case 'acknowledged':
        case 'judged':
            return { kind: event.kind, alert: alertBody(event.alert) };
        default:
            return event;
    }
}
