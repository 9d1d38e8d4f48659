/** The devices of a lake as its history has them: who was heard in a range of days or is registered, how it is, and what was wrong with it. */
import { compareTexts, formatUnits } from '#lake/rows';
import { type NamedRow, namedRows, numberIn, plainDecimal, textIn } from './named-rows.ts';
import type { PageContext, Reads } from './page.ts';
import { instantsOf } from './time-range.ts';

export interface FleetRow {
    site: string;
    device: string;
    /** The registry's; of a device that is not in it, what its readings were read with. Null where neither tells. */
    profile: string | null;
    place: string | null;
    ip: string | null;
    /** Time of its last reading within the range; null where none is in it. */
    lastMs: number | null;
    /** From when on it is silent unless it reports; null where its profile does not say how often it does. */
    silentFromMs: number | null;
    /** Decimal text. */
    readings: string;
    /** Decimal text: last value of metric `battery`. */
    battery: string | null;
    latitude: number | null;
    longitude: number | null;
    /** Alerts that ended in the range or are open at its end, and silences that ended in it. */
    alerts: number;
    openAlerts: number;
    silences: number;
    /** Milliseconds of the range that lie in alerts and silences, each counted by itself. */
    troubledMs: number;
    /** Why of the longest of them. */
    why: string | null;
}

export interface DayRange {
    /** Days, both inclusive. */
    from: string;
    to: string;
}

/** What `readFleet` scans at most. */
export function fleetReads({ from, to }: DayRange): Reads[] {
    return [
        { table: 'metric_hours', from, to },
        { table: 'episodes', from, to },
        { table: 'devices' },
        { table: 'readings', from: to, to },
    ];
}

/** An answer serves for so long: whoever turns pages, sorts and filters asks for the same rows. */
const KEPT_MS = 15_000;

const kept = new WeakMap<object, Map<string, { rows: Promise<FleetRow[]>; atMs: number }>>();

/** The devices by site and id. Rows are up to 15 seconds old. */
export async function readFleet(context: PageContext, range: DayRange): Promise<readonly FleetRow[]> {
    const nowMs = context.now().getTime();
    const ofLake = kept.get(context.lake) ?? new Map<string, { rows: Promise<FleetRow[]>; atMs: number }>();
    kept.set(context.lake, ofLake);
    for (const [key, { atMs }] of ofLake) {
        if (Math.abs(nowMs - atMs) > KEPT_MS) {
            ofLake.delete(key);
        }
    }
    const key = `${range.from} ${range.to}`;
    const found = ofLake.get(key);
    if (found) {
        // Who asked first may have gone away, and its question with it.
        const rows = await found.rows.catch(() => undefined);
        if (rows) {
            return rows;
        }
    }
    const rows = askFleet(context, range);
    ofLake.set(key, { rows, atMs: nowMs });
    rows.catch(() => ofLake.delete(key));
    return rows;
}

async function askFleet(context: PageContext, range: DayRange): Promise<FleetRow[]> {
    const { fromMs, toMs } = instantsOf(range);
    const { from, to } = range;
    const untilMs = Math.min(toMs, context.now().getTime());
    const parameters = [from, to, from, to, from, to, to];
    const rows = namedRows(await context.ask(fleetSql({ fromMs, untilMs }), { parameters, maxRows: MAX_DEVICES })).map(rowIn);
    if (rows.some(({ profile, lastMs }) => profile === null && lastMs !== null)) {
        const read = namedRows(await context.ask(PROFILES_READ, { parameters: [to], maxRows: MAX_DEVICES }));
        const profiles = new Map(read.map((row) => [nameOf(String(row.site), String(row.device)), String(row.profile)]));
        for (const row of rows) {
            row.profile ??= profiles.get(nameOf(row.site, row.device)) ?? null;
        }
    }
    return rows.sort((a, b) => compareTexts(a.site, b.site) || compareTexts(a.device, b.device));
}

const MAX_DEVICES = 1_000_000;

/** A device's own name: an id is one at its site. */
export function nameOf(site: string, device: string): string {
    return `${site}/${device}`;
}

/** Profiles that the readings of a day were read with. */
const PROFILES_READ = 'select site, device, max(profile) as profile from readings where day = ? group by site, device';

/**
 * One row per device that was heard in the range, is registered, or has an open silence. Columns of device_health of the range alone: that view has no day to filter on. What is open
 * stands in the range's last day, as all_episodes has it. Parameters stand in a `where` only, as Athena wants them: the instants are numbers of our own.
 */
