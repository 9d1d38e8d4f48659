/**
 * Two derived tables that flows have in histories alone: a note a day on each pair (not chained), and spells of pairs over days (chained). Both ask for an
 * input, `limit`. What they must hold is said here too, apart from all code of the lake that derives.
 */
import type { DayPart, DerivedTable, Json } from '#lake/kind';
import { kinds } from '#lake/kinds';
import { mergedKey } from '#lake/layout';
import { readRows } from '#lake/parquet';
import { ABSENT, type ObjectStore, tryPut } from '#lake/store/object-store';
import { type DayTable, text, whole, withWords } from '#lake/tables';
import { toPlain, toTyped } from '#lake/typed-rows';
import { PAIR_DAYS_TABLE, readPairRows } from '#test/support/flow-tables';
import { type Figures, figuresOf } from '#test/support/small-files';

const INPUTS_PREFIX = 'limits/';
const POINTER = `${INPUTS_PREFIX}limit.json`;
/** Packets a day that begin a spell, where nobody has published another limit. */
const USUAL_LIMIT = 8;

/** A table whose rows are sorted by its texts. */
function dayTable(name: string, grain: string, columns: DayTable['columns']): DayTable {
    const sortedBy = columns.filter(({ type }) => type === 'string').map((column) => column.name);
    return { name, prefix: `${name}/`, format: 'parquet', per: 'day', grain, columns, sortedBy };
}

const NOTES = dayTable('pair_notes', 'pair and day', [text('pair', 'site, source and destination'), whole('above', 'flows and the limit')]);
const SPELLS = dayTable('pair_spells', 'spell that ended on the day', [
    text('pair', 'site, source and destination'),
    text('what', '`high` or `silent`'),
    text('began', 'its first day'),
]);

/** What a derived day has of a pair. */
interface PairDay {
    pair: string;
    flows: number;
    packets: number;
}

type Spells = Readonly<Record<string, { high: string | null; last: string }>>;

/** Rows in the order in which they stand. */
const inOrder = (rows: readonly string[]): string[] => [...rows].sort();

function notesOf(pairs: readonly PairDay[], limit: number): string[] {
    return pairs.map(({ pair, flows }) => `${pair}: ${flows + limit}`);
}

