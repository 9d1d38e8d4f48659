/** Bodies of answers, as schemas.ts describes them: names of the lake's columns, numbers with all their digits. */
import type { LatestMetric, LiveAlert } from '#lake/live/state-store';
import { exactNumber, shortDecimal } from './exact-json.ts';
import type { DeviceNow, Fleet, LakeReading, LiveEvent, ReadingStep } from './services.ts';

export function fleetBody({ devices, openAlerts, unacknowledged, isPipelineLate }: Fleet): object {
    return { devices, open_alerts: openAlerts, unacknowledged, pipeline_late: isPipelineLate };
}

export function deviceBody(now: DeviceNow): object {
    const { device, site, profile, state, lastAtMs, lastReceivedMs, dueMs, silentMs, openAlerts, refused, metrics } = now;
    return {
        device,
        site,
        profile,
        state,
        last_at_ms: lastAtMs,
        last_received_ms: lastReceivedMs,
        due_ms: dueMs,
        silent_ms: silentMs,
        open_alerts: openAlerts,
        refused,
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

export function alertBody({ worst, ...alert }: LiveAlert): object {
    const { id, site, device, profile, rule, kind, severity, began_ms, ended_ms, readings, why, raised_ms, acknowledged, history } = alert;
    return {
        id,
        site,
        device,
        profile,
        rule,
        kind,
        severity,
        began_ms,
        ended_ms,
        worst: exactNumber(shortDecimal(worst)),
        readings,
        why,
        raised_ms,
        acknowledged,
        history,
    };
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

/** The data of an event. */
export function eventBody({ device, type, data }: LiveEvent): object {
    if (type === 'latest') {
        return { type, device, ...data, metrics: metricsBody(data.metrics) };
    }
    return type === 'alert' ? { type, device, ...data, alert: alertBody(data.alert) } : { type, device, ...data };
}
