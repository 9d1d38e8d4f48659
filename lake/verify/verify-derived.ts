/**
 * Verifies the derived tables of a kind, day after day: each day is derived once more, by a second way, from the merged rows as they were recomputed
 * (table `expected`), and compared with its object; and what the object says that it was made of is held against what is there.
 * The recomputed rows are taken and not those of the lake: so what a query reads of a derived table is compared with the raw files, whatever became of the
 * merged objects between them.
 */
import { ConflictError } from '#lake/errors';
import { type InputsNow, openInputs } from '#lake/inputs';
import type { DerivedTable, Json, SecondDerivation } from '#lake/kind';
import { dayOfPeriod, mergedKey, nameOfPeriod, type TablePeriod } from '#lake/layout';
import type { ListedObject, ObjectStore } from '#lake/store/object-store';
import { withWords } from '#lake/tables';
import { compareFigures } from './compare.ts';
import { type Claims, findOtherMakings, findOtherStates, readClaims, type There } from './derived-claims.ts';
import { HASH_OF_NOTHING, type Named } from './derived-object.ts';
import { literal, textOf, wholeOf } from './engine.ts';
import { messageOf } from './lake-files.ts';
import { faultDifferences, loadSound } from './object-faults.ts';
import { readEntries } from './parquet-entries.ts';
import { columnsOf, figureNames, keyNames, listed } from './table-sql.ts';
import { inBatches, type TableCompared, type VerifyPeriodsOptions } from './verify-periods.ts';

export interface VerifyDerivedOptions
    extends Pick<
        VerifyPeriodsOptions,
        'kind' | 'engine' | 'copies' | 'findings' | 'objects' | 'isAsked' | 'unknownPeriods' | 'onPeriod' | 'signal'
    > {
    derivations: Readonly<Record<string, SecondDerivation>>;
    store: ObjectStore;
    inputs: InputsNow;
}

/** Compares every derived table of the kind. Table `expected` has the kind's merged rows. */
export async function verifyDerived(options: VerifyDerivedOptions): Promise<TableCompared[]> {
    const { kind, derivations, engine, findings, objects } = options;
    const compared: TableCompared[] = [];
    const partsOf = new Map<string, [period: string, object: ListedObject][]>();
    for (const [period, object] of kind.derived ? objects.merged : []) {
        const parts = partsOf.get(dayOfPeriod(period)) ?? [];
        parts.push([period, object]);
        partsOf.set(dayOfPeriod(period), parts);
    }
    const expected = kind.derived ? await engine.rows('select distinct left(period, 10) as day from expected') : [];
    const expectedDays = new Set(expected.map((row) => textOf(row, 'day') ?? ''));
    const days = new Set([...partsOf.keys(), ...expectedDays]);
    const etags = openEtags(options);
    for (const derived of kind.derived ?? []) {
        const { name, prefix } = derived.table;
        const found = objects.derived.get(name) ?? new Map<string, ListedObject>();
        const second = derivations[name];
        if (second) {
            compared.push(await new TableJudge(derived, second, { ...options, etags, found, partsOf, expectedDays }).judge(days));
        } else if (found.size > 0) {
            findings.note('not_followed', prefix, `${name} is not verified: there is no second way to derive it`);
        }
    }
    return compared;
}

type EtagOf = (key: string) => Promise<string | undefined>;

/** The merged objects' etags as they are now: each is asked for once, where the listing did not tell it. */
function openEtags({ store, objects }: Pick<VerifyDerivedOptions, 'store' | 'objects'>): EtagOf {
    const known = new Map([...objects.merged.values()].map(({ key, etag }) => [key, etag]));
    return async (key) => {
        if (known.has(key) && known.get(key) === undefined) {
            known.set(key, (await store.head(key))?.etag);
        }
        return known.get(key);
    };
}

interface Judging extends VerifyDerivedOptions {
    etags: EtagOf;
    /** The merged objects of each day, by their periods. */
    partsOf: ReadonlyMap<string, readonly (readonly [period: string, object: ListedObject])[]>;
    /** Days that should have merged rows. */
    expectedDays: ReadonlySet<string>;
    /** The table's objects by day. */
    found: ReadonlyMap<string, ListedObject>;
}

/** A state, or that it is not known what it is. */
type Known = { state: Json } | undefined;

/** Goes through the days of one table, and carries the state of a chained one from day to day. */
class TableJudge {
    readonly #derived: DerivedTable;
    readonly #second: SecondDerivation;
    readonly #with: Judging;
    /** The last day that was derived, and what is known of the state behind it. */
    #last: { day: string; behind: Known } | undefined;
    /** The last object that was looked at: the next day's names what it says. */
    #seen: { day: string; seen: Claims | undefined } | undefined;

    constructor(derived: DerivedTable, second: SecondDerivation, judging: Judging) {
        this.#derived = derived;
        this.#second = second;
        this.#with = judging;
    }

