/** Both ways to derive, over random readings: what lake/telemetry makes of hours, and what the judge makes of whole days. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { DerivedTable, Input, Json, SecondDerivation } from '#lake/kind';
import { compareTexts } from '#lake/rows';
import { withWords } from '#lake/tables';
import { derivedTables } from '#lake/telemetry/derivations';
import { parseProfile } from '#lake/telemetry/profile/profile';
import { readings } from '#lake/telemetry/tables';
import { joinRows } from '#lake/typed-parts';
import { toPlain, toTyped } from '#lake/typed-rows';
import { type Engine, literal, openEngine } from '#lake/verify/engine';
import { secondReader } from '#lake/verify/telemetry/second-reader';

let engine: Engine;

beforeAll(async () => {
    engine = await openEngine();
});
afterAll(() => engine.close());

interface Made {
    site: string;
    device: string;
    metric: string;
    at_ms: number;
    message: string;
    profile: string;
    value: bigint | null;
}

const DAYS = ['2026-01-05', '2026-01-06', '2026-01-08'];
const MIDNIGHT = Date.parse(`${DAYS[0]}T00:00:00Z`);
const HOUR = 3_600_000;

/** What the lake has: one profile with rules of every kind and one with few words. A third name is none that the lake has. */
const INPUTS: ReadonlyMap<string, Input> = new Map(
    [
        {
            name: 'rich',
            device: { path: 'd' },
            time: 'arrival',
            gapLimit: '30m',
            dueEvery: '1h',
            grace: '20m',
            metrics: [
                { name: 'temp', path: 't', digits: 2 },
                { name: 'level{n}', path: 'level{n}', digits: 1, statistics: true },
                { name: 'level1{n}', path: 'more{n}', digits: 3 },
                { name: 'latitude', path: 'a', digits: 6 },
                { name: 'longitude', path: 'o', digits: 6 },
                { name: 'raw', path: 'r', digits: 1, statistics: false },
                { name: 'word', path: 'w', kind: 'text' },
            ],
            alerts: [
                { rule: 'hot', severity: 'warning', message: 'too warm', metric: 'temp', above: { raise: 3, clear: '2.5' } },
                { rule: 'edge', severity: 'info', message: 'at the edge', metric: 'temp', above: { raise: 2, clear: 2 }, holdFor: '10m' },
                { rule: 'cold', severity: 'critical', message: 'too cold', metric: 'temp', below: { raise: -1, clear: 0 }, holdFor: '1h' },
                { rule: 'lost', severity: 'info', message: 'no temperature', metric: 'temp', missingFor: '2h' },
                { rule: 'lost-long', severity: 'critical', message: 'no temperature still', metric: 'temp', missingFor: '5h' },
                {
                    rule: 'away',
                    severity: 'warning',
                    message: 'outside',
                    outside: { latitude: '45.1', longitude: '179.99', radiusM: 60_000, backM: 50_000 },
                },
            ],
        },
        {
            name: 'poor',
            device: { path: 'd' },
            time: 'arrival',
            metrics: [{ name: 'temp', path: 't', digits: 0 }],
            alerts: [
                { rule: 'hot', severity: 'info', message: 'warm', metric: 'temp', above: { raise: 1, clear: 0 } },
                { rule: 'quiet', severity: 'info', message: 'quiet', silentFor: '90s' },
            ],
        },
    ].map((document) => [document.name, { version: 1, document }]),
);

const made = fc.record({
    site: fc.constantFrom('main', 'ü'),
    device: fc.constantFrom('a', 'b'),
    metric: fc.constantFrom('temp', 'temp', 'temp', 'level1', 'level12', 'latitude', 'longitude', 'raw', 'word', 'other'),
    at_ms: fc
        .tuple(fc.constantFrom(0, 1, 3), fc.integer({ min: 0, max: 23 }), fc.constantFrom(0, 1, 60_000, 600_000, 900_000, HOUR - 1))
        .map(([day, hour, ms]) => MIDNIGHT + day * 24 * HOUR + hour * HOUR + ms),
    message: fc.constantFrom('1', '2', 'é'),
    profile: fc.constantFrom('rich', 'rich', 'rich', 'rich', 'poor', 'gone'),
    value: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: -8, max: 20 }).map((quarters) => BigInt(quarters) * 250_000_000n) },
        fc.constantFrom(null, 0n, 45_100_000_000n, 45_600_000_001n, 179_990_000_000n, -179_500_000_000n),
        fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
        fc.constantFrom(10n ** 28n - 1n, 1n - 10n ** 28n, 10n ** 23n),
    ),
});

/** The readings with each key once, in the order of their keys. */
function sorted(some: readonly Made[]): Made[] {
    const keyOf = ({ site, device, metric, at_ms, message }: Made): string => JSON.stringify([site, device, metric, at_ms, message]);
    return [...new Map(some.map((reading) => [keyOf(reading), reading])).values()].sort(
        (a, b) =>
            compareTexts(a.site, b.site) ||
            compareTexts(a.device, b.device) ||
            compareTexts(a.metric, b.metric) ||
            a.at_ms - b.at_ms ||
            compareTexts(a.message, b.message),
    );
}

