/** Reads one raw object the second way: counts its rows, and leaves its figures per pair and day in table `source_periods`. */
import { OverflowError } from '#lake/errors';
import { pairDays } from '#lake/flows/tables';
import type { ReadingOptions, SqlEngine } from '#lake/kind';
import type { ByteStream } from '#lake/store/object-store';
import { textOf, wholeOf } from '#lake/verify/engine';
import { NotFollowedError } from '#lake/verify/second-reading';
import { countRows, isOtherLogBehind, isZeekFields, type Layout, takeHeader, zeekLayout } from './header.ts';
import { insertParquet, isParquet, lookAt } from './parquet-file.ts';
import { joinRecords, RowTooLongError, readText } from './raw-text.ts';
import { defaultUnit, FIGURES, insertParts, PARTS_TABLE } from './row-sql.ts';

/** What the ledger should say of the file, and its rejects. */
export interface Recount {
    dialect: string;
    date_order: string | null;
    duration_unit: string;
    duration_unit_by: string;
    rows_skipped: number;
    skipped: string | null;
    rows_read: number;
    rows_kept: number;
    rows_rejected: number;
    repeated_headers: number;
    first_day: string | null;
    last_day: string | null;
    pairs: number;
    /** Rejected rows by reason. */
    rejects: Map<string, bigint>;
}

/** How figures of several rows become one: not by the words of the table, by which the first reading's are merged. */
const MERGED_FIGURES = FIGURES.map((figure) => {
    const merge = figure.endsWith('_min') ? 'min' : figure.endsWith('_max') ? 'max' : 'sum';
    return `cast(${merge}(${figure}) as hugeint) as ${figure}`;
}).join(', ');

/**
 * Leaves the figures in table `source_periods` (src_ip, dst_ip, period, figures), made anew.
 * @returns undefined where the file has no usable header (or a later `#fields` line is none), or a row that is too long; then the table
 * holds nothing to use.
 * @throws NotFollowedError for a file with a construct that this reading does not follow, DamagedFileError where it cannot be unpacked,
 * OverflowError where a sum leaves its range, and what the stream throws.
 */
export async function recompute(engine: SqlEngine, bytes: ByteStream, options: ReadingOptions): Promise<Recount | undefined> {
    await engine.run(PARTS_TABLE);
    await engine.run('truncate parts');
    const found: Found = { layout: undefined, repeatedHeaders: 0, isOtherLog: false, otherLogRows: 0 };
    const { start, all } = await lookAt(bytes);
    try {
        if (isParquet(start)) {
            found.layout = await insertParquet(engine, all, options);
        } else {
            await engine.runForEach(blocksOf(all, found, options));
        }
    } catch (error) {
        if (error instanceof RowTooLongError) {
            return undefined;
        }
        throw error;
    }
    return found.layout && (await gather(engine, found.layout, { ...found, options }));
}

/** What the blocks tell beside their text. */
interface Found {
    /** The layout that rules at the moment; undefined before the header, and for good where there is none. */
    layout: Layout | undefined;
    /** Count of `#fields` lines that name the columns once more as they are; repeated headers of a CSV are found with the rows. */
    repeatedHeaders: number;
    /** True behind a line `#path` of a Zeek log that is none of conn, and how many rows stood behind such lines. */
    isOtherLog: boolean;
    otherLogRows: number;
}

async function* blocksOf(bytes: ByteStream, found: Found, options: ReadingOptions): AsyncGenerator<{ sql: string; text: string }> {
    const texts = readText(bytes);
    let rest = '';
    for (let next = await texts.next(); !next.done; ) {
        let text = rest + next.value;
        next = await texts.next();
        if (!found.layout) {
            const header = takeHeader(text);
            if (!header) {
                break;
            }
            found.layout = header.layout;
            found.otherLogRows = header.otherLogRows;
            text = header.rows;
        }
        assertQuotesAreFollowed(text, found, found.layout);
        const joined = joinRecords(text, { ...found.layout, isLast: next.done === true });
        rest = joined.rest;
        for (const { layout, records } of segmentsOf(joined.records, found)) {
            yield { sql: insertParts(layout, { options, ...traitsOf(records, layout) }), text: records };
        }
        if (!found.layout) {
            break;
        }
    }
    await texts.return(undefined);
}

