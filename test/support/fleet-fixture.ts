/** Directory lakes with known readings: readings in, the tables that are derived from them, profiles and the registry as the lake has them, an engine to ask. */
import { derive } from '#lake/commit/derive';
import { type DeviceChange, registerDevice } from '#lake/devices';
import { addInput } from '#lake/inputs';
import { mergedKey } from '#lake/layout';
import { writeRows } from '#lake/parquet';
import { compareTexts } from '#lake/rows';
import { openDirectoryStore } from '#lake/store/directory';
import { derivedTables } from '#lake/telemetry/derivations';
import { readings as readingsTable } from '#lake/telemetry/tables';
import { type FixtureLake, type Flow, groupBy, openFixture } from '#test/support/lake-fixture';
import { unitsOf } from '#test/support/sorted-readings';

export interface FleetReading {
    /** ISO 8601 in UTC. */
    at: string;
    /** A decimal, or with a letter in front a text. */
    is: string;
    device?: string;
    metric?: string;
    site?: string;
    message?: string;
    copies?: number;
}

interface FleetOptions {
    readings: readonly FleetReading[];
    /** The profile of all readings; without it one with metric `temperature` of one digit, and gaps from an hour on. */
    profile?: Readonly<Record<string, unknown>>;
    /** What the registry is told, in this order. */
    devices?: readonly DeviceChange[];
    flows?: readonly Flow[];
}

const PROFILE = {
    name: 'made-up',
    device: { path: 'device' },
    time: { path: 'ts', unit: 's' },
    metrics: [
        { name: 'temperature', path: 'temperature', digits: 1 },
        { name: 'battery', path: 'battery', digits: 0 },
        { name: 'status', path: 'status', kind: 'text' },
    ],
};

/** An alert rule of the made-up profile. */
export const HOT = {
    rule: 'hot',
    metric: 'temperature',
    above: { raise: 30, clear: 28 },
    severity: 'warning',
    message: 'too warm',
};

/** A lake with these readings in it, of which everything is derived. */
export async function openFleet({ readings, profile = {}, devices = [], flows = [] }: FleetOptions): Promise<FixtureLake> {
    const lake = await openFixture(flows);
    const store = openDirectoryStore(lake.directory);
    await addInput(store, 'profiles/', 'made-up', { ...PROFILE, ...profile });
    for (const [period, ofHour] of groupBy(readings, ({ at }) => at.slice(0, 'yyyy-mm-ddThh'.length))) {
        await store.put(mergedKey(readingsTable, period), writeRows(readingsTable, rowsOf(ofHour), { contains: [], format: 1 }));
    }
    for (const day of [...new Set(readings.map(({ at }) => at.slice(0, 'yyyy-mm-dd'.length)))].sort()) {
        for (const { table } of derivedTables) {
            await derive({ table: table.name, period: day }, { store });
        }
    }
    for (const change of devices) {
        await registerDevice(store, { profile: 'made-up', ...change }, { today: '2026-01-01' });
    }
    return lake;
}

function rowsOf(readings: readonly FleetReading[]) {
    const rows = readings
        .map(({ site = 'main', device = 'd1', metric = 'temperature', message = '0', copies = 1, at, is }) => {
            return { site, device, metric, message, copies, ms: BigInt(Date.parse(at)), value: unitsOf(is) ?? null, is };
        })
        .sort(
            (a, b) =>
                compareTexts(a.site, b.site) ||
                compareTexts(a.device, b.device) ||
                compareTexts(a.metric, b.metric) ||
                Number(a.ms - b.ms) ||
                compareTexts(a.message, b.message),
        );
    const times = BigInt64Array.from(rows, ({ ms }) => ms);
    return {
        site: rows.map(({ site }) => site),
        device: rows.map(({ device }) => device),
        metric: rows.map(({ metric }) => metric),
        at_ms: times,
        message: rows.map(({ message }) => message),
        measured_at: times,
        received_ms: times,
        value: rows.map(({ value }) => value),
        text: rows.map(({ value, is }) => (value === null ? is : null)),
        clock: rows.map(() => 'device'),
        profile: rows.map(() => 'made-up'),
        copies: BigInt64Array.from(rows, ({ copies }) => BigInt(copies)),
    };
}

/** Milliseconds since 1970. */
export function ms(at: string): bigint {
    return BigInt(Date.parse(at));
}