function periodOf({ at_ms }: Made): string {
    return new Date(at_ms).toISOString().slice(0, 13);
}

const input = async (name: string) => INPUTS.get(name);

/** Rows as texts, in the order of these, and the state behind them. */
interface Derived {
    rows: string[];
    state: Json;
}

/** The rows and the closing state of a day as lake/telemetry makes them, hour after hour. */
async function deriveHere({ table, derive, atEnd }: DerivedTable, some: readonly Made[], opening: Json): Promise<Derived> {
    const lists = [];
    let state = opening;
    for (const period of [...new Set(some.map(periodOf))].sort()) {
        const hour = some.filter((reading) => periodOf(reading) === period);
        const at = hour.map(({ at_ms }) => BigInt(at_ms));
        const rows = toTyped(readings, {
            site: hour.map(({ site }) => site),
            device: hour.map(({ device }) => device),
            metric: hour.map(({ metric }) => metric),
            at_ms: BigInt64Array.from(at),
            message: hour.map(({ message }) => message),
            measured_at: BigInt64Array.from(at),
            received_ms: BigInt64Array.from(at),
            value: hour.map(({ value }) => value),
            text: hour.map(({ value }) => (value === null ? 'on' : null)),
            clock: hour.map(() => 'device'),
            profile: hour.map(({ profile }) => profile),
            copies: BigInt64Array.from(hour, () => 1n),
        });
        const part = await derive({ period, rows, input, opening: state });
        lists.push(part.rows);
        state = part.closing === undefined ? state : part.closing;
    }
    if (atEnd) {
        lists.push(await atEnd(state, { input }));
    }
    const words = withWords(table);
    const plain = toPlain(words, joinRows(words, lists)) as Record<string, ArrayLike<unknown>>;
    const count = plain.site?.length ?? 0;
    const rows = Array.from({ length: count }, (_, row) =>
        words.columns.map(({ name, type }) => textOfValue(type === 'decimal(28,9)' ? decimal(plain[name]?.[row]) : plain[name]?.[row])),
    );
    return { rows: rows.map((row) => row.join('|')).sort(), state: JSON.parse(JSON.stringify(state)) as Json };
}

function textOfValue(value: unknown): string {
    return value === null || value === undefined ? '-' : String(value);
}

function decimal(value: unknown): string | null {
    if (typeof value !== 'bigint') {
        return null;
    }
    const digits = String(value < 0n ? -value : value).padStart(10, '0');
    return `${value < 0n ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

/** The same by the judge. */
async function deriveAgain({ table }: DerivedTable, second: SecondDerivation, some: readonly Made[], opening: Json): Promise<Derived> {
    await engine.run(
        'create or replace temp table day_rows (site varchar, device varchar, metric varchar, period varchar, at_ms hugeint, message varchar, value decimal(38, 9), profile varchar)',
    );
    if (some.length > 0) {
        const rows = some.map((reading) => {
            const { site, device, metric, at_ms, message, value, profile } = reading;
            const texts = [site, device, metric, periodOf(reading)].map(literal).join(', ');
            return `(${texts}, ${at_ms}, ${literal(message)}, ${value === null ? 'null' : `cast('${decimal(value)}' as decimal(38, 9))`}, ${literal(profile)})`;
        });
        await engine.run(`insert into day_rows values ${rows.join(', ')}`);
    }
    const state = await second.derive(engine, { opening, input });
    const found = await engine.rows(
        `select ${table.columns.map(({ name }) => `cast("${name}" as varchar) as "${name}"`).join(', ')} from derived_rows`,
    );
    const rows = found.map((row) => table.columns.map(({ name }) => textOfValue(row[name])).join('|'));
    return { rows: rows.sort(), state: JSON.parse(JSON.stringify(state)) as Json };
}

test.each(derivedTables.map((derived) => [derived.table.name, derived] as const))(
    '%s: both ways come to the same',
    async (name, derived) => {
        for (const { document } of INPUTS.values()) {
            parseProfile(document);
        }
        const second = secondReader.derivations?.[name];
        if (!second) {
            throw new Error(`there is no second way to ${name}`);
        }
        await fc.assert(
            fc.asyncProperty(fc.array(made, { maxLength: 60, size: 'max' }), async (some) => {
                let [here, again]: [Json, Json] = [null, null];
                for (const day of DAYS) {
                    const ofDay = sorted(some.filter((reading) => periodOf(reading).startsWith(day)));
                    const one: Derived = await deriveHere(derived, ofDay, here);
                    const other: Derived = await deriveAgain(derived, second, ofDay, again);
                    expect(other.rows).toEqual(one.rows);
                    const facts = (state: Json) =>
                        new Map(second.factsOf?.(state).map(({ key, figure, value }) => [JSON.stringify([key, figure]), value]));
                    expect(facts(other.state)).toEqual(facts(one.state));
                    [here, again] = [one.state, other.state];
                }
            }),
            { numRuns: 40 },
        );
    },
);
