/** Compares what one source contributes to its periods with its raw file's recount; takes it for the recount where there is none. */
import type { Kind } from '#lake/kind';
import { contributionKey, dayOfPeriod, nameOfPeriod, periodOf, siteOf } from '#lake/layout';
import { sourceId } from '#lake/source-id';
import type { MergedTable } from '#lake/tables';
import { compareFigures } from './compare.ts';
import { literal, textOf, wholeOf } from './engine.ts';
import type { Difference } from './findings.ts';
import { findImpossible } from './impossible.ts';
import { messageOf } from './lake-files.ts';
import { type LoadedRows, loadRows, UNSORTED } from './parquet-rows.ts';
import type { LiveRecord, VerifySourceOptions } from './source-work.ts';
import { columnsOf, figureNames, keyNames, listed, ownKeyNames, periodIn, quoted } from './table-sql.ts';

/** SQL that leaves nothing in table `source_periods`: where it cannot be told what a source contributes, or that is nothing. */
export function noSourcePeriods(table: MergedTable): string {
    return `create or replace temp table source_periods (${columnsOf(table)})`;
}

type Options = VerifySourceOptions & {
    /** True if table `source_periods` has the recount of the raw file. */
    isRecomputed: boolean;
    /** True if the raw file is there, so that nothing is lost with a contribution. */
    isReadable: boolean;
};

/**
 * Compares the source's live contributions with the recount in table `source_periods`, or leaves them there in its place.
 * @returns the periods of which neither tells anything
 */
export async function verifyContributions(record: LiveRecord, options: Options): Promise<readonly string[]> {
    const { kind, engine, findings, copies, objects, signal, isRecomputed } = options;
    const { source, version } = record;
    const { merged: table } = kind;
    const about = { source, table: table.name };
    const id = sourceId(source);
    const found = objects.contributions.get(`${id}.${version}`) ?? [];
    const recorded = record.versions[version] ?? [];
    const missing = comparePeriods(record, options);
    try {
        const { damaged, ...loaded } = await copies.use(found, (paths) =>
            loadRows(engine, 'contribution_rows', {
                table: kind.contributions,
                files: found.map(({ key }, at) => ({ key, path: paths[at] ?? '' })),
            }),
        );
        signal?.throwIfAborted();
        findings.add(...faultsOf(record, { damaged, ...loaded }, options));
        const unread = [...missing, ...[...damaged.keys()].map((key) => periodOf(kind.contributions, key) ?? '')].sort();
        if (isRecomputed) {
            // What is missing has its figures told too; what cannot be read is told, and nothing else.
            const isRead = damaged.size === 0 ? 'true' : `period not in (${unread.map(literal).join(', ')})`;
            await compareFigures(
                engine,
                {
                    table,
                    about: { kind: 'summary', ...about },
                    inLake: 'from contribution_rows',
                    recomputed: `select ${withSite(kind, source)}, period, ${listed(figureNames(table))} from source_periods where ${isRead}`,
                },
                findings,
            );
        } else {
            await takeContributions(record, { ...options, unread });
        }
        if (damaged.size === 0 && (isRecomputed || unread.length === 0)) {
            await compareRowCount(record, options);
        }
        return isRecomputed ? [] : unread;
    } catch (error) {
        signal?.throwIfAborted();
        const why = `${messageOf(error)}${isRecomputed ? '' : `; the ${table.per}s that it touches are not compared`}`;
        findings.note('could_not_read', source, `the summaries of ${source} (${id}.${version}.parquet) could not be read: ${why}`);
        if (isRecomputed) {
            return [];
        }
        await engine.run(noSourcePeriods(table));
        return recorded;
    }
}

/** The key columns for rows of one source, as a query has them; its name tells its site, unless rows do themselves. */
export function withSite(kind: Pick<Kind, 'merged' | 'hasOwnSites'>, source: string): string {
    const own = ownKeyNames(kind);
    return keyNames(kind.merged)
        .map((name) => (own.includes(name) ? quoted(name) : `${literal(siteOf(source))} as ${quoted(name)}`))
        .join(', ');
}

