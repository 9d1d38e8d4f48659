/**
 * Makes latest state anew from the lake, where its database is lost: the newest reading of each metric, and what rules had seen when the last day was derived.
 * What the inbox still holds is taken behind that as ever. Nothing is raised by it, and no hook is told.
 */
import { unpackState } from '#lake/commit/derive-state';
import { StorageError } from '#lake/errors';
import { mergedKey } from '#lake/layout';
import type { QueryEngine, Value } from '#lake/query/query-engine';
import { compareTexts } from '#lake/rows';
import type { ObjectStore } from '#lake/store/object-store';
import { episodes as episodesTable } from '#lake/telemetry/derived-tables';
import { type DeviceState, type EpisodeState, openEpisodesOf, sayUnits } from '#lake/telemetry/episodes';
import { parseDecimal, roundTo } from '#lake/telemetry/profile/decimal';
import { findLastDay } from './history-verdict.ts';
import { cutText, deadlinesOf, liveEpisode, newItem, showUnits } from './latest.ts';
import type { LiveProfile, LiveProfiles } from './live-profiles.ts';
import type { Cursor, DeviceItem, LatestMetric, StateBatch, StateChange, StateStore } from './state-store.ts';

const DAY_MS = 86_400_000;

/** Days of readings that are looked through: a metric that was not told in them is shown again once it comes. */
const DAYS_BACK = 7;

const ITEMS_AT_ONCE = 500;
const COLUMN_DIGITS = 9;

/** The newest reading of each metric of each device; of its values one is null, and an aggregate leaves nulls out, so both are one text. */
const NEWEST = `
select device, metric, max(at_ms) as at_ms,
    max_by(message, (at_ms, message)) as message, max_by(site, (at_ms, message)) as site, max_by(profile, (at_ms, message)) as profile,
    max_by(received_ms, (at_ms, message)) as received_ms, max_by(clock, (at_ms, message)) as clock,
    max_by(coalesce('v' || cast(value as varchar), 't' || text), (at_ms, message)) as shown
from readings where day >= ? and at_ms <= ? group by device, metric order by device, metric`;

export interface RebuildOptions {
    store: ObjectStore;
    engine: QueryEngine;
    profiles: Pick<LiveProfiles, 'open'>;
    state: StateStore;
    /** The last message of the inbox that is in the tables: what comes behind it is followed as ever. */
    inLake: Cursor;
    /** The machine's clock, UTC epoch milliseconds. */
    nowMs: number;
}

/** What was made anew. */
export interface Rebuilt {
    devices: number;
    metrics: number;
    openAlerts: number;
    /** First day of readings that was looked through. */
    fromDay: string;
}

/** Who follows messages meanwhile may be faster, once or twice. */
const MAX_CONFLICTS = 20;

/**
 * Makes latest state anew, where it has no cursor or messages are followed meanwhile. Safe to repeat: what is known and newer stays. Counts of what was late, refused and rejected begin at 0.
 * @throws StorageError
 */
export async function rebuildState({ store, engine, profiles, state, inLake, nowMs }: RebuildOptions): Promise<Rebuilt> {
    const fromDay = new Date(nowMs - DAYS_BACK * DAY_MS).toISOString().slice(0, 'yyyy-mm-dd'.length);
    const states = await readStates(store);
    const rebuilt: Rebuilt = { devices: 0, metrics: 0, openAlerts: 0, fromDay };
    let changes: StateChange[] = [];
    const write = async (cursor?: StateBatch['cursor']): Promise<void> => {
        const found = changes;
        changes = [];
        for (let tries = 0; tries < MAX_CONFLICTS; tries += 1) {
            const known = await state.read(found.map(({ item }) => item.device));
            const missing = found.flatMap((change) => missingIn(known.get(change.item.device), change) ?? []);
            if (await state.write({ changes: missing, cursor, nowMs })) {
                return;
            }
        }
        throw new StorageError(`latest state was written by others ${MAX_CONFLICTS} times in a row: try again`);
    };
    for await (const rows of devicesIn(await engine.query(NEWEST, { parameters: [fromDay, BigInt(nowMs + DAY_MS)] }))) {
        const device = String(rows[0]?.device);
        const item = await itemOf(rows, {
            item: { ...newItem(device, inLake.stream), sequence: inLake.sequence },
            state: states.get(device),
            profiles,
        });
        changes.push({ item, alerts: item.open, events: [] });
        rebuilt.devices += 1;
        rebuilt.metrics += rows.length;
        rebuilt.openAlerts += item.open.length;
        if (changes.length === ITEMS_AT_ONCE) {
            await write();
        }
    }
    await write({ before: undefined, after: inLake });
    return rebuilt;
}

