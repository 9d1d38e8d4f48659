/** What one source contributes to its days, against its raw file's recount; or taken for it, where there is none. */
import { dayOf, siteOf, sourceId, summaryKey } from '#lake/layout';
import { FIGURES } from '#lake/verify/flows/row-sql';
import { compareFigures } from './compare.ts';
import { literal, textOf, wholeOf } from './engine.ts';
import type { Difference } from './findings.ts';
import { findImpossible } from './impossible.ts';
import { messageOf } from './lake-files.ts';
import { type LoadedRows, loadRows, UNSORTED } from './parquet-rows.ts';
import type { LiveRecord, VerifySourceOptions } from './source-work.ts';

/** SQL that leaves nothing in table `source_days`: where it cannot be told what a source contributes, or that is nothing. */
export const NO_SOURCE_DAYS = 'create or replace temp table source_days as select * from contributions limit 0';

type Options = VerifySourceOptions & { isRecomputed: boolean };

/**
 * Compares the source's live summaries with the recount in table `source_days`, or leaves them there in its place.
 * @returns the days of which neither tells anything
 */
export async function verifySummaries(record: LiveRecord, options: Options): Promise<readonly string[]> {
    const { engine, findings, copies, objects, signal, isRecomputed } = options;
    const { source, version } = record;
    const id = sourceId(source);
    const found = objects.summaries.get(`${id}.${version}`) ?? [];
    const daysRecorded = record.versions[version] ?? [];
    const missing = compareDays(record, options);
    try {
        const { damaged, ...loaded } = await copies.use(found, (paths) =>
            loadRows(
                engine,
                'summary_rows',
                found.map(({ key }, at) => ({ key, path: paths[at] ?? '' })),
            ),
        );
        signal?.throwIfAborted();
        findings.add(...faultsOf(record, { damaged, ...loaded }));
        const unread = [...missing, ...[...damaged.keys()].map((key) => dayOf(key) ?? '')].sort();
        const isDayRead = unread.length === 0 ? 'true' : `cast(day as varchar) not in (${unread.map(literal).join(', ')})`;
        if (isRecomputed) {
            const figures = FIGURES.join(', ');
            // Of what is missing the figures are told too, of what cannot be read only that.
            const isRead = damaged.size === 0 ? 'true' : isDayRead;
            const recomputed = `select ${literal(siteOf(source))} as site, src_ip, dst_ip, cast(day as varchar) as day, ${figures} from source_days where ${isRead}`;
            await compareFigures(engine, { kind: 'summary', source, inLake: 'from summary_rows', recomputed }, findings);
        } else {
            await takeSummaries(record, { ...options, unread });
        }
        if (damaged.size === 0 && (isRecomputed || unread.length === 0)) {
            await compareFlows(record, options);
        }
        return isRecomputed ? [] : unread;
    } catch (error) {
        signal?.throwIfAborted();
        const why = `${messageOf(error)}${isRecomputed ? '' : '; the days that it touches are not compared'}`;
        findings.note('could_not_read', source, `the summaries of ${source} (${id}.${version}.parquet) could not be read: ${why}`);
        if (isRecomputed) {
            return [];
        }
        await engine.run(NO_SOURCE_DAYS);
        return daysRecorded;
    }
}

/** Objects that are missing, or one too many. @returns the days that miss one */
function compareDays({ source, version, versions }: LiveRecord, { findings, objects }: Options): string[] {
    const id = sourceId(source);
    const keyOf = (day: string): string => summaryKey({ day, source: id, version });
    const there = (objects.summaries.get(`${id}.${version}`) ?? []).map(({ key }) => dayOf(key) ?? '');
    const recorded = versions[version] ?? [];
    const missing = recorded.filter((day) => !there.includes(day));
    const about = { kind: 'summary' as const, source, figure: 'object' };
    findings.add(
        ...missing.map((day) => ({ ...about, day, in_lake: null, recomputed: keyOf(day) })),
        ...there.filter((day) => !recorded.includes(day)).map((day) => ({ ...about, day, in_lake: keyOf(day), recomputed: null })),
    );
    return missing;
}

function faultsOf({ source }: LiveRecord, { damaged, wrongTypes, unsorted }: LoadedRows): Difference[] {
    const about = (key: string) => ({ source, day: dayOf(key) ?? '', in_lake: key, recomputed: null });
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

/** Where the raw file is gone: the summaries must agree with the ledger, and be possible in themselves. */
async function takeSummaries(record: LiveRecord, { engine, findings, unread }: Options & { unread: readonly string[] }): Promise<void> {
    const { source } = record;
    await engine.run(
        'create or replace temp table source_days as select * exclude (site, filename, place) replace (cast(day as date) as day) from summary_rows',
    );
    await findImpossible(engine, { table: 'summary_rows', kind: 'summary', source }, findings);
    if (unread.length > 0) {
        for (const day of unread) {
            findings.mends.lostDays.add(day);
        }
        const text = `what ${source} contributed to ${unread.join(', ')} cannot be told: neither its raw file nor its summary can be had. The days are not compared, and not to be repaired: restore either from a backup`;
        findings.note('lost', source, text);
        return;
    }
    const [row] = await engine.rows(`
        select min(day) as first_day, max(day) as last_day, (select count(*) from (select distinct src_ip, dst_ip from summary_rows)) as pairs,
            count(*) filter (site is distinct from ${literal(siteOf(source))}) as strangers
        from summary_rows`);
    const said = [
        ['first_day of its summaries', textOf(row, 'first_day'), record.first_day],
        ['last_day of its summaries', textOf(row, 'last_day'), record.last_day],
        ['pairs of its summaries', wholeOf(row, 'pairs'), BigInt(record.pairs)],
        ['rows of another site in its summaries', wholeOf(row, 'strangers'), 0n],
    ] as const;
    findings.add(
        ...said
            .filter(([, inLake, recorded]) => inLake !== recorded)
            .map(([figure, in_lake, recomputed]) => ({ kind: 'source' as const, source, figure, in_lake, recomputed })),
    );
}

async function compareFlows({ source, rows_kept }: LiveRecord, { engine, findings }: Options): Promise<void> {
    const [total] = await engine.rows('select sum(flows) as flows from summary_rows');
    const flows = wholeOf(total, 'flows') ?? 0n;
    if (flows !== BigInt(rows_kept)) {
        findings.add({ kind: 'source', source, figure: 'flows of its summaries', in_lake: flows, recomputed: BigInt(rows_kept) });
    }
}
