/** Differences in the words of the tables that they are about: as columns of text, and what each kind of them means. */
import type { Kind } from '#lake/kind';
import { kinds as allKinds } from '#lake/kinds';
import { type MergedTable, withWords } from '#lake/tables';
import type { Difference, DifferenceKind } from './findings.ts';

type WithTables = Pick<Kind, 'merged' | 'derived'>;

interface SayOptions {
    /** The kinds that there are; the first one's table goes without saying. */
    kinds?: readonly [WithTables, ...WithTables[]];
}

/** A difference as flat columns by their names; what it does not have is left out. */
export function rowOf(difference: Difference, { kinds = allKinds }: SayOptions = {}): Record<string, string | bigint | null> {
    const { source, table, key, period, figure, in_lake, recomputed } = difference;
    const merged = mergedOf(difference, kinds);
    return {
        kind: wordOf(difference.kind, merged),
        ...(source !== undefined && { source }),
        ...(table !== undefined && merged !== kinds[0].merged && { table }),
        ...key,
        ...(period !== undefined && { [merged.per]: period }),
        figure,
        in_lake,
        recomputed,
    };
}

/** The names of the columns that the differences have, in order; without any those of the first kind. */
export function columnNames(differences: readonly Difference[], { kinds = allKinds }: SayOptions = {}): string[] {
    const found = new Set(differences.map((difference) => mergedOf(difference, kinds)));
    const tables = found.size === 0 ? [kinds[0].merged] : tablesOf(kinds).filter((table) => found.has(table));
    const isFirstAlone = tables.every((merged) => merged === kinds[0].merged);
    const keys = tables.flatMap(({ columns }) => columns.filter(({ merge }) => merge === 'key').map(({ name }) => name));
    const names = ['kind', 'source', ...(isFirstAlone ? [] : ['table']), ...keys, ...tables.map(({ per }) => per)];
    return [...new Set([...names, 'figure', 'in_lake', 'recomputed'])];
}

/** What the kinds of the differences mean to whoever has to do something about them: `<kind>: <meaning>`, each once. */
export function meaningsOf(differences: readonly Difference[], { kinds = allKinds }: SayOptions = {}): string[] {
    const said = differences.map((difference) => {
        const merged = mergedOf(difference, kinds);
        return `${wordOf(difference.kind, merged)}: ${meaningOf(difference.kind, merged)}`;
    });
    return [...new Set(said)];
}

/** What a row of a table is called: `pair day`. */
export function nounOf({ grain }: Pick<MergedTable, 'grain'>): string {
    return thingsIn(grain).join(' ');
}

/** The merged or derived table of this name; the first kind's where there is none. */
export function tableNamed(name: string | undefined, kinds: readonly [WithTables, ...WithTables[]] = allKinds): MergedTable {
    return tablesOf(kinds).find((table) => table.name === name) ?? kinds[0].merged;
}

/** A derived table is one object for all who ask, as a merged one is. */
const WITH_WORDS = new WeakMap<object, MergedTable>();

function tablesOf(kinds: readonly WithTables[]): MergedTable[] {
    return kinds.flatMap(({ merged, derived = [] }) => [
        merged,
        ...derived.map(({ table }) => {
            const worded = WITH_WORDS.get(table) ?? withWords(table);
            WITH_WORDS.set(table, worded);
            return worded;
        }),
    ]);
}

function mergedOf({ table }: Difference, kinds: NonNullable<SayOptions['kinds']>): MergedTable {
    return tableNamed(table, kinds);
}

/** The things that tell rows apart, without what is said of them: of `pair and day` both, of `episode that ended` the episode. */
function thingsIn(grain: string): string[] {
    return (grain.split(' that ')[0] ?? grain).split(/ and |, /);
}

/** The word for a difference of the kind; rows and periods are called as the table calls them: `pair_day`, `day`. */
function wordOf(kind: DifferenceKind, merged: MergedTable): string {
    return kind === 'row' ? nounOf(merged).replaceAll(' ', '_') : kind === 'period' ? merged.per : kind;
}

function meaningOf(kind: DifferenceKind, { grain, per }: MergedTable): string {
    const [thing = ''] = thingsIn(grain);
    const meanings: Record<DifferenceKind, string> = {
        row: `a figure of ${withArticle(thing)}’s ${per} is not what the raw files say`,
        period: `${withArticle(per)}’s object is missing, or its columns have other types`,
        contents: `${withArticle(per)} lacks a contribution that counts, or contains one that does not`,
        made_of: `${withArticle(per)}’s object names other objects, inputs or states than there are now, or none: it waits for reconcile, or is wrong for good`,
        state: `what ${withArticle(per)}’s object keeps for later ${per}s is not what the raw files say`,
        source: 'the ledger says something else of a file than its raw bytes or its summaries do',
        summary: `what a file contributes to ${withArticle(thing)}’s ${per} is not what its raw bytes say, or the object is missing or one too many`,
        rejects: 'the rows that could not be used are not those of the raw file',
        damaged: 'an object cannot be read whole by every reader, or its bytes are others than were written',
        dead_object: 'a leftover that counts nowhere and changes no figure',
        orphan: 'an object that nothing in the ledger explains; queries may read it',
    };
    return meanings[kind];
}

function withArticle(noun: string): string {
    return `${/^(hour|[aeiou])/.test(noun) ? 'an' : 'a'} ${noun}`;
}