    async judge(daysOfMerged: ReadonlySet<string>): Promise<TableCompared> {
        const { found, isAsked, onPeriod, engine } = this.#with;
        const { table } = this.#derived;
        const compared: TableCompared = { table: table.name, periods: 0, rows: 0, figures: 0 };
        const days = [...new Set([...daysOfMerged, ...found.keys()])].filter((period) => isAsked({ table: table.name, period })).sort();
        let done = 0;
        for (const batch of inBatches(days, { objects: found })) {
            onPeriod({ period: batch[0] ?? '', done, total: days.length });
            done += batch.length;
            await engine.run(`create or replace temp table derived_expected (${columnsOf(withWords(table))})`);
            compared.periods += await this.#judgeTogether(batch);
            const [total] = await engine.rows('select count(*) as rows from derived_expected');
            compared.rows += Number(wholeOf(total, 'rows') ?? 0n);
        }
        return { ...compared, figures: compared.rows * figureNames(withWords(table)).length };
    }

    /** @returns how many of the days could be derived */
    async #judgeTogether(days: readonly string[]): Promise<number> {
        const { found, copies, findings, signal } = this.#with;
        const objects = days.flatMap((day) => found.get(day) ?? []);
        let areCopied = false;
        try {
            return await copies.use(objects, (paths) => {
                areCopied = true;
                return this.#judgeDays(days, new Map(objects.map(({ key }, at) => [key, paths[at] ?? ''])));
            });
        } catch (error) {
            signal?.throwIfAborted();
            if (areCopied) {
                throw error;
            }
            if (days.length === 1) {
                const [key = ''] = objects.map((object) => object.key);
                const noted = error instanceof ConflictError ? 'changed_meanwhile' : 'could_not_read';
                findings.note(noted, key, `${key} could not be read: ${messageOf(error)}`);
                return this.#judgeDays(days, new Map());
            }
            // One of them cannot be had: the others can.
            let derived = 0;
            for (const day of days) {
                derived += await this.#judgeTogether([day]);
            }
            return derived;
        }
    }

    /** Judges days whose objects have copies at these paths. @returns how many of the days could be derived */
    async #judgeDays(days: readonly string[], paths: ReadonlyMap<string, string>): Promise<number> {
        const { engine, findings, found, signal } = this.#with;
        const { isChained } = this.#derived;
        const { factsOf } = this.#second;
        const table = withWords(this.#derived.table);
        const files = [...paths].map(([key, path]) => ({ key, path }));
        const { faults, sound } = await loadSound(engine, 'period_rows', { table, files, signal });
        const entries = await readEntries(
            engine,
            sound.map(({ path }) => path),
        );
        const wrong = new Set<string>();
        const comparable: string[] = [];
        let derived = 0;
        for (const day of days) {
            const of = { table: table.name, period: day };
            const before = findings.count;
            const opening = await this.#openingOf(day);
            const made = await this.#derive(of, opening);
            derived += made ? 1 : 0;
            const key = found.get(day)?.key;
            const path = key === undefined ? undefined : paths.get(key);
            const isSound = path !== undefined && sound.some((file) => file.path === path);
            const seen = isSound ? await readClaims(path, entries.get(path)) : undefined;
            if (key !== undefined) {
                findings.add(...faultDifferences(of, key, faults.get(key)));
            } else if (made?.hasParts !== false) {
                findings.add({ kind: 'period', ...of, figure: 'object', in_lake: null, recomputed: mergedKey(table, day) });
            }
            if (seen && this.#isNewer(seen, key)) {
                // Whoever knows its rules judges it.
            } else if (seen) {
                findings.add(...(await findOtherMakings(of, seen.named, await this.#lookAround(day, seen.named, made))));
                const closing = made && { state: made.closing };
                findings.add(...(isChained ? findOtherStates(of, seen, { closing, factsOf }) : []));
                comparable.push(...(made ? [day] : []));
            }
            if (findings.count > before) {
                wrong.add(day);
            }
            this.#seen = key === undefined ? this.#seen : { day, seen };
            // Of a day that could not be derived later days know no more than what its object says.
            this.#last = { day, behind: made ? { state: made.closing } : key === undefined ? opening : this.#stateIn(seen) };
        }
        if (comparable.length > 0) {
            const columns = listed([...keyNames(table), 'period', ...figureNames(table)]);
            const isOfThese = `period in (${comparable.map(literal).join(', ')})`;
            const differing = await compareFigures(
                engine,
                {
                    table,
                    about: { kind: 'row', table: table.name },
                    inLake: `select ${columns} from period_rows where ${isOfThese}`,
                    recomputed: `select ${columns} from derived_expected where ${isOfThese}`,
                    mayRepeat: true,
                },
                findings,
            );
            for (const day of differing) {
                wrong.add(day);
            }
        }
        for (const of of [...wrong].sort().map((period) => ({ table: table.name, period }))) {
            findings.mends.buildAnew.set(nameOfPeriod(of), of);
        }
        return derived;
    }

    /** True if a newer program has derived the object: that is noted, and its figures are not judged by older rules. */
    #isNewer({ named }: Claims, key = ''): boolean {
        const { format } = this.#derived;
        const isNewer = (named?.format ?? 0) > format;
        if (isNewer) {
            const text = `${key} was derived by a newer version of flowlake (format ${named?.format}, this one has ${format}): verify with that one`;
            this.#with.findings.note('could_not_read', key, text);
        }
        return isNewer;
    }

    /** The state that a day opens with, as far as it is known. */
    async #openingOf(day: string): Promise<Known> {
        if (!this.#derived.isChained) {
            return { state: null };
        }
        const before = this.#dayBefore(day);
        if (this.#last && (before === undefined || before <= this.#last.day)) {
            return this.#last.behind;
        }
        if (before === undefined) {
            return { state: null };
        }
        // A day that is not asked for: what it ends with is taken as it stands there.
        const claims = await this.#look(before);
        const known = this.#stateIn(claims);
        if (claims && !known) {
            const key = mergedKey(this.#derived.table, before);
            const text = `${key} holds no state that can be read: days that build on it are not compared`;
            this.#with.findings.note('could_not_read', key, text);
        }
        return known;
    }

    /** The nearest earlier day that has an object. */
    #dayBefore(day: string): string | undefined {
        return [...this.#with.found.keys()].findLast((other) => other < day);
    }

    /** What the object of a day says of itself; undefined where it cannot be read, which is noted. */
    async #look(day: string): Promise<Claims | undefined> {
        const { found, copies, engine, findings, signal } = this.#with;
        const object = found.get(day);
        if (this.#seen?.day === day) {
            return this.#seen.seen;
        }
        if (!object) {
            return undefined;
        }
        try {
            return await copies.use([object], async ([path = '']) => readClaims(path, (await readEntries(engine, [path])).get(path)));
        } catch (error) {
            signal?.throwIfAborted();
            const text = `${object.key} could not be read: ${messageOf(error)}; days that build on it are not compared`;
            findings.note('could_not_read', object.key, text);
            return undefined;
        }
    }

    /** Leaves the rows of the day in table `derived_rows`. @returns undefined where they cannot be told */
    async #derive(of: TablePeriod, opening: Known): Promise<Made | undefined> {
        const { kind, engine, store, findings, partsOf, expectedDays, unknownPeriods } = this.#with;
        const { period: day } = of;
        if (!opening || [...unknownPeriods].some((period) => dayOfPeriod(period) === day)) {
            return undefined;
        }
        // A day's periods begin with it, and no character stands behind a tilde.
        await engine.run(`
            create or replace temp table day_rows as
            select * from expected where period between ${literal(day)} and ${literal(`${day}~`)}`);
        const { input, versions } = openInputs(store, kind);
        let fault: unknown;
        try {
            const closing = await this.#second.derive(engine, {
                opening: opening.state,
                input: (name) =>
                    input(name).catch((error: unknown) => {
                        fault = error;
                        throw error;
                    }),
            });
            await engine.run(`insert into derived_expected by name select ${literal(day)} as period, * from derived_rows`);
            return { closing, asked: versions(), hasParts: partsOf.has(day) || expectedDays.has(day) };
        } catch (error) {
            if (error !== fault) {
                throw error;
            }
            findings.note('could_not_read', mergedKey(this.#derived.table, day), `${of.table} ${day} is not compared: ${messageOf(error)}`);
            return undefined;
        }
    }

    /** What the day would be made of now. */
    async #lookAround(day: string, named: Named | undefined, made: Made | undefined): Promise<There> {
        const { kind, inputs, store, etags, partsOf } = this.#with;
        const namedEtags = new Map(named?.parts.map(({ period, etag }) => [period, etag]));
        const there = new Map<string, string>();
        for (const [period, { key }] of partsOf.get(day) ?? []) {
            // The listing may be older than the object: who names another etag is asked for it once more.
            const listed = await etags(key);
            const etag = listed === namedEtags.get(period) ? listed : (await store.head(key))?.etag;
            if (etag !== undefined) {
                there.set(period, etag);
            }
        }
        const { isChained, format } = this.#derived;
        const before = this.#dayBefore(day);
        const closing = before === undefined ? HASH_OF_NOTHING : isChained ? (await this.#look(before))?.named?.closing : undefined;
        return {
            kind,
            inputs,
            format,
            etags: there,
            asked: Object.keys(made?.asked ?? {}),
            before: isChained && closing !== undefined ? { day: before, closing } : undefined,
        };
    }

    /** The state that an object holds, as far as it is one. */
    #stateIn(claims: Claims | undefined): Known {
        if (!claims || 'fault' in claims.state) {
            return undefined;
        }
        const { state } = claims.state;
        try {
            this.#second.factsOf?.(state);
            return { state };
        } catch {
            return undefined;
        }
    }
}

/** What a day should have. */
interface Made {
    closing: Json;
    /** Versions of the inputs that were asked for. */
    asked: Readonly<Record<string, number>>;
    /** True if the day has merged objects, or should have some: a day without any needs no object. */
    hasParts: boolean;
}
