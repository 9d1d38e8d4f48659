/** Objects against the ledger: those that nothing explains, and those that can never count again. */
import { contributionOf, dayOf, ledgerKey, sourceId } from '#lake/layout';
import { numberOfVersion } from '#lake/ledger';
import type { ListedObject } from '#lake/store/object-store';
import type { Findings } from './findings.ts';
import type { Contributions, LakeObjects, LedgerFound, SourceRecord } from './lake-files.ts';

/** No worker lives this long; docs/design.md, "Commit rules". Until then what it wrote may be committed yet. */
const OLDER_THAN_ANY_WORKER_MS = 24 * 60 * 60 * 1000;

export interface VerifyObjectsOptions {
    ledger: LedgerFound;
    objects: LakeObjects;
    /** Raw keys. */
    raw: ReadonlyMap<string, number>;
    findings: Findings;
    now: Date | undefined;
    /** Whether to look at objects of a day; undefined: at those that belong to none. */
    isAsked: (day: string | undefined) => boolean;
}

/** Adds what is found of summaries and rejects, and of keys that are none of the lake's. Objects of the version that is live are verified with their source. */
export function verifyObjects({ ledger, objects, raw, findings, now, isAsked }: VerifyObjectsOptions): void {
    const records = new Map(ledger.records.map((record) => [sourceId(record.source), record]));
    const unreadable = new Set(ledger.unreadable.map(({ key }) => key));
    const uploaded = new Set([...raw.keys()].map(sourceId));
    for (const key of [...objects.strays, ...ledger.strays]) {
        if (isAsked(dayOf(key))) {
            findings.add({ kind: 'orphan', ...dayOfKey(key), figure: 'object', in_lake: key, recomputed: null });
        }
    }
    for (const object of [...objectsOf(objects.summaries), ...objectsOf(objects.rejects)]) {
        const { source = '', version = '' } = contributionOf(object.key) ?? {};
        if (!isAsked(dayOf(object.key)) || unreadable.has(ledgerKey(source))) {
            continue;
        }
        const record = records.get(source);
        const about = { ...(record && { source: record.source }), ...dayOfKey(object.key) };
        const kind = judge(object, { record, version, isUploaded: uploaded.has(source), now });
        if (kind !== undefined) {
            findings.add({ kind, ...about, figure: 'object', in_lake: object.key, recomputed: null });
        }
    }
}

/** Undefined for what is as it should be, or may be the work of somebody who is at it, or who was interrupted a moment ago. */
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

function objectsOf(contributions: Contributions): ListedObject[] {
    return [...contributions.values()].flat();
}

function dayOfKey(key: string): { day?: string } {
    const day = dayOf(key);
    return day === undefined ? {} : { day };
}