/** A pure step from the day before to this one: a pair is `high` from the limit on, and `silent` between two days that do not follow each other. */
function spellsOf(
    opening: Spells,
    day: string,
    { pairs, limit }: { pairs: readonly PairDay[]; limit: number },
): { rows: string[]; closing: Spells } {
    const state = new Map(Object.entries(opening));
    const rows: string[] = [];
    for (const { pair, packets } of pairs) {
        const { high, last } = state.get(pair) ?? { high: null, last: day };
        if (Date.parse(day) - Date.parse(last) > A_DAY_MS) {
            rows.push(`${pair}: silent ${last}`);
        }
        if (high !== null && packets < limit) {
            rows.push(`${pair}: high ${high}`);
        }
        state.set(pair, { high: packets < limit ? null : (high ?? day), last: day });
    }
    return { rows, closing: Object.fromEntries([...state].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

const A_DAY_MS = 24 * 60 * 60 * 1000;

function pairsOf(figures: Iterable<[string, string]>): PairDay[] {
    return [...figures].map(([key, value]) => {
        const numbers = value.split(' ').map(Number);
        return { pair: key.split(' ').slice(1).join(' '), flows: numbers[0] as number, packets: numbers[6] as number };
    });
}

function pairsOfPart({ period, rows }: DayPart): PairDay[] {
    return pairsOf(figuresOf(toPlain(PAIR_DAYS_TABLE, rows) as Parameters<typeof figuresOf>[0], period));
}

async function limitOf({ input }: DayPart): Promise<number> {
    return limitIn((await input('limit'))?.document);
}

function limitIn(document: unknown): number {
    return (document as { limit?: number } | undefined)?.limit ?? USUAL_LIMIT;
}

const DERIVED: readonly DerivedTable[] = [
    {
        table: NOTES,
        format: 1,
        isChained: false,
        async derive(part) {
            const notes = notesOf(pairsOfPart(part), await limitOf(part)).map((note) => note.split(': '));
            const rows = { pair: notes.map(([pair = '']) => pair), above: BigInt64Array.from(notes, ([, above = '']) => BigInt(above)) };
            return { rows: toTyped(withWords(NOTES), rows) };
        },
    },
    {
        table: SPELLS,
        format: 1,
        isChained: true,
        async derive(part) {
            const spells = spellsOf((part.opening ?? {}) as Spells, part.period, { pairs: pairsOfPart(part), limit: await limitOf(part) });
            const cells = spells.rows.map((row) => row.split(/: | /));
            const columns = {
                pair: cells.map((cell) => cell.slice(0, 3).join(' ')),
                what: cells.map((cell) => cell[3] ?? ''),
                began: cells.map((cell) => cell[4] ?? ''),
            };
            return { rows: toTyped(withWords(SPELLS), columns), closing: spells.closing as Json };
        },
    },
];

export const DERIVED_NAMES = DERIVED.map(({ table }) => table.name);

// The kind as every use case of this thread finds it.
Object.assign(kinds[0], { inputs: { prefix: INPUTS_PREFIX, noun: 'limit' }, derived: DERIVED });

/** A period of a derived table as histories name it: `<table> <day>`. */
export function derivedSubject({ table, period }: { table: string; period: string }): string {
    return `${table} ${period}`;
}

/** The day of a derived object, and its table; undefined for other keys. */
export function derivedOf(key: string): { table: DayTable; day: string } | undefined {
    const found = DERIVED.find(({ table }) => key.startsWith(table.prefix));
    return found && { table: found.table, day: /day=([0-9-]+)\//.exec(key)?.[1] ?? '' };
}

/**
 * Publishes another limit: takes the next version, then points to it, and tells every derived day, of which `days` are listed then.
 * Whoever reads the pointer before has written by then, or looks at it once more.
 */
export async function publishLimit(
    store: ObjectStore,
    { days, tell }: { days: () => Promise<readonly { table: string; period: string }[]>; tell: (subject: string) => Promise<void> },
): Promise<void> {
    for (let isPointed = false; !isPointed; ) {
        const pointer = await store.get(POINTER);
        let version = pointer ? Number(JSON.parse(Buffer.from(pointer.bytes).toString()).version) : 0;
        for (let isTaken = false; !isTaken; ) {
            version += 1;
            const limit = Buffer.from(JSON.stringify({ limit: 3 + ((version * 5) % 11) }));
            isTaken = (await tryPut(store, `${INPUTS_PREFIX}limit/${version}.json`, limit, { ifMatch: ABSENT })) !== undefined;
        }
        const next = Buffer.from(JSON.stringify({ version }));
        isPointed = (await tryPut(store, POINTER, next, { ifMatch: pointer?.info.etag ?? ABSENT })) !== undefined;
    }
    for (const of of await days()) {
        await tell(derivedSubject(of));
    }
}

/** What derived days must hold after what was written, and what is wrong with one that is written. */
export class DerivedTruth {
    /** Figures of each object of `pair_days` that ever was, by its etag. */
    readonly #figures = new Map<string, PairDay[]>();
    /** Each closing state that an object should have had, by its hash in objects. */
    readonly #states = new Map<string, Spells>();

    async merged(day: string, { etag, bytes }: { etag: string; bytes: Uint8Array<ArrayBuffer> }): Promise<void> {
        this.#figures.set(`${day} ${etag}`, pairsOf(figuresOf(await readPairRows(bytes), day)));
    }

    /** What is wrong with a derived object that was just written: it must be what the parts, inputs and state come to that it names. */
    async findWrong(
        key: string,
        { bytes, madeOf, store }: { bytes: Uint8Array<ArrayBuffer>; madeOf: NamedByObject; store: ObjectStore },
    ): Promise<string | undefined> {
        const { table, day } = derivedOf(key) ?? {};
        if (!table || day === undefined) {
            return undefined;
        }
        const [part, ...more] = madeOf.parts;
        const pairs = part && this.#figures.get(`${day} ${part.etag}`);
        if (!part || !pairs || more.length > 0) {
            return `${key} names no object of its day that ever was: ${JSON.stringify(madeOf)}`;
        }
        const version = part.inputs.limit;
        const document = version ? await store.get(`${INPUTS_PREFIX}limit/${version}.json`) : undefined;
        const limit = limitIn(document && JSON.parse(Buffer.from(document.bytes).toString()));
        let wanted = notesOf(pairs, limit);
        if (table === SPELLS) {
            const opening = this.#states.get(madeOf.opening ?? '') ?? {};
            const { rows, closing } = spellsOf(opening, day, { pairs, limit });
            wanted = rows;
            this.#states.set(madeOf.closing ?? '', pairs.length === 0 ? opening : closing);
        }
        if (pairs.length > 0 && version === undefined) {
            return `${key} names no version of its input: ${JSON.stringify(madeOf)}`;
        }
        const found = await rowsOf(table, bytes);
        wanted = inOrder(wanted);
        return found.join('; ') === wanted.join('; ')
            ? undefined
            : `${key} is not what it names: found ${found.join('; ')}, wanted ${wanted.join('; ')}`;
    }
}

/** What a derived object says that it was made of. */
export interface NamedByObject {
    parts: readonly { period: string; etag: string; inputs: Readonly<Record<string, number>> }[];
    opening: string | null;
    closing: string | null;
}

async function rowsOf(table: DayTable, bytes: Uint8Array<ArrayBuffer>): Promise<string[]> {
    const rows = (await readRows(withWords(table), bytes)) as Record<string, ArrayLike<unknown>>;
    return Array.from({ length: rows.pair?.length ?? 0 }, (_, at) =>
        table === NOTES ? `${rows.pair?.[at]}: ${rows.above?.[at]}` : `${rows.pair?.[at]}: ${rows.what?.[at]} ${rows.began?.[at]}`,
    );
}

/** What derived tables hold that is not what these figures come to, with a day for each day that has an object of `pair_days`; undefined where all is. */
export async function findWrongDerived(store: ObjectStore, figures: Figures): Promise<string | undefined> {
    const pointer = await store.get(POINTER);
    const version = pointer && JSON.parse(Buffer.from(pointer.bytes).toString()).version;
    const document = pointer && (await store.get(`${INPUTS_PREFIX}limit/${version}.json`));
    const limit = limitIn(document && JSON.parse(Buffer.from(document.bytes).toString()));
    const days: string[] = [];
    for await (const { key } of store.list(PAIR_DAYS_TABLE.prefix)) {
        days.push(/day=([0-9-]+)\//.exec(key)?.[1] ?? '');
    }
    let state: Spells = {};
    for (const day of days.sort()) {
        const pairs = pairsOf([...figures].filter(([key]) => key.startsWith(day)));
        const { rows, closing } = spellsOf(state, day, { pairs, limit });
        state = closing;
        for (const [table, wanted] of [
            [NOTES, notesOf(pairs, limit)],
            [SPELLS, rows],
        ] as const) {
            const object = await store.get(mergedKey(table, day));
            const found = object ? (await rowsOf(table, object.bytes)).join('; ') : 'no object';
            const rowsWanted = inOrder(wanted).join('; ');
            if (found !== rowsWanted) {
                return `${table.name} ${day}: found ${found}, wanted ${rowsWanted}`;
            }
        }
    }
    return undefined;
}
