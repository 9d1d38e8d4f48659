/** What is known of every version of a source, from its ledger record alone. */
import { findKindOfRecord } from '#lake/kinds';
import { type CommitEntry, commitsOf, contentOf, type LedgerRecord, numberOfVersion } from '#lake/ledger';

export interface SourceVersion {
    version: string;
    /** Number of the ledger commit that made it live. */
    number: number;
    /** Names what was read and how: equal for equal bytes and options. Null where the record does not remember it. */
    content: string | null;
    /** State of the version: `live`, `failed` (a file that could not be used) and `skipped` (one that lay beside the kind's by right) until something else was committed. */
    state: 'live' | 'failed' | 'skipped' | 'superseded' | 'retracted';
    /** Time at which the version became live, and at which it ceased to be; null: unknown, or not ended. UTC, ISO 8601. */
    committedAt: string | null;
    endedAt: string | null;
    /** Days that the version contributed to. */
    days: readonly string[];
    /** What was committed; undefined where the record does not remember it. */
    commit: CommitEntry | undefined;
}

/** Every version that was ever live, oldest first. */
export function versionsOf(record: LedgerRecord): SourceVersion[] {
    const commits = commitsOf(record);
    const kind = findKindOfRecord(record);
    const versions = Object.entries(record.versions).sort(([a], [b]) => numberOfVersion(a) - numberOfVersion(b));
    return versions.map(([version, days], at) => {
        const place = commits.findIndex((commit) => commit.version === version);
        const commit = commits[place];
        const isLive = version === record.version;
        const end = commit && !isLive ? commits[place + 1] : undefined;
        // An old record tells only that nothing came after the last version but its retraction.
        const isRetracted = end ? end.state === 'retracted' : record.version === null && at === versions.length - 1;
        return {
            version,
            number: numberOfVersion(version),
            content: commit && kind ? contentOf(kind, commit) : null,
            state:
                commit?.state === 'failed' || commit?.state === 'skipped'
                    ? commit.state
                    : isLive
                      ? 'live'
                      : isRetracted
                        ? 'retracted'
                        : 'superseded',
            committedAt: commit?.committed_at ?? null,
            endedAt: end?.committed_at ?? null,
            days,
            commit,
        };
    });
}
