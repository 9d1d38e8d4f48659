/** Every source by what became of it: its rows, its rejects and doubts, and how it was read. */
import { z } from '@hono/zod-openapi';
import { sayProblem } from '#lake/reports/say-problem';
import { findTwins } from '#lake/twins';
import { type KnownSource, readKnownSources } from './known-sources.ts';
import { definePage, type Json } from './page.ts';
import { doubtsOfSource } from './source-doubts.ts';

/** States of sources, in the order in which they are shown. */
const STATES = ['failed', 'empty', 'waiting', 'unknown', 'done', 'skipped', 'retracted'] as const;

/** What needs a look can be picked out. */
const LOOKS = ['rejects', 'doubts', 'twins'] as const;

/** Columns that the list can be sorted by; `-kept` is the largest first. */
const SORTS = ['source', 'kept', 'rejected', 'size', 'read'] as const;

type Sort = (typeof SORTS)[number];

interface QualityParameters {
    state?: (typeof STATES)[number] | undefined;
    look?: (typeof LOOKS)[number] | undefined;
    site?: string | undefined;
    kind?: string | undefined;
    /** Text that a key, a tool or an error has in it; case does not matter. */
    name?: string | undefined;
    sort: Sort | `-${Sort}`;
    page: number;
}

const ROWS_OF_A_PAGE = 50;

/** Names that a filter offers; of more a person types the name. */
const MOST_SITES = 500;

export const qualityPage = definePage<QualityParameters>({
    name: 'quality',
    parameters: z.strictObject({
        state: z.enum(STATES).optional(),
        look: z.enum(LOOKS).optional(),
        site: z.string().optional(),
        kind: z.string().optional(),
        name: z.string().optional(),
        sort: z.enum(SORTS.flatMap((sort) => [sort, `-${sort}`] as const)).default('-read'),
        page: z.coerce.number().int().min(1).default(1),
    }),
    // The ledger is read object by object: no engine is asked.
    reads: () => [],
    async answer({ page: wanted, sort, ...asked }, { lake, now }) {
        const { sources, unreadable } = await readKnownSources(await lake.store(), { now: now() });
        const twins = findTwins(sources);
        const twinOf = new Map(
            twins.flatMap(({ how, sources: alike }) => alike.map((source) => [source, { how, others: alike.length - 1 }])),
        );
        const isAskedFor = (one: KnownSource): boolean => {
            switch (asked.look) {
                case 'rejects':
                    return numberOf(one, 'rows_rejected') > 0 || numberOf(one, 'metrics_rejected') > 0;
                case 'doubts':
                    return doubtsOfSource(one, { now: now() }).length > 0;
                case 'twins':
                    return twinOf.has(one.source);
                default:
                    return true;
            }
        };
        const ofPlace = sources.filter((one) => isNamed(one, asked) && isAskedFor(one));
        const found = ofPlace.filter(({ state }) => asked.state === undefined || state === asked.state).sort(orderOf(sort));
        const pages = Math.max(1, Math.ceil(found.length / ROWS_OF_A_PAGE));
        // An address may be older than the list.
        const page = Math.min(wanted, pages);
        const shown = found.slice((page - 1) * ROWS_OF_A_PAGE, page * ROWS_OF_A_PAGE);
        return {
            total: found.length,
            page,
            pages,
            // What each choice of a state would show, the other filters as they are.
            states: STATES.map((state) => ({ state, ...countOf(ofPlace.filter((one) => one.state === state)) })),
            sites: namesOf(sources, ({ site }) => site),
            kinds: namesOf(sources, ({ kind }) => kind),
            twinGroups: twins.length,
            unreadable: unreadable.slice(0, ROWS_OF_A_PAGE),
            unreadableCount: unreadable.length,
            rows: shown.map((one) => rowOf(one, { now: now(), twin: twinOf.get(one.source) })),
        };
    },
});

