/** A store for one worker that takes one rule of DESIGN section 4 away, to see that the tests of the protocol find its absence out. */

import { isDeepStrictEqual } from 'node:util';
import { contributionOf, LEDGER_PREFIX, RAW_PREFIX } from '#lake/layout';
import type { LedgerRecord } from '#lake/ledger';
import type { ObjectInfo, ObjectStore } from '#lake/store/object-store';
import { PAIR_DAYS_PREFIX, SUMMARIES_PREFIX } from '#test/support/flow-tables';
import type { Kind } from './kinds.ts';

export const RULES = [
    'ledger-check',
    'commit-number',
    'look-again-source',
    'look-again-day',
    'delete-superseded',
    'tell-old-days',
    'ledger-condition',
    'day-condition',
    'pinned-reading',
    'retracted-generation',
    'fence',
    'newer-format',
    'own-keys',
    'tell-derived-always',
    'tell-derived-after',
    'walker-tells',
    'delay-outlasts-interval',
    'redrive-anew',
] as const;
export type Rule = (typeof RULES)[number];

export interface BrokenOptions {
    rule: Rule | undefined;
    kind: Kind;
    store: ObjectStore;
    /** Ends the worker as if it had done all its work. */
    end: () => void;
}

/** The store as the worker is to see it, and whether it tells a day to the consolidator. */
export function withoutRule({ rule, kind, store, end }: BrokenOptions): { store: ObjectStore; tells: (day: string) => boolean } {
    const listed = new Map<string, string[]>();
    let raw: ObjectInfo | undefined;
    let ledger: LedgerRecord | undefined;
    let hasCommitted = false;
    if (rule === undefined || kind === 'reconcile') {
        return { store, tells: () => true };
    }

    const isAtDay = kind === 'consolidate' || kind === 'rebuild' || kind === 'rebuild anew';

    function seenAs(record: LedgerRecord, key: string): LedgerRecord {
        if (rule === 'ledger-check' && isAtDay) {
            const versions = listed.get(key.slice(LEDGER_PREFIX.length, -'.json'.length));
            return { ...record, version: versions?.find((version) => version !== record.version) ?? record.version };
        }
        if (rule === 'commit-number' && kind === 'summarize') {
            return { ...record, commits: 0 };
        }
        return rule === 'look-again-source' && hasCommitted && ledger ? ledger : record;
    }

    function isFence(key: string, body: unknown): boolean {
        if (!key.startsWith(LEDGER_PREFIX) || !(body instanceof Uint8Array) || !ledger) {
            return false;
        }
        const next: LedgerRecord = JSON.parse(Buffer.from(body).toString());
        return isDeepStrictEqual(next, { ...ledger, commits: next.commits });
    }

    return {
        tells(day) {
            return rule !== 'tell-old-days' || (ledger?.version != null && (ledger.versions[ledger.version] ?? []).includes(day));
        },
        store: {
            ...store,
            async head(key) {
                const info = await store.head(key);
                if (!key.startsWith(RAW_PREFIX)) {
                    return info;
                }
                if (rule !== 'look-again-source' || !hasCommitted) {
                    raw = info && rule === 'retracted-generation' ? { ...info, generation: 'one for all' } : info;
                }
                return raw;
            },
            async get(key) {
                const object = await store.get(key);
                if (!object || !key.startsWith(LEDGER_PREFIX)) {
                    return object;
                }
                ledger = seenAs(JSON.parse(Buffer.from(object.bytes).toString()), key);
                return { ...object, bytes: new Uint8Array(Buffer.from(JSON.stringify(ledger))) };
            },
            async *open(key, options) {
                const found = rule === 'pinned-reading' ? await store.head(key) : undefined;
                yield* store.open(key, { ifMatch: found?.etag ?? options.ifMatch });
            },
            async put(key, body, options) {
                const isFree =
                    (rule === 'ledger-condition' && key.startsWith(LEDGER_PREFIX)) ||
                    (rule === 'day-condition' && key.startsWith(PAIR_DAYS_PREFIX));
                if (rule === 'fence' && (kind === 'summarize' || kind === 'prune') && isFence(key, body)) {
                    return (await store.head(key)) as ObjectInfo;
                }
                const putting = store.put(key, body, isFree ? {} : options);
                if (rule === 'look-again-source' && kind === 'summarize' && key.startsWith(LEDGER_PREFIX)) {
                    await putting.catch(end);
                }
                const info = await putting;
                if (key.startsWith(LEDGER_PREFIX) && body instanceof Uint8Array) {
                    hasCommitted = true;
                    ledger = JSON.parse(Buffer.from(body).toString());
                }
                if (rule === 'look-again-day' && key.startsWith(PAIR_DAYS_PREFIX)) {
                    end();
                }
                return info;
            },
            async delete(key, options) {
                if (rule !== 'delete-superseded' || !key.startsWith(SUMMARIES_PREFIX)) {
                    await store.delete(key, options);
                }
            },
            async *list(prefix) {
                for await (const object of store.list(prefix)) {
                    const { source, version } = contributionOf(object.key) ?? { source: '', version: '' };
                    listed.set(source, [...(listed.get(source) ?? []), version]);
                    yield object;
                }
            },
        },
    };
}
