/**
 * The lake's own hours of metrics, for the tests of the Glue jobs: JSON of cases `{hour, profiles, readings}` on standard input, each reading as
 * `[site, device, metric, profile, at_ms, units or null]`; the rows of each case as JSON to stdout, whole numbers as texts.
 */
import { readFileSync } from 'node:fs';
import { type MetricHour, metricHours } from '#lake/telemetry/metric-hours';
import { rulesOf } from '#lake/telemetry/profile/rules-of';
import type { DerivingRules } from '#lake/telemetry/rules';
import type { SortedReadings } from '#lake/telemetry/sorted-readings';

type Row = [site: string, device: string, metric: string, profile: string, atMs: number, units: string | null];

interface Case {
    hour: number;
    profiles: Record<string, Parameters<typeof rulesOf>[0]>;
    readings: Row[];
}

const cases: Case[] = JSON.parse(readFileSync(0, 'utf8'));
const rows = cases.map(({ hour, profiles, readings }) => {
    const rules = new Map<string, DerivingRules>(Object.entries(profiles).map(([name, document]) => [name, rulesOf(document)]));
    return [...metricHours(sorted(readings), { hour, rulesOf: (name) => rules.get(name) })].map(rowOf);
});
process.stdout.write(JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value)));

function sorted(readings: readonly Row[]): SortedReadings {
    const at = (row: number): Row => readings[row] as Row;
    const isSame = (row: number, columns: readonly number[]) =>
        row > 0 && columns.every((column) => at(row)[column] === at(row - 1)[column]);
    return {
        count: readings.length,
        isSameDevice: (row) => isSame(row, [0, 1]),
        isSameSeries: (row) => isSame(row, [0, 1, 2]),
        siteAt: (row) => at(row)[0],
        deviceAt: (row) => at(row)[1],
        metricAt: (row) => at(row)[2],
        profileAt: (row) => at(row)[3],
        messageAt: () => '',
        atMsAt: (row) => at(row)[4],
        unitsAt: (row) => {
            const units = at(row)[5];
            return units === null ? undefined : BigInt(units);
        },
    };
}

/** In the order of the table's columns, without the beginning of the hour. */
function rowOf({ site, device, metric, hour, n, first_ms, last_ms, longest_gap_ms, gap_limit_ms, values }: MetricHour): unknown[] {
    return [
        ...[site, device, metric, hour, values?.digits, n, values?.sum, values?.sum_sq, values?.min, values?.max],
        ...[values?.first, first_ms, values?.last, last_ms, longest_gap_ms, gap_limit_ms, values?.area, values?.area_ms],
    ].map((value) => value ?? null);
}
