/** The kinds of data that there are. A new kind is a room of its own and one entry here. */

import { devices } from '#lake/devices-table';
import { StorageError } from '#lake/errors';
import { flows } from '#lake/flows/kind';
import type { DerivedTable, Inputs, Kind } from '#lake/kind';
import { dayOfPeriod, inputNameOf, kindNameOf, LEDGER_PREFIX, type TablePeriod } from '#lake/layout';
import { type Column, type ColumnType, type Table, text, whole } from '#lake/tables';
import { telemetry } from '#lake/telemetry/kind';

/** Kinds of data that a program knows; the first one is that of raw keys that name none. */
export type KnownKinds = readonly [Kind, ...Kind[]];

/** Every kind; the first one is that of raw keys that name none, and of messages and reports of earlier versions. */
export const kinds: KnownKinds = [
    // The second readers are named here and not in the kinds: the two ways to read a file know nothing of each other.
    { ...flows, secondReader: async () => (await import('#lake/verify/flows/second-reader')).secondReader },
    { ...telemetry, secondReader: async () => (await import('#lake/verify/telemetry/second-reader')).secondReader },
];

/** The kind that a raw key names. Undefined where this program does not know it. */
export function findKind(rawKey: string, among: KnownKinds = kinds): Kind | undefined {
    const name = kindNameOf(rawKey);
    return name === undefined ? among[0] : among.find((known) => known.name === name);
}

/** The kind that a raw key names. @throws StorageError where this program does not know it */
export function kindOf(rawKey: string): Kind {
    return findKind(rawKey) ?? failAsUnknown(rawKey);
}

/**
 * The kind that a source was read as; undefined where this program does not know it. Programs that knew no kinds read every source as the first
 * one, also where a folder of its key happened to be named `kind=...`: that kind's findings in the record tell.
 */
export function findKindOfRecord(
    record: Readonly<Record<string, unknown>> & { source: string },
    among: KnownKinds = kinds,
): Kind | undefined {
    const [first] = among;
    return findKind(record.source, among) ?? (first.found[0] && first.found[0].name in record ? first : undefined);
}

/** The kind that a source was read as, or is to be read as where it has no record yet; undefined where this program does not know it. */
export function findKindOfSource(
    rawKey: string,
    record: (Readonly<Record<string, unknown>> & { source: string }) | undefined,
): Kind | undefined {
    return record ? findKindOfRecord(record) : findKind(rawKey);
}

/** The kind that `findKindOfSource` finds. @throws StorageError where this program does not know it */
export function kindOfSource(...source: Parameters<typeof findKindOfSource>): Kind {
    return findKindOfSource(...source) ?? failAsUnknown(source[0]);
}

function failAsUnknown(rawKey: string): never {
    throw new StorageError(`${rawKey} is ${sayUnknownKind(rawKey)}`);
}

/** What is said of a raw key whose kind is not known: `of kind x, and this flowlake knows flows: ...`. */
export function sayUnknownKind(rawKey: string, among: KnownKinds = kinds): string {
    const known = among.map(({ name }) => name).join(', ');
    return `of kind ${kindNameOf(rawKey)}, and this flowlake knows ${known}: install a version that knows it, or rename its folder`;
}

/** The kind whose merged table has the name. @throws StorageError where this program does not know it */
export function kindOfTable(name: string): Kind {
    const kind = kinds.find(({ merged }) => merged.name === name);
    if (!kind) {
        const known = kinds.map(({ merged }) => merged.name).join(', ');
        throw new StorageError(`There is no merged table ${name}, this flowlake knows ${known}: install a newer version`);
    }
    return kind;
}

/** A derived table, and the kind that it is of. */
export interface Derivation {
    kind: Kind;
    derived: DerivedTable;
}

/** Every derived table, by kind. */
export function derivations(): Derivation[] {
    return kinds.flatMap((kind) => (kind.derived ?? []).map((derived) => ({ kind, derived })));
}

