/** Sources that hold the same rows under two names, as far as the ledger tells: by the fingerprints in their records, and nothing else. */
import { kinds } from '#lake/kinds';
import { kindNameOf } from '#lake/layout';
import type { LedgerRecord } from '#lake/ledger';

/** What a record says of the rows that its source holds. */
export type Marked = Pick<LedgerRecord, 'source' | 'site' | 'fingerprint' | 'beginning'>;

type MarkedInState = Marked & { state: string };

/** Sources of one kind and site, ascending. */
export interface Twins {
    /** `same`: they contribute the same figures. `begin alike`: their first rows are the same. */
    how: 'same' | 'begin alike';
    sources: readonly string[];
}

/** Every two or more sources of one kind and site that hold the same rows, or begin with the same ones. Two sites may see the same rows by right. */
export function findTwins(records: Iterable<MarkedInState>): Twins[] {
    const counting = [...records].filter(({ state }) => state === 'done').sort((a, b) => (a.source < b.source ? -1 : 1));
    const same = groupBy(counting, ({ fingerprint }) => fingerprint);
    // One of each group stands for it: the others begin as it does.
    const others = new Set(same.flatMap((group) => group.slice(1)));
    const alike = groupBy(
        counting.filter((record) => !others.has(record)),
        ({ beginning }) => beginning?.[0],
    ).flatMap(beginAlike);
    return [
        ...same.map((group): Twins => ({ how: 'same', sources: group.map(({ source }) => source) })),
        ...alike.map((group): Twins => ({ how: 'begin alike', sources: group.map(({ source }) => source) })),
    ];
}

/** True if both have the same first rows, as many as both have hashes of. */
export function beginsAlike({ beginning: one }: Pick<Marked, 'beginning'>, { beginning: other }: Pick<Marked, 'beginning'>): boolean {
    const last = Math.min(one?.length ?? 0, other?.length ?? 0) - 1;
    return last >= 0 && one?.[last] === other?.[last];
}

/** True if both are of one kind, even one that this program does not know. */
export function areOfSameKind(oneKey: string, otherKey: string): boolean {
    return kindNameIn(oneKey) === kindNameIn(otherKey);
}

function kindNameIn(rawKey: string): string {
    return kindNameOf(rawKey) ?? kinds[0].name;
}

/** The groups of more than one record that have the same mark, kind and site. */
function groupBy(records: readonly MarkedInState[], markOf: (record: MarkedInState) => string | null | undefined): MarkedInState[][] {
    const groups = new Map<string, MarkedInState[]>();
    for (const record of records) {
        const mark = markOf(record);
        if (mark !== null && mark !== undefined) {
            const name = [kindNameIn(record.source), record.site, mark].join(' ');
            const group = groups.get(name) ?? [];
            group.push(record);
            groups.set(name, group);
        }
    }
    return [...groups.values()].filter((group) => group.length > 1);
}

/** Groups of records that begin alike, among those with the same first row; each group begins with the one that is met first. */
function beginAlike(group: readonly MarkedInState[]): MarkedInState[][] {
    const [first, ...rest] = group;
    if (!first) {
        return [];
    }
    const alike = rest.filter((record) => beginsAlike(first, record));
    const left = rest.filter((record) => !alike.includes(record));
    return [...(alike.length > 0 ? [[first, ...alike]] : []), ...beginAlike(left)];
}