/** A quote that begins a field is none in another Zeek log than conn. @throws NotFollowedError where a block has both */
function assertQuotesAreFollowed(text: string, { isOtherLog }: Found, { isZeekLog, separator }: Layout): void {
    const hasQuotes = text.startsWith('"') || text.includes('\n"') || text.includes(`${separator}"`);
    const mayBeOther = (): boolean => {
        const paths = text.split(`#path${separator}`).slice(1);
        return isOtherLog || paths.some((rest) => rest.slice(0, rest.indexOf('\n')).trim() !== 'conn');
    };
    if (isZeekLog && hasQuotes && mayBeOther()) {
        throw new NotFollowedError('it was put together of several Zeek logs, with quotes in them');
    }
}

/** Traits that make the SQL dearer, and stand in few files. A tab that separates is no blank. */
function traitsOf(records: string, { separator }: Layout): { hasQuotes: boolean; hasTabs: boolean } {
    return { hasQuotes: records.includes('"'), hasTabs: separator !== '\t' && records.includes('\t') };
}

/**
 * The records with the layout that rules them. A Zeek log may have been put together from several: each `#fields` line rules from where it
 * stands.
 */
function* segmentsOf(records: string, found: Found): Generator<{ layout: Layout; records: string }> {
    let from = 0;
    function* rowsUntil(end: number): Generator<{ layout: Layout; records: string }> {
        const segment = records.slice(from, end);
        from = end;
        if (found.isOtherLog) {
            found.otherLogRows += countRows(segment);
        } else if (found.layout) {
            yield { layout: found.layout, records: segment };
        }
    }
    for (const { 0: line, index } of found.layout?.isZeekLog ? records.matchAll(/(?<=^|\n)#(?:fields|path)[^\n]*/g) : []) {
        const layout: Layout | undefined = found.layout;
        if (!layout) {
            return;
        }
        const isOtherLog = isOtherLogBehind(line, { separator: layout.separator, isOtherLog: found.isOtherLog });
        if (isOtherLog !== found.isOtherLog) {
            yield* rowsUntil(index);
            found.isOtherLog = isOtherLog;
        }
        if (!isOtherLog && isZeekFields(line, layout.separator)) {
            yield* rowsUntil(index);
            const next = zeekLayout(line, layout.separator);
            found.repeatedHeaders += JSON.stringify(next?.names) === JSON.stringify(layout.names) ? 1 : 0;
            // What kind of file it is, the first header tells.
            found.layout = next && { ...next, dialect: layout.dialect };
        }
    }
    yield* rowsUntil(records.length);
}

/** Verdicts that are given after the date was looked at: a date against the file's order comes before them. */
const BEHIND_THE_DATE = [null, 'not_a_number', 'nan', 'infinity', 'negative', 'not_whole', 'too_large'];

/** Settles the file's date order, then makes `source_periods` and the counts. */
async function gather(
    engine: SqlEngine,
    layout: Layout,
    { options, ...found }: { options: ReadingOptions } & Pick<Found, 'repeatedHeaders' | 'otherLogRows'>,
): Promise<Recount> {
    const groups = await engine.rows(`
        select verdict, date_kind, day_dmy is not null as fits_dmy, day_mdy is not null as fits_mdy, sum(flows) as flows
        from parts
        group by all`);
    const rows = groups.map((row) => ({
        verdict: textOf(row, 'verdict'),
        kind: textOf(row, 'date_kind'),
        fits: { dmy: row.fits_dmy === true, mdy: row.fits_mdy === true },
        flows: wholeOf(row, 'flows') ?? 0n,
    }));
    const witnesses = { dmy: 0n, mdy: 0n };
    for (const { fits, flows } of rows.filter(({ verdict, kind }) => verdict === null && kind === 'slash')) {
        witnesses.dmy += fits.mdy ? 0n : flows;
        witnesses.mdy += fits.dmy ? 0n : flows;
    }
    const slashOrder = witnesses.mdy > witnesses.dmy ? 'mdy' : 'dmy';
    const kinds = new Set<string | null>();
    const counts = new Map<string, bigint>();
    for (const { verdict, kind, fits, flows } of rows) {
        const reason = BEHIND_THE_DATE.includes(verdict) && !fits[slashOrder] ? 'date_against_order' : verdict;
        if (reason === null) {
            kinds.add(kind);
        } else {
            counts.set(reason, (counts.get(reason) ?? 0n) + flows);
        }
    }
    const repeatedHeaders = found.repeatedHeaders + Number(counts.get('repeated_header') ?? 0n);
    counts.delete('repeated_header');
    const rowsRejected = Number([...counts.values()].reduce((sum, count) => sum + count, 0n));
    const { rowsKept, ...days } = await gatherDays(engine, `day_${slashOrder}`);
    return {
        dialect: layout.dialect,
        date_order: dateOrder({ given: options.dateOrder, slashOrder, isSettled: witnesses.dmy + witnesses.mdy > 0n, kinds }),
        duration_unit: options.durationUnit ?? defaultUnit(layout),
        duration_unit_by: options.durationUnit === undefined ? 'named' : 'given',
        rows_skipped: found.otherLogRows,
        skipped: found.otherLogRows > 0 ? `other_log ${found.otherLogRows}` : null,
        rows_read: rowsKept + rowsRejected,
        rows_kept: rowsKept,
        rows_rejected: rowsRejected,
        repeated_headers: repeatedHeaders,
        ...days,
        rejects: counts,
    };
}

/** Makes `source_periods` of the kept rows. @throws OverflowError where a figure does not fit its column: such a source counts nowhere. */
async function gatherDays(
    engine: SqlEngine,
    day: string,
): Promise<Pick<Recount, 'first_day' | 'last_day' | 'pairs'> & { rowsKept: number }> {
    await engine.run(`
        create or replace temp table source_periods as
        select * exclude (day), cast(day as varchar) as period
        from (
            select src_ip, dst_ip, ${day} as day, ${MERGED_FIGURES}
            from parts
            where verdict is null and ${day} is not null
            group by all
        )`);
    const isTooLarge = pairDays.columns
        .filter(({ type }) => type !== 'string')
        .map(({ name, type }) => `max(${name}) > ${type === 'bigint' ? MAX_BIGINT : MAX_DECIMAL}`);
    const [kept] = await engine.rows(`
        select sum(flows) as flows, min(period) as first_day, max(period) as last_day,
            (select count(*) from (select distinct src_ip, dst_ip from source_periods)) as pairs, ${isTooLarge.join(' or ')} as is_too_large
        from source_periods`);
    if (kept?.is_too_large === true) {
        throw new OverflowError('a total leaves its column');
    }
    return {
        rowsKept: Number(wholeOf(kept, 'flows') ?? 0n),
        first_day: textOf(kept, 'first_day'),
        last_day: textOf(kept, 'last_day'),
        pairs: Number(wholeOf(kept, 'pairs') ?? 0n),
    };
}

const MAX_BIGINT = 2n ** 63n - 1n;
const MAX_DECIMAL = 10n ** 38n - 1n;

interface OrderFindings {
    given: string | undefined;
    slashOrder: 'dmy' | 'mdy';
    isSettled: boolean;
    /** Ways in which the kept rows write their dates. */
    kinds: ReadonlySet<string | null>;
}

function dateOrder({ given, slashOrder, isSettled, kinds }: OrderFindings): string | null {
    if (given !== undefined) {
        return given;
    }
    if (kinds.size === 0) {
        return null;
    }
    if (kinds.has('slash')) {
        return isSettled ? slashOrder : 'assumed';
    }
    return kinds.has('dotted') ? 'dmy' : kinds.has('ymd') ? 'ymd' : 'epoch';
}
