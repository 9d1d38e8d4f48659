/** The fleet as it is now: latest state of a lake that is served, or deployed with live telemetry. It scans nothing. */
import { z } from '@hono/zod-openapi';
import type { DeviceNow } from '#lake/live/api/services';
import { DEVICE_STATES } from '#lake/live/state-store';
import { FleetFilters } from './fleet-history.ts';
import { definePage, type PageContext } from './page.ts';

const MAX_LIMIT = 500;

const Parameters = z.strictObject({
    ...FleetFilters,
    state: z.enum(DEVICE_STATES).optional(),
    /** Id of the last device of the page before. */
    after: z.string().optional(),
    limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(50),
});

/** The answer of the page, as its reader gets it. */
export type FleetLive = Awaited<ReturnType<typeof answer>>;

export const fleetLivePage = definePage({
    name: 'fleet-live',
    parameters: Parameters,
    reads: () => [],
    answer,
});

async function answer(asked: z.output<typeof Parameters>, { live, now }: PageContext) {
    if (!live) {
        return { isLive: false as const };
    }
    const [fleet, devices] = await Promise.all([live.fleet(), live.devices({ ...asked, after: asked.after })]);
    const { items, hasMore } = devices.answer;
    return {
        isLive: true as const,
        nowMs: now().getTime(),
        fleet: { ...fleet.answer, groups: fleet.answer.groups.map(({ devices: states, ...group }) => ({ ...group, ...states })) },
        devices: items.map(deviceBody),
        next: hasMore ? (items.at(-1)?.item.device ?? null) : null,
    };
}

/** What of a device a list shows. */
export function deviceBody({ state, item }: DeviceNow) {
    const { device, site, profile, lastAtMs, lastReceivedMs, dueMs, silentMs, open, metrics } = item;
    const battery = metrics.battery;
    return {
        ...{ device, site, profile, state, lastAtMs, lastReceivedMs, dueMs, silentMs },
        openAlerts: open.length,
        why: open.at(-1)?.why ?? null,
        battery: battery === undefined ? null : { value: battery.value ?? battery.text, unit: battery.unit, atMs: battery.atMs },
    };
}
