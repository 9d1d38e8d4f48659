/** Alerts as they were raised live, who knows of them, and what history says of each. It scans nothing. */
import { z } from '@hono/zod-openapi';
import { ALERT_STATES, SEVERITIES } from '#lake/live/api/services';
import type { LiveAlert, LiveEpisode } from '#lake/live/state-store';
import { definePage, type PageContext } from './page.ts';

const MAX_LIMIT = 500;

/** Pages of latest state that are looked through for a profile, a site or a kind, which it does not choose by. */
const MAX_LOOKS = 20;

const Parameters = z.strictObject({
    state: z.enum(ALERT_STATES).optional(),
    severity: z.enum(SEVERITIES).optional(),
    kind: z.enum(['alert', 'silent']).optional(),
    device: z.string().optional(),
    rule: z.string().optional(),
    site: z.string().optional(),
    profile: z.string().optional(),
    /** Beginning and id of the last alert of the page before, with a space between. */
    after: z
        .string()
        .regex(/^-?\d+ .+$/, 'Expected a beginning and an id.')
        .transform((text) => ({ beganMs: Number(text.slice(0, text.indexOf(' '))), id: text.slice(text.indexOf(' ') + 1) }))
        .optional(),
    limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(50),
});

/** The answer of the page, as its reader gets it. */
export type AlertsLive = Awaited<ReturnType<typeof answer>>;

export const alertsLivePage = definePage({
    name: 'alerts-live',
    parameters: Parameters,
    reads: () => [],
    answer,
});

async function answer({ kind, site, profile, after, limit, ...asked }: z.output<typeof Parameters>, { live, now }: PageContext) {
    if (!live) {
        return { isLive: false as const };
    }
    const found: LiveAlert[] = [];
    let place = after;
    let hasMore = true;
    for (let looks = 0; hasMore && found.length < limit && looks < MAX_LOOKS; looks++) {
        const { items, hasMore: isMoreBehind } = (await live.alerts({ ...asked, after: place, limit })).answer;
        let seen = 0;
        for (const alert of items) {
            seen += 1;
            place = { beganMs: alert.began_ms, id: alert.id };
            if (isOf(alert, { kind, site, profile }) && found.push(alert) === limit) {
                break;
            }
        }
        hasMore = isMoreBehind || seen < items.length;
    }
    const { openAlerts, unacknowledged, isPipelineLate } = (await live.fleet()).answer;
    return {
        isLive: true as const,
        nowMs: now().getTime(),
        ...{ openAlerts, unacknowledged, isPipelineLate },
        alerts: found.map(({ acknowledged, history, inHistory, ...alert }) => ({
            ...bodyOf(alert),
            acknowledged,
            history,
            inHistory: inHistory === null ? null : bodyOf(inHistory),
        })),
        next: hasMore && place ? `${place.beganMs} ${place.id}` : null,
    };
}

function isOf(alert: LiveAlert, asked: { kind?: string | undefined; site?: string | undefined; profile?: string | undefined }): boolean {
    return (['kind', 'site', 'profile'] as const).every((name) => alert[name] === (asked[name] ?? alert[name]));
}

function bodyOf({ began_ms: beganMs, ended_ms: endedMs, raised_ms: raisedMs, readings, ...alert }: LiveEpisode) {
    return { ...alert, beganMs, endedMs, raisedMs, readings: String(readings) };
}
