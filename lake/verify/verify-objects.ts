/** Holds objects against the ledger: finds those that nothing explains, and those that can never count again. */
import type { Kind } from '#lake/kind';
import { findKind, findKindOfRecord, type KnownKinds } from '#lake/kinds';
import { contributionOf, dayOf, ledgerKey, periodOf } from '#lake/layout';
import { numberOfVersion } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import type { ListedObject } from '#lake/store/object-store';
import type { Findings } from './findings.ts';
import type { Contributions, LakeObjects, LedgerFound, SourceRecord } from './lake-files.ts';

/** No worker lives this long; docs/design.md, "Commit rules". Until then what it wrote may be committed yet. */
const OLDER_THAN_ANY_WORKER_MS = 24 * 60 * 60 * 1000;

export interface VerifyObjectsOptions {
    kinds: KnownKinds;
    ledger: LedgerFound;
    objects: LakeObjects;
    /** Sizes by raw key. */
    raw: ReadonlyMap<string, number>;
    findings: Findings;
    now: Date | undefined;
    /** True if objects of the day are looked at; asked for undefined, true if those are that belong to no day. */
    isAsked: (day: string | undefined) => boolean;
}

/**
 * Adds what is found of contributions and rejects, and of keys that are none of the lake's. Objects of the version that is live are verified with
 * their source; those that it has below another kind's prefixes nothing explains.
 */
export function verifyObjects({ kinds, ledger, objects, raw, findings, now, isAsked }: VerifyObjectsOptions): void {
    const records = new Map(ledger.records.map((record) => [sourceId(record.source), record]));
    const unreadable = new Set(ledger.unreadable.map(({ key }) => key));
    const uploaded = new Map([...raw.keys()].map((key) => [sourceId(key), findKind(key, kinds)]));
    for (const { key, ...place } of [...objects.strays, ...ledger.strays.map((key) => ({ key, kind: undefined }))]) {
        if (isAsked(dayOf(key))) {
            findings.add({ kind: 'orphan', ...placeOf(key, place.kind), figure: 'object', in_lake: key, recomputed: null });
        }
    }
    for (const kind of kinds) {
        const { contributions, rejects } = objects.ofKind.get(kind.name) ?? {};
        for (const object of [...objectsOf(contributions), ...objectsOf(rejects)]) {
            const { source = '', version = '' } = contributionOf(object.key) ?? {};
            if (!isAsked(dayOf(object.key)) || unreadable.has(ledgerKey(source))) {
                continue;
            }
            const record = records.get(source);
            const isOfKind = record === undefined || findKindOfRecord(record, kinds) === kind;
            const judged = isOfKind ? judge(object, { record, version, isUploaded: uploaded.get(source) === kind, now }) : 'orphan';
            if (judged !== undefined) {
                const about = { ...(record && { source: record.source }), ...placeOf(object.key, kind) };
                findings.add({ kind: judged, ...about, figure: 'object', in_lake: object.key, recomputed: null });
            }
        }
    }
}

/**
 * The difference that an object is; undefined for what is as it should be, or may be the work of somebody who is at it, or was interrupted
 * a moment ago.
 */
function judge(
    { modifiedAt }: ListedObject,
    { record, version, isUploaded, now }: { record: SourceRecord | undefined; version: string; isUploaded: boolean; now: Date | undefined },
): 'orphan' | 'dead_object' | undefined {
    if (record?.version === version) {
        return undefined;
    }
    const ageMs = now ? now.getTime() - modifiedAt.getTime() : 0;
    if (ageMs > OLDER_THAN_ANY_WORKER_MS) {
        return record || isUploaded ? 'dead_object' : 'orphan';
    }
    return record && numberOfVersion(version) <= record.commits ? 'dead_object' : undefined;
}

function objectsOf(contributions: Contributions = new Map()): ListedObject[] {
    return [...contributions.values()].flat();
}

/** The table and period that an object belongs to, as far as its key tells. */
function placeOf(key: string, kind: Kind | undefined): { table?: string; period?: string } {
    const period = (kind && (periodOf(kind.merged, key) ?? periodOf(kind.contributions, key))) ?? dayOf(key);
    return { ...(kind && { table: kind.merged.name }), ...(period !== undefined && { period }) };
}