function isNamed(one: KnownSource, { site, kind, name }: Pick<QualityParameters, 'site' | 'kind' | 'name'>): boolean {
    const words = name?.toLowerCase();
    return (
        (site === undefined || one.site === site) &&
        (kind === undefined || one.kind === kind) &&
        (words === undefined ||
            [one.source, ...['dialect', 'profiles', 'error', 'rejected', 'skipped'].map((fact) => one.facts[fact])].some(
                (text) => typeof text === 'string' && text.toLowerCase().includes(words),
            ))
    );
}

const VALUES: Readonly<Record<Exclude<Sort, 'source'>, (one: KnownSource) => number>> = {
    kept: (one) => numberOf(one, 'rows_kept'),
    rejected: (one) => numberOf(one, 'rows_rejected'),
    size: (one) => numberOf(one, 'size_bytes'),
    read: summarizedMs,
};

function orderOf(sort: QualityParameters['sort']): (a: KnownSource, b: KnownSource) => number {
    const column = SORTS.find((one) => sort.endsWith(one)) ?? 'read';
    const sign = sort.startsWith('-') ? -1 : 1;
    const byName = (a: KnownSource, b: KnownSource): number => (a.source < b.source ? -1 : a.source > b.source ? 1 : 0);
    if (column === 'source') {
        return (a, b) => sign * byName(a, b);
    }
    const amountOf = VALUES[column];
    return (a, b) => sign * (amountOf(a) - amountOf(b)) || byName(a, b);
}

/** A count of the record. Those that a ledger holds are safe integers: lake/ledger.ts refuses others. */
function numberOf({ facts }: KnownSource, fact: string): number {
    const value = facts[fact];
    return typeof value === 'number' ? value : 0;
}

function summarizedMs({ facts }: KnownSource): number {
    return Date.parse(String(facts.summarized_at)) || 0;
}

function countOf(sources: readonly KnownSource[]): { [name: string]: Json } {
    // Many safe integers may add up to more than one.
    const sum = (fact: string): string => String(sources.reduce((total, one) => total + BigInt(numberOf(one, fact)), 0n));
    return {
        sources: sources.length,
        rowsRead: sum('rows_read'),
        rowsKept: sum('rows_kept'),
        rowsRejected: sum('rows_rejected'),
        sizeBytes: sum('size_bytes'),
    };
}

/** The distinct names, the first ones where they are many. */
function namesOf(sources: readonly KnownSource[], nameOf: (one: KnownSource) => string): string[] {
    return [...new Set(sources.map(nameOf))].sort().slice(0, MOST_SITES);
}

interface RowOptions {
    now: Date;
    twin: { how: string; others: number } | undefined;
}

/** A source as it is shown, here and on its own page. Counts that its kind does not have are null. */
export function rowOf(one: KnownSource, { now, twin }: RowOptions): { [name: string]: Json } {
    const textOf = (fact: string): string | null => {
        const value = one.facts[fact];
        return value === undefined || value === null ? null : String(value);
    };
    return {
        source: one.source,
        site: one.site,
        kind: one.kind,
        state: one.state,
        rowsRead: textOf('rows_read'),
        rowsKept: textOf('rows_kept'),
        rowsRejected: textOf('rows_rejected'),
        metricsRejected: textOf('metrics_rejected'),
        rowsSkipped: textOf('rows_skipped'),
        sizeBytes: textOf('size_bytes'),
        firstDay: textOf('first_day'),
        lastDay: textOf('last_day'),
        readAtMs: summarizedMs(one) || null,
        readAs: textOf('dialect') ?? textOf('message_form'),
        profiles: textOf('profiles'),
        dateOrder: textOf('date_order'),
        durationUnit: textOf('duration_unit'),
        durationUnitBy: textOf('duration_unit_by'),
        rejected: textOf('rejected'),
        skipped: textOf('skipped'),
        error: textOf('error'),
        doubts: doubtsOfSource(one, { now }).map(({ text, remedy }) => ({ text: text.replace('{files}', 'this file'), remedy })),
        next:
            one.state === 'failed' || one.state === 'empty' || one.state === 'waiting' || one.state === 'unknown'
                ? sayProblem({ kind: one.state, subjects: [one.source] }).next
                : null,
        twins: twin ? { how: twin.how, others: twin.others } : null,
    };
}