/** Finds contributions that are missing, or one too many. @returns the periods that miss one */
function comparePeriods({ source, version, versions }: LiveRecord, { kind, findings, objects }: Options): string[] {
    const id = sourceId(source);
    const keyOf = (period: string): string => contributionKey(kind.contributions, { period, source: id, version });
    const there = (objects.contributions.get(`${id}.${version}`) ?? []).map(({ key }) => periodOf(kind.contributions, key) ?? '');
    const recorded = versions[version] ?? [];
    const missing = recorded.filter((period) => !there.includes(period));
    const about = (period: string) => ({ kind: 'summary' as const, source, ...periodIn(kind, period), figure: 'object' });
    findings.add(
        ...missing.map((period) => ({ ...about(period), in_lake: null, recomputed: keyOf(period) })),
        ...there
            .filter((period) => !recorded.includes(period))
            .map((period) => ({ ...about(period), in_lake: keyOf(period), recomputed: null })),
    );
    return missing;
}

function faultsOf({ source }: LiveRecord, { damaged, wrongTypes, unsorted }: LoadedRows, { kind }: Options): Difference[] {
    const about = (key: string) => ({
        source,
        ...periodIn(kind, periodOf(kind.contributions, key) ?? ''),
        in_lake: key,
        recomputed: null,
    });
    return [
        ...[...damaged, ...unsorted.map((key) => [key, UNSORTED] as const)].map(([key, figure]) => ({
            kind: 'damaged' as const,
            ...about(key),
            figure,
        })),
        ...[...wrongTypes].flatMap(([key, wrong]) =>
            wrong.map(({ name, found, expected }) => ({
                kind: 'summary' as const,
                ...about(key),
                figure: `type of ${name}`,
                in_lake: found,
                recomputed: expected,
            })),
        ),
    ];
}

/** Takes the contributions where the raw file was not recounted: they must agree with the ledger, and be possible in themselves. */
async function takeContributions(
    record: LiveRecord,
    { kind, engine, findings, unread, isReadable }: Options & { unread: readonly string[] },
): Promise<void> {
    const { source } = record;
    const { merged: table, accounts } = kind;
    const about = { source, table: table.name };
    const ownKeys = listed(ownKeyNames(kind));
    const hasStrangers = keyNames(table).length > ownKeyNames(kind).length;
    await engine.run(
        `create or replace temp table source_periods as select ${ownKeys}, period, ${listed(figureNames(table))} from contribution_rows`,
    );
    await findImpossible(engine, { kind, table: 'contribution_rows', about: { kind: 'summary', ...about } }, findings);
    if (unread.length > 0) {
        if (!isReadable) {
            for (const of of unread.map((period) => periodIn(kind, period))) {
                findings.mends.lost.set(nameOfPeriod(of), of);
            }
            const text = `what ${source} contributed to ${unread.join(', ')} cannot be told: neither its raw file nor its summary can be had. The ${table.per}s are not compared, and not to be repaired: restore either from a backup`;
            findings.note('lost', source, text);
        }
        return;
    }
    const [row] = await engine.rows(`
        select min(period) as first_period, max(period) as last_period,
            (select count(*) from (select distinct ${ownKeys} from contribution_rows)) as keys,
            count(*) filter (${hasStrangers ? `site is distinct from ${literal(siteOf(source))}` : 'false'}) as strangers
        from contribution_rows`);
    const dayIn = (column: string): string | null => {
        const period = textOf(row, column);
        return period === null ? null : dayOfPeriod(period);
    };
    const said: [string, bigint | string | null, bigint | string | null][] = [
        ['first_day of its summaries', dayIn('first_period'), record.first_day],
        ['last_day of its summaries', dayIn('last_period'), record.last_day],
        ['rows of another site in its summaries', wholeOf(row, 'strangers'), 0n],
    ];
    if (accounts?.keys !== undefined) {
        said.splice(2, 0, [`${accounts.keys} of its summaries`, wholeOf(row, 'keys'), BigInt(Number(record[accounts.keys]))]);
    }
    findings.add(
        ...said
            .filter(([, inLake, recorded]) => inLake !== recorded)
            .map(([figure, in_lake, recomputed]) => ({ kind: 'source' as const, ...about, figure, in_lake, recomputed })),
    );
}

/** Compares how many rows the contributions are made of with how many were kept, or what else the kind counts. */
async function compareRowCount(record: LiveRecord, { kind, engine, findings }: Options): Promise<void> {
    const { merged, accounts } = kind;
    if (!accounts) {
        return;
    }
    const [total] = await engine.rows(`select sum(${quoted(accounts.rows)}) as counted from contribution_rows`);
    const counted = wholeOf(total, 'counted') ?? 0n;
    const expected = BigInt(Number(record[accounts.total ?? 'rows_kept']));
    if (counted !== expected) {
        const about = { kind: 'source' as const, source: record.source, table: merged.name };
        findings.add({ ...about, figure: `${accounts.rows} of its summaries`, in_lake: counted, recomputed: expected });
    }
}