/** The derived table of this name; undefined where there is none, as with merged tables. */
export function findDerivation(name: string): Derivation | undefined {
    return derivations().find(({ derived }) => derived.table.name === name);
}

/** The derived days that a merged period goes into: whoever has brought it up to what counts tells them. */
export function daysBuiltOn({ table, period }: TablePeriod): TablePeriod[] {
    const built = kindOfTable(table).derived ?? [];
    return built.map(({ table: { name } }) => ({ table: name, period: dayOfPeriod(period) }));
}

/** True for periods of a merged table by the hour. Derived tables have days. */
export function isByTheHour({ table }: Pick<TablePeriod, 'table'>): boolean {
    return kinds.find(({ merged }) => merged.name === table)?.merged.per === 'hour';
}

/** A kind whose readings have inputs. */
export type KindWithInputs = Kind & { inputs: Inputs };

/** Every kind whose readings have inputs. */
export function kindsWithInputs(among: KnownKinds = kinds): KindWithInputs[] {
    return among.flatMap((kind) => (kind.inputs ? [{ ...kind, inputs: kind.inputs }] : []));
}

/** The input whose pointer has this key; undefined for any other object. */
export function findInput(key: string): { kind: KindWithInputs; name: string } | undefined {
    for (const kind of kindsWithInputs()) {
        const name = inputNameOf(kind.inputs.prefix, key);
        if (name !== undefined) {
            return { kind, name };
        }
    }
    return undefined;
}

/** A period as people see it: with its table, but for the first kind's, whose days were the only ones once. */
export function sayPeriod({ table, period }: TablePeriod): string {
    return table === kinds[0].merged.name ? period : `${table} ${period}`;
}

/** Columns of what the kinds' readers find out: names that two kinds share are one column, and what only some kinds find is null for the others. */
function foundByAll(type: ColumnType): Column[] {
    const columns = new Map(kinds.flatMap(({ found }) => found.map((column) => [column.name, column])));
    const isOfAll = (name: string): boolean => kinds.every(({ found }) => found.some((column) => column.name === name));
    return [...columns.values()]
        .filter((column) => column.type === type)
        .map((column) => ({ ...column, nullable: column.nullable || !isOfAll(column.name) }));
}

/** What was read of each source; see lake/ledger.ts for the record that these columns are taken from. */
export const sources: Table = {
    name: 'sources',
    prefix: LEDGER_PREFIX,
    format: 'json',
    grain: 'source',
    columns: [
        text('source', 'the raw object’s key'),
        text('site', 'site that the key names'),
        text('version', 'the version that counts, `<n>-<attempt>`; null where none does', true),
        text(
            'state',
            '`done`, `empty` (it could be read, and not one row of it counts), `failed`, `skipped` (none of the kind’s files by right, as Zeek’s dns.log) or `retracted`',
        ),
        ...foundByAll('string'),
        whole('rows_read', 'data rows of the file'),
        whole('rows_kept', 'rows that are in the figures'),
        whole('rows_rejected', 'rows that could not be used; table `rejects` has them'),
        text('first_day', 'earliest day of a kept row', true),
        text('last_day', 'latest day of a kept row', true),
        ...foundByAll('bigint'),
        whole('size_bytes', 'size of the raw object', { unit: 'bytes' }),
        text('fingerprint', 'equal for sources that contribute the same figures, of whatever sites; null where nothing counts', true),
        text('summarized_at', 'when it was summarized, UTC, ISO 8601'),
        text('error', 'why the file could not be used, for state `failed`; what it is, for `skipped`', true),
    ],
};

/** Every table, in the order in which they are documented. */
export const tables: readonly Table[] = [
    ...kinds.flatMap(({ merged, contributions, derived = [] }) => [merged, contributions, ...derived.map(({ table }) => table)]),
    sources,
    devices,
    ...kinds.map(({ rejects }) => rejects),
];