/** What history has and the item has not; undefined where that is nothing. A device that was never heard of gets all; of one that was heard of since, rules go on from there. */
function missingIn(known: DeviceItem | undefined, { item, alerts, events }: StateChange): StateChange | undefined {
    if (!known) {
        return { item, alerts, events };
    }
    const { stream, sequence } = known;
    const version = known.version + 1;
    if (known.lastReceivedMs === null) {
        const { refused, rejected, lastRejected } = known;
        return { item: { ...item, stream, sequence, refused, rejected, lastRejected, version }, alerts, events };
    }
    const newer = Object.entries(item.metrics).filter(([name, { atMs, message }]) => {
        const has = known.metrics[name];
        return !has || (atMs - has.atMs || compareTexts(message, has.message)) > 0;
    });
    if (newer.length === 0) {
        return undefined;
    }
    const lastAtMs = Math.max(known.lastAtMs ?? 0, ...newer.map(([, { atMs }]) => atMs));
    return { item: { ...known, metrics: { ...known.metrics, ...Object.fromEntries(newer) }, lastAtMs, version }, alerts: [], events };
}

type Row = Readonly<Record<string, Value>>;

/** The rows of each device together. */
async function* devicesIn({ columns, batches }: Awaited<ReturnType<QueryEngine['query']>>): AsyncGenerator<Row[]> {
    let rows: Row[] = [];
    for await (const batch of batches) {
        for (const values of batch) {
            const row = Object.fromEntries(columns.map(({ name }, at) => [name, values[at] ?? null]));
            if (rows.length > 0 && rows[0]?.device !== row.device) {
                yield rows;
                rows = [];
            }
            rows.push(row);
        }
    }
    if (rows.length > 0) {
        yield rows;
    }
}

interface ItemContext {
    item: DeviceItem;
    state: DeviceState | undefined;
    profiles: Pick<LiveProfiles, 'open'>;
}

async function itemOf(rows: readonly Row[], { item, state, profiles }: ItemContext): Promise<DeviceItem> {
    const metrics: [string, LatestMetric][] = [];
    for (const row of rows) {
        const profile = await profiles.open(String(row.profile));
        metrics.push([String(row.metric), metricOf(row, 'why' in profile ? undefined : profile)]);
    }
    const newest = rows.reduce((one, other) => (Number(other.received_ms) > Number(one.received_ms) ? other : one));
    const profile = await profiles.open(String(newest.profile));
    const rules = 'why' in profile ? undefined : profile.rules;
    const known = { rules: state ?? null, lastReceivedMs: Number(newest.received_ms) };
    const open = state && rules ? openEpisodesOf(state, rules).filter(({ kind }) => kind === 'alert') : [];
    return {
        ...item,
        ...known,
        ...(rules && deadlinesOf(known, rules)),
        site: String(newest.site),
        profile: String(newest.profile),
        metrics: Object.fromEntries(metrics),
        lastAtMs: Math.max(...metrics.map(([, { atMs }]) => atMs)),
        open: open.map((episode) => liveEpisode(episode, { raisedMs: null })).sort((a, b) => compareTexts(a.id, b.id)),
        version: 1,
    };
}

function metricOf(row: Row, profile: LiveProfile | undefined): LatestMetric {
    const shown = String(row.shown);
    const facts = profile?.factsOf(String(row.metric));
    const value = shown.startsWith('v') ? parseDecimal(shown.slice(1)) : undefined;
    return {
        value: value ? valueText(roundTo(value, COLUMN_DIGITS), facts) : null,
        text: value ? null : cutText(shown.slice(1)),
        unit: facts?.unit ?? null,
        atMs: Number(row.at_ms),
        message: String(row.message),
        receivedMs: Number(row.received_ms),
        clock: row.clock === 'device' ? 'device' : 'arrival',
    };
}

/** A value with its metric's digits; with those that it has where the profile keeps no figures of the metric. */
function valueText(units: bigint, facts: ReturnType<LiveProfile['factsOf']>): string {
    const digits = facts?.kind === 'yes/no' ? 0 : facts?.digits;
    return digits === undefined ? sayUnits(units) : showUnits(units, digits);
}

/** What rules had seen of each device behind the last day that has episodes; of a device that was at two sites, at the last one. */
async function readStates(store: ObjectStore): Promise<Map<string, DeviceState>> {
    const last = await findLastDay(store);
    const key = last === undefined ? '' : mergedKey(episodesTable, last);
    const object = last === undefined ? undefined : await store.get(key);
    const states = new Map<string, DeviceState>();
    if (object) {
        const { devices }: EpisodeState = JSON.parse(unpackState(key, object.bytes)) ?? { devices: [] };
        for (const state of devices) {
            if (state.lastMs >= (states.get(state.device)?.lastMs ?? Number.NEGATIVE_INFINITY)) {
                states.set(state.device, state);
            }
        }
    }
    return states;
}