function fleetSql({ fromMs, untilMs }: { fromMs: number; untilMs: number }): string {
    return `
with heard as (
    select
        site,
        device,
        max(last_ms) as last_ms,
        cast(sum(n) as bigint) as readings
    from metric_hours
    where day >= ? and day <= ?
    group by site, device
),

lasts as (
    select site, device, metric, max_by(last_value, last_ms) as units, max_by(digits, last_ms) as digits
    from metric_hours
    where metric in ('battery', 'latitude', 'longitude') and last_value is not null and day >= ? and day <= ?
    group by site, device, metric
),

last_values as (
    select
        site,
        device,
        max(case when metric = 'battery' then units end) as battery_units,
        max(case when metric = 'battery' then digits end) as battery_digits,
        max(case when metric = 'latitude' then units end) as latitude_units,
        max(case when metric = 'latitude' then digits end) as latitude_digits,
        max(case when metric = 'longitude' then units end) as longitude_units,
        max(case when metric = 'longitude' then digits end) as longitude_digits
    from lasts
    group by site, device
),

parts as (
    select
        *,
        case when began_ms <= ${untilMs} then began_ms end as known_ms,
        greatest(least(coalesce(ended_ms, ${untilMs}), ${untilMs}) - greatest(began_ms, ${fromMs}), 0) as within_ms
    from episodes
    where day >= ? and day <= ? and (ended_ms is not null or day = ?)
),

spans as (
    select
        site,
        device,
        max_by(profile, began_ms) as profile,
        min(case when kind = 'silent' and ended_ms is null then began_ms end) as silent_from_ms,
        count(case when kind = 'silent' and ended_ms is not null then 1 end) as silences,
        count(case when kind = 'alert' then 1 end) as alerts,
        count(case when kind = 'alert' and ended_ms is null then 1 end) as open_alerts,
        cast(sum(within_ms) as bigint) as troubled_ms,
        max_by(why, case when known_ms is not null then within_ms end) as why
    from parts
    group by site, device
),

registered as (
    select
        site,
        device,
        max_by(profile, coalesce(valid_from, '0001-01-01')) as profile,
        max_by(ip, coalesce(valid_from, '0001-01-01')) as ip,
        max_by(place, coalesce(valid_from, '0001-01-01')) as place
    from devices
    where valid_to is null
    group by site, device
),

names as (
    select site, device from heard
    union
    select site, device from spans
    union
    select site, device from registered
)

select
    n.site,
    n.device,
    coalesce(r.profile, s.profile) as profile,
    r.place,
    r.ip,
    h.last_ms,
    s.silent_from_ms,
    coalesce(h.readings, 0) as readings,
    v.battery_units,
    v.battery_digits,
    v.latitude_units,
    v.latitude_digits,
    v.longitude_units,
    v.longitude_digits,
    coalesce(s.alerts, 0) as alerts,
    coalesce(s.open_alerts, 0) as open_alerts,
    coalesce(s.silences, 0) as silences,
    coalesce(s.troubled_ms, 0) as troubled_ms,
    s.why
from names as n
left join heard as h on h.site = n.site and h.device = n.device
left join last_values as v on v.site = n.site and v.device = n.device
left join spans as s on s.site = n.site and s.device = n.device
left join registered as r on r.site = n.site and r.device = n.device`;
}

function rowIn(row: NamedRow): FleetRow {
    return {
        site: String(row.site),
        device: String(row.device),
        profile: textIn(row, 'profile'),
        place: textIn(row, 'place'),
        ip: textIn(row, 'ip'),
        lastMs: numberIn(row, 'last_ms'),
        silentFromMs: numberIn(row, 'silent_from_ms'),
        readings: textIn(row, 'readings') ?? '0',
        battery: valueIn(row, 'battery'),
        latitude: coordinateIn(row, 'latitude'),
        longitude: coordinateIn(row, 'longitude'),
        alerts: numberIn(row, 'alerts') ?? 0,
        openAlerts: numberIn(row, 'open_alerts') ?? 0,
        silences: numberIn(row, 'silences') ?? 0,
        troubledMs: numberIn(row, 'troubled_ms') ?? 0,
        why: textIn(row, 'why'),
    };
}

/** The metric's value as decimal text: metric_hours has it in units of 10^-digits. */
function valueIn(row: NamedRow, metric: string): string | null {
    const [units, digits] = [textIn(row, `${metric}_units`), numberIn(row, `${metric}_digits`)];
    return units === null ? null : plainDecimal(formatUnits(BigInt(units), digits ?? 0));
}

function coordinateIn(row: NamedRow, metric: string): number | null {
    const value = valueIn(row, metric);
    return value === null ? null : Number(value);
}
