/**
 * Answers of pages over closed days are kept where scanning is paid for. An answer is kept under all that it was made from: the page, its parameters,
 * this program, and every object that it reads by etag, size and time. A correction changes an object, so that what was kept before is not found any more.
 */
import { createHash } from 'node:crypto';
import { tables } from '#lake/kinds';
import type { Lake } from '#lake/lake';
import { scansOf } from '#lake/query/scans-of';
import { QUERY_NAMES, readQuery, readView, VIEW_NAMES } from '#lake/query/sql-files';
import type { AnswersFolder } from './answers-folder.ts';
import type { Json, Page, PageContext, Reads } from './page.ts';
import { type Listed, listReads, type Plan, planOf } from './plan.ts';

export interface PageCache {
    /** Answers of before. */
    folder: AnswersFolder;
    /** Version of this program. */
    version: string;
}

export interface PageAnswer {
    answer: Json;
    /** True if it was kept from before, so that nothing was scanned for it. */
    isKept: boolean;
}

/** The page's answer: a kept one, or a new one, which is kept if it may be. @throws what the page throws */
export async function answerPage<P>(page: Page<P>, parameters: P, context: PageContext, cache?: PageCache): Promise<PageAnswer> {
    const reads = page.reads(parameters);
    if (!cache || !mayBeKept(reads, context)) {
        return { answer: await page.answer(parameters, context), isKept: false };
    }
    const store = await context.lake.store();
    const nameNow = async () => nameOf({ page: page.name, parameters, reads, listed: await listReads(reads, store), context, cache });
    const name = await nameNow();
    const kept = name === undefined ? undefined : await cache.folder.find(name);
    if (kept !== undefined) {
        return { answer: kept, isKept: true };
    }
    const watched = watch(context, reads);
    const answer = await page.answer(parameters, watched.context);
    // Looked at again: an object may have been corrected while the page was reading.
    if (name !== undefined && watched.isOfReads() && (await nameNow()) === name) {
        await cache.folder.keep(name, answer);
    }
    return { answer, isKept: false };
}

/** What the page scans at most; nothing where its answer is kept. Undefined for a lake that may be read for nothing. @throws StorageError */
export async function planPage<P>(
    page: Page<P>,
    parameters: P,
    context: Pick<PageContext, 'lake' | 'now'>,
    cache?: PageCache,
): Promise<Plan | undefined> {
    const { lake } = context;
    if (lake.kind === 'directory') {
        return undefined;
    }
    const reads = page.reads(parameters);
    const listed = await listReads(reads, await lake.store());
    const name = cache && mayBeKept(reads, context) ? nameOf({ page: page.name, parameters, reads, listed, context, cache }) : undefined;
    const isKept = cache !== undefined && name !== undefined && (await cache.folder.find(name)) !== undefined;
    return isKept ? { bytes: 0, costUsd: 0, objects: 0, unknown: [], isKept } : planOf(reads, listed);
}

/** True if reading costs, and every read of days ends with one that is over: others change too often to be worth it. */
function mayBeKept(reads: readonly Reads[], { lake, now }: Pick<PageContext, 'lake' | 'now'>): boolean {
    const today = now().toISOString().slice(0, 'yyyy-mm-dd'.length);
    const isOver = ({ table, to }: Reads): boolean => (to !== undefined && to < today) || !hasDays(table);
    return lake.kind === 's3' && reads.length > 0 && reads.every(isOver);
}

function hasDays(relation: string): boolean {
    const names = scansOf(`from ${relation}`).tables;
    return tables.some(({ name, per }) => names.has(name) && per !== undefined);
}

interface Made {
    page: string;
    parameters: unknown;
    reads: readonly Reads[];
    listed: readonly Listed[];
    context: Pick<PageContext, 'lake'>;
    cache: PageCache;
}

/** The name for all that an answer is made from; undefined where that cannot be told. */
function nameOf({ page, parameters, reads, listed, context: { lake }, cache }: Made): string | undefined {
    const objects = listed.flatMap((one) => one.objects);
    if (lake.kind !== 's3' || listed.some(({ unknown }) => unknown.size > 0) || objects.some(({ etag }) => etag === undefined)) {
        return undefined;
    }
    const hash = createHash('sha256');
    hash.update(JSON.stringify([cache.version, sqlOfPackage(), lake.bucket, page, sorted(parameters), reads.map(sorted)]));
    for (const { key, etag, sizeBytes, modifiedAt } of objects) {
        hash.update(`\n${JSON.stringify([key, etag, sizeBytes, modifiedAt.getTime()])}`);
    }
    return hash.digest('hex');
}

/** An object's entries by their names, with values of any kind as texts. */
function sorted(value: unknown): string {
    return JSON.stringify(value, (_, one: unknown) => {
        if (typeof one === 'bigint') {
            return `${one}n`;
        }
        const isRecord = typeof one === 'object' && one !== null && !Array.isArray(one);
        return isRecord ? Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)) : one;
    });
}

let hashOfSql: string | undefined;

/** Hash of the views and queries of the package: who changes one asks another question. */
function sqlOfPackage(): string {
    hashOfSql ??= createHash('sha256')
        .update(JSON.stringify([VIEW_NAMES.map(readView), QUERY_NAMES.map(readQuery)]))
        .digest('hex');
    return hashOfSql;
}

/** What of a lake reads nothing but its tables and views. */
const OF_TABLES: readonly (string | symbol)[] = ['kind', 'bucket', 'ask', 'engine'] satisfies (keyof (Lake & { kind: 's3' }))[];

/** What of a context says nothing that another moment would say otherwise. */
const TIMELESS: readonly (string | symbol)[] = ['ask', 'signal', 'lake'] satisfies (keyof PageContext)[];

/** Words of SQL that say something else each time. */
const CHANGING = /\b(now|today|current_\w+|local(time|timestamp)|get_current_\w+|rand(om)?|uuid|shuffle|tablesample)\b/i;

/** A context that notes whether the page read anything but what it says that it reads. */
function watch(context: PageContext, reads: readonly Reads[]): { context: PageContext; isOfReads(): boolean } {
    let isOfReads = true;
    const named = new Set(reads.flatMap(({ table }) => [...scansOf(`from ${table}`).tables.keys()]));
    const note = (holds: boolean): void => {
        isOfReads &&= holds;
    };
    const noteSql = (sql: string): void => {
        const scans = scansOf(sql);
        note(scans.unknown.size === 0 && !CHANGING.test(sql) && [...scans.tables.keys()].every((name) => named.has(name)));
    };
    const lake = noteOthers(context.lake, OF_TABLES, {
        engine: async () => {
            const engine = await context.lake.engine();
            return {
                query: (sql, options) => {
                    noteSql(sql);
                    return engine.query(sql, options);
                },
                close: () => engine.close(),
            };
        },
        ask: (name, parameters) => {
            noteSql(readQuery(name));
            return context.lake.ask(name, parameters);
        },
    });
    const watched = noteOthers(context, TIMELESS, {
        lake,
        ask: (sql, options) => {
            noteSql(sql);
            return context.ask(sql, options);
        },
    });
    return { context: watched, isOfReads: () => isOfReads };

    function noteOthers<T extends object>(target: T, known: readonly (string | symbol)[], instead: Partial<T>): T {
        return new Proxy(target, {
            get(_, property) {
                note(known.includes(property));
                return Reflect.get(property in instead ? instead : target, property);
            },
        });
    }
}
