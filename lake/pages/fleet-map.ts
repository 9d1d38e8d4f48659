/** Places of the devices: by their own latitude and longitude, and else by coordinates in the registry's place. */
import { z } from '@hono/zod-openapi';
import type { DeviceItem, StateOfDevice } from '#lake/live/state-store';
import { FleetFilters, isWanted, namesOf, stateAt } from './fleet-history.ts';
import { type FleetRow, fleetReads, nameOf, readFleet } from './fleet-rows.ts';
import { definePage, type LiveState, type PageContext } from './page.ts';
import { placeOf } from './place.ts';
import { Days } from './time-range.ts';

const Parameters = z.strictObject({ ...Days, ...FleetFilters, at: z.enum(['now', 'end']).default('now') });

/** The answer of the page, as its reader gets it. */
export type FleetMap = Awaited<ReturnType<typeof answer>>;

export const fleetMapPage = definePage({
    name: 'fleet-map',
    parameters: Parameters,
    reads: (asked) => fleetReads(asked),
    answer,
});

async function answer({ from, to, at, ...filters }: z.output<typeof Parameters>, context: PageContext) {
    const all = await readFleet(context, { from, to });
    const newestMs = all.reduce((newest, { lastMs }) => Math.max(newest, lastMs ?? 0), 0);
    const atMs = at === 'end' ? newestMs : context.now().getTime();
    const found = new Map<string, MappedDevice>(
        all.map((row) => [
            nameOf(row.site, row.device),
            { ...pick(row), state: stateAt(row, atMs), openAlerts: row.openAlerts, ...positionOf(row) },
        ]),
    );
    for await (const { state, item } of devicesOf(context.live)) {
        const key = nameOf(item.site, item.device);
        const known = found.get(key);
        found.set(key, { ...pick(item), state, openAlerts: item.open.length, ...(livePosition(item) ?? pickPosition(known)) });
    }
    const wanted = [...found.values()].filter((one) => isWanted(one, filters));
    const placed = wanted.filter((one) => one.latitude !== null && one.longitude !== null);
    return {
        isLive: context.live !== undefined,
        sites: namesOf([...found.values()], ({ site }) => site),
        profiles: namesOf([...found.values()], ({ profile }) => profile),
        // In columns: ten thousand devices are said in a third of the bytes.
        device: placed.map(({ device }) => device),
        site: placed.map(({ site }) => site),
        state: placed.map(({ state }) => state),
        openAlerts: placed.map(({ openAlerts }) => openAlerts),
        latitude: placed.map(({ latitude }) => latitude),
        longitude: placed.map(({ longitude }) => longitude),
        /** `metric` where the device says where it is, `place` where the registry does. */
        by: placed.map(({ by }) => by),
        unplaced: wanted.length - placed.length,
    };
}

interface Position {
    latitude: number | null;
    longitude: number | null;
    by: 'metric' | 'place' | null;
}

interface MappedDevice extends Position {
    device: string;
    site: string;
    profile: string | null;
    state: StateOfDevice;
    openAlerts: number;
}

const NOWHERE: Position = { latitude: null, longitude: null, by: null };

function pick({ device, site, profile }: Pick<FleetRow, 'device' | 'site' | 'profile'>) {
    return { device, site, profile };
}

function pickPosition({ latitude, longitude, by }: Position = NOWHERE): Position {
    return { latitude, longitude, by };
}

function positionOf({ latitude, longitude, place }: FleetRow): Position {
    return asPosition(latitude, longitude) ?? registered(place);
}

function registered(place: string | null): Position {
    const found = place === null ? undefined : placeOf(place);
    return found ? { ...found, by: 'place' } : NOWHERE;
}

function livePosition({ metrics: { latitude, longitude } }: DeviceItem): Position | undefined {
    return asPosition(toNumber(latitude?.value), toNumber(longitude?.value));
}

function toNumber(text: string | null | undefined): number | null {
    return text === null || text === undefined ? null : Number(text);
}

/** The position; undefined for numbers that are none on Earth. */
function asPosition(latitude: number | null, longitude: number | null): Position | undefined {
    const isOne = latitude !== null && longitude !== null && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
    return isOne ? { latitude, longitude, by: 'metric' } : undefined;
}

/** Devices that are asked for at once. */
const AT_ONCE = 1000;

async function* devicesOf(live: LiveState | undefined) {
    let after: string | undefined;
    for (let hasMore = live !== undefined; live && hasMore; ) {
        const { answer } = await live.devices({ after, limit: AT_ONCE });
        yield* answer.items;
        after = answer.items.at(-1)?.item.device;
        hasMore = answer.hasMore;
    }
}
