/** What a page scans at most, and what that costs, before it is asked. Only lakes whose engine is paid by what it scans have a plan. */
import { tables } from '#lake/kinds';
import { dayOf } from '#lake/layout';
import { priceOf } from '#lake/query/athena-price';
import type { Scanned } from '#lake/query/query-engine';
import { scansOf } from '#lake/query/scans-of';
import type { ListedObject, ObjectStore } from '#lake/store/object-store';
import type { Table } from '#lake/tables';
import type { Reads } from './page.ts';

/** The most that a page scans. `bytes` are all of the objects; a query that takes some of the columns scans less. */
export interface Plan extends Scanned {
    /** Objects that are scanned; one that is scanned twice counts twice. */
    objects: number;
    /** Relations that are none of the lake's: what they scan is not in `bytes`. */
    unknown: readonly string[];
    /** True if the answer is kept from before, so that nothing is scanned. */
    isKept: boolean;
}

/** What each of some reads scans. */
export interface Listed {
    objects: readonly ListedObject[];
    /** Scans of each object, by its place in `objects`. */
    times: readonly number[];
    unknown: ReadonlySet<string>;
}

/** The plan of these reads, with what was listed for each of them. */
export function planOf(reads: readonly Reads[], listed: readonly Listed[]): Plan {
    const bytesOfQueries = new Map<string | Reads, number>();
    reads.forEach((read, at) => {
        const { objects = [], times = [] } = listed[at] ?? {};
        const bytes = objects.reduce((sum, { sizeBytes }, place) => sum + sizeBytes * (times[place] ?? 1), 0);
        const query = read.query ?? read;
        bytesOfQueries.set(query, (bytesOfQueries.get(query) ?? 0) + bytes);
    });
    const prices = [...bytesOfQueries.values()].map((bytes) => priceOf({ bytes, isFree: false }));
    return {
        bytes: prices.reduce((sum, { bytes }) => sum + bytes, 0),
        costUsd: prices.reduce((sum, { costUsd }) => sum + costUsd, 0),
        objects: listed.reduce((sum, { times }) => sum + times.reduce((one, two) => one + two, 0), 0),
        unknown: [...new Set(listed.flatMap(({ unknown }) => [...unknown]))].sort(),
        isKept: false,
    };
}

/** The objects of each read. A table that several reads scan over the same days is listed once. @throws StorageError */
export async function listReads(reads: readonly Reads[], store: Pick<ObjectStore, 'list'>): Promise<Listed[]> {
    const lists = new Map<string, Promise<ListedObject[]>>();
    const listOnce = (table: Table, days: Days): Promise<ListedObject[]> => {
        const name = JSON.stringify([table.prefix, table.per && [days.from, days.to]]);
        const list = lists.get(name) ?? listObjects(table, days, store);
        lists.set(name, list);
        return list;
    };
    return Promise.all(
        reads.map(async ({ table: relation, from, to }) => {
            const scans = scansOf(`from "${relation.replaceAll('"', '""')}"`);
            const perTable = await Promise.all(
                [...scans.tables].map(async ([name, times]) => ({ times, objects: await listOnce(tableNamed(name), { from, to }) })),
            );
            return {
                objects: perTable.flatMap(({ objects }) => objects),
                times: perTable.flatMap(({ objects, times }) => objects.map(() => times)),
                unknown: scans.unknown,
            };
        }),
    );
}

type Days = Pick<Reads, 'from' | 'to'>;

/** The objects of a table, of these days where it has days. */
async function listObjects(table: Table, { from = '', to = LAST_DAY }: Days, store: Pick<ObjectStore, 'list'>): Promise<ListedObject[]> {
    const prefix = table.per === undefined ? table.prefix : `${table.prefix}day=${commonBeginning(from, to)}`;
    const objects: ListedObject[] = [];
    for await (const object of store.list(prefix)) {
        const day = dayOf(object.key);
        if (table.per === undefined || (day !== undefined && day >= from && day <= to)) {
            objects.push(object);
        }
    }
    return objects;
}

const LAST_DAY = '9999-12-31';

/** What both days begin with: objects of other years or months need not be listed. */
function commonBeginning(from: string, to: string): string {
    const length = [...from].findIndex((character, at) => character !== to[at]);
    return length === -1 ? from : from.slice(0, length);
}

function tableNamed(name: string): Table {
    const table = tables.find((one) => one.name === name);
    if (!table) {
        throw new TypeError(`no table ${name}`);
    }
    return table;
}
