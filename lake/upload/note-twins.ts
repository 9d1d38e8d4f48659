/** Says of files that count which other sources hold the same rows: what nobody refused, because both came at once, or into a bucket. */
import { kindOf } from '#lake/kinds';
import type { LedgerRecord } from '#lake/ledger';
import { areOfSameKind, beginsAlike } from '#lake/twins';
import type { UploadResult } from './result.ts';

/** The results, each with a note on its twins among the records of the lake; a note that a result has already stays. */
export function noteTwins(results: readonly UploadResult[], records: Iterable<LedgerRecord>): UploadResult[] {
    const own = results.flatMap((result) => (counts(result) && result.record ? [result.record] : []));
    const bySource = new Map([...records, ...own].map((record) => [record.source, record]));
    const byFingerprint = groupBy(bySource.values(), ({ fingerprint }) => fingerprint);
    const byFirst = groupBy(bySource.values(), ({ beginning }) => beginning?.[0]);
    return results.map((result) => {
        const { record, note } = result;
        if (note !== undefined || !record || !counts(result)) {
            return result;
        }
        const isOther = (other: LedgerRecord): boolean => other.source !== record.source && areOfSameKind(other.source, record.source);
        const same = (byFingerprint.get(record.fingerprint ?? '') ?? []).filter(isOther);
        const alike = (byFirst.get(record.beginning?.[0] ?? '') ?? []).filter(
            (other) => isOther(other) && other.site === record.site && beginsAlike(other, record),
        );
        return { ...result, note: sayTwins(record, { same, alike }) };
    });
}

function counts({ result }: UploadResult): boolean {
    return result === 'added' || result === 'replaced';
}

function sayTwins(
    { source, site }: LedgerRecord,
    { same, alike }: { same: readonly LedgerRecord[]; alike: readonly LedgerRecord[] },
): string | undefined {
    const { name } = kindOf(source);
    const [ownSite] = same.filter((other) => other.site === site);
    const takeOut = `both count; to take one out: flowlake retract ${source}`;
    if (ownSite) {
        // Other flows may come to the same figures: few of them, of one pair.
        return `its figures are those of ${ownSite.source}, which may hold the same ${name} in another order; ${takeOut}`;
    }
    if (alike[0]) {
        return `it begins with the same ${name} as ${alike[0].source}; ${takeOut}`;
    }
    return same[0] ? `its figures are those of site ${same[0].site} too (${same[0].source}); both count` : undefined;
}

function groupBy(
    records: Iterable<LedgerRecord>,
    markOf: (record: LedgerRecord) => string | null | undefined,
): ReadonlyMap<string, readonly LedgerRecord[]> {
    const groups = new Map<string, LedgerRecord[]>();
    for (const record of records) {
        const mark = record.state === 'done' ? markOf(record) : undefined;
        if (mark !== undefined && mark !== null) {
            const group = groups.get(mark) ?? [];
            group.push(record);
            groups.set(mark, group);
        }
    }
    return groups;
}
