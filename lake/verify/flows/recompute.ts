/** Reads one raw object the second way: counts its rows, and leaves its figures per pair and day in table `source_periods`. */
import { OverflowError } from '#lake/errors';
import { pairDays } from '#lake/flows/tables';
import type { ReadingOptions, SqlEngine } from '#lake/kind';
import type { ByteStream } from '#lake/store/object-store';
import { textOf, wholeOf } from '#lake/verify/engine';
import { NotFollowedError } from '#lake/verify/second-reading';
import { shortIPv6 } from './addresses.ts';
import { type Layout, takeHeader, unitByName } from './header.ts';
import { BETWEEN, beginJson, isJson, isOtherZeekLog, type JsonFound, jsonLayout, jsonLines } from './json-file.ts';
import { STYLES, type Style, settledStyle } from './number-styles.ts';
import { insertParquet, isParquet, lookAt } from './parquet-file.ts';
import { joinRecords, RowTooLongError, readText } from './raw-text.ts';
import {
    BEHIND_THE_DATE,
    FIGURES,
    FRACTION_BIT,
    insertJson,
    insertParts,
    PARTS_TABLE,
    REFUSED,
    REPEATED,
    type Reading,
    SKIPPED,
    UNREADABLE_END,
} from './row-sql.ts';
import { beginning, type Found, segmentsOf } from './segments.ts';
import { settleDates } from './settle-dates.ts';
import { UNITS, type Unit } from './tools.ts';

/** What the ledger should say of the file, and its rejects. */
export interface Recount {
    dialect: string;
    date_order: string | null;
    /** Both null where rows are kept of which none has a duration. */
    duration_unit: string | null;
    duration_unit_by: string | null;
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
 * Leaves the figures in table `source_periods` (src_ip, dst_ip, period, figures), made anew. The file is gone through once more where what rules
 * all its rows turned out late.
 * @param open hands out the bytes from their beginning, each time that it is called; `name` is the file's.
 * @returns undefined where the file cannot be used: it has no usable header, a later one is of another tool, a row is too long, its rows are
 * aggregated or speak against each other; then the table holds nothing to use.
 * @throws NotFollowedError for a file with a construct that this reading does not follow, DamagedFileError where it cannot be unpacked,
 * OverflowError where a sum leaves its range, and what the stream throws.
 */
export async function recompute(
    engine: SqlEngine,
    open: () => ByteStream,
    options: ReadingOptions,
    { name = '' }: { name?: string } = {},
): Promise<Recount | undefined> {
    await engine.run(PARTS_TABLE);
    const spoken = new Set<Style>();
    let areAllAsked = false;
    let task: Task = { options, style: 'plain', askStyles: 'grouping' };
    for (;;) {
        const read = await readOnce(engine, open(), { ...task, name });
        if (!read) {
            return undefined;
        }
        const bits = await bitsOf(engine);
        for (const style of [...read.found.styles, ...STYLES.filter((_, bit) => (bits & (1 << bit)) !== 0)]) {
            spoken.add(style);
        }
        const style = settledStyle(spoken);
        if (style === 'points' && !areAllAsked) {
            // Nobody has been asked for plain numbers yet, which would speak against it.
            areAllAsked = true;
            task = { options, style, askStyles: 'all' };
            continue;
        }
        const unit = settledUnit(read.found, { style, given: givenUnit(options, read.found) });
        if (!unit) {
            return undefined;
        }
        if (style === task.style && unit.unit === read.unit) {
            // CICFlowMeter writes whole microseconds.
            const unitBy = unit.by === 'named' && (bits & FRACTION_BIT) !== 0 ? 'assumed' : unit.by;
            const recount = await gather(engine, { ...read, unitBy, options });
            return recount && read.json && isUnusableJson(read.json, recount) ? undefined : recount;
        }
        task = { options, style, unit: unit.unit, askStyles: 'none' };
    }
}

/** How the file is to be gone through; without a unit it is the one that the beginning tells. */
type Task = Omit<Reading, 'unit'> & { unit?: Unit; name?: string };

interface Read {
    found: Found;
    json?: JsonFound | undefined;
    /** The unit that durations were read in. */
    unit: Unit;
}

/** What is known of a file while it is gone through. */
interface Started {
    found?: Found | undefined;
    unit?: Unit;
    json?: JsonFound;
}

/** Fills table `parts`. @returns undefined where the file cannot be used */
async function readOnce(engine: SqlEngine, bytes: ByteStream, task: Task): Promise<Read | undefined> {
    await engine.run('truncate parts');
    const read: Started = {};
    const { start, all } = await lookAt(bytes);
    try {
        if (isParquet(start)) {
            read.found = await insertParquet(engine, all, (found) => ({ ...task, unit: unitFor(read, { found, task }) }));
        } else {
            await engine.runForEach(blocksOf(all, read, task));
        }
    } catch (error) {
        if (error instanceof RowTooLongError) {
            return undefined;
        }
        throw error;
    }
    const { found, unit, json } = read;
    return found && unit && !found.isUnusable ? { found, unit, json } : undefined;
}

async function* blocksOf(bytes: ByteStream, read: Started, task: Task): AsyncGenerator<{ sql: string; text: string }> {
    const texts = readText(bytes);
    let rest = '';
    for (let next = await texts.next(); !next.done; ) {
        let text = rest + next.value;
        next = await texts.next();
        if (!read.found && isJson(text)) {
            yield* jsonBlocks({ text, next, texts }, read, task);
            break;
        }
        if (!read.found) {
            const header = takeHeader(text);
            if (!header) {
                break;
            }
            read.found = beginning(header);
            text = header.rows;
        }
        const { found } = read;
        assertQuotesAreFollowed(text, found, found.layout);
        const joined = joinRecords(text, { ...found.layout, isLast: next.done === true });
        rest = joined.rest;
        const segments = segmentsOf(joined.records, found);
        const unit = unitFor(read, { found, task });
        for (const { layout, records } of segments) {
            yield { sql: insertParts(layout, { ...task, unit, ...traitsOf(records, layout) }), text: records };
        }
        if (found.isUnusable) {
            break;
        }
    }
    await texts.return(undefined);
}

/** The blocks of a JSON file; `text` is its first, and `next` what `texts` handed out behind it. */
async function* jsonBlocks(
    start: { text: string; next: IteratorResult<string>; texts: AsyncGenerator<string> },
    read: Started,
    task: Task,
): AsyncGenerator<{ sql: string; text: string }> {
    const json = isOtherZeekLog(task.name ?? '') ? undefined : beginJson(start.text);
    if (!json) {
        return;
    }
    const layout = jsonLayout(json.tool);
    const found = beginning({ layout, rows: '', firstLine: 1, otherLogRows: 0 });
    read.found = found;
    read.json = json;
    const sql = insertJson(layout, { ...task, unit: unitFor(read, { found, task }), askStyles: 'none' }, BETWEEN);
    let { text, next } = start;
    for (;;) {
        const { lines, rest } = jsonLines(text, json, { isLast: next.done === true });
        yield { sql, text: lines };
        if (next.done) {
            return;
        }
        text = rest + next.value;
        next = await start.texts.next();
    }
}

/** True for a JSON file that cannot be used by what its records are together. */
function isUnusableJson(
    { tool, isArrayOpen, isMixed, hasAddresses, hasTimes }: JsonFound,
    { rows_read, rows_kept, rows_skipped }: Recount,
): boolean {
    return (
        isArrayOpen ||
        isMixed ||
        (rows_read === 0 && rows_skipped > 0) ||
        (tool.dialect === 'nfdump-json' && rows_read > 0 && !hasAddresses) ||
        (tool.dialect === 'goflow2' && rows_kept > 0 && !hasTimes)
    );
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

function givenUnit({ durationUnit }: ReadingOptions, { first }: Found): Unit | undefined {
    return first.tool.isSpan === true ? undefined : UNITS.find((unit) => unit === durationUnit);
}

/** The unit that the file's durations are read in, settled when the first of them are. */
function unitFor(read: Started, { found, task }: { found: Found; task: Task }): Unit {
    read.unit ??=
        task.unit ?? settledUnit(found, { style: task.style, given: givenUnit(task.options, found) })?.unit ?? unitByName(found.first).unit;
    return read.unit;
}

/** The unit of the durations and what tells it; undefined where asked rows speak against the given one or against each other. */
function settledUnit(
    { units, first }: Found,
    { style, given }: { style: Style; given: Unit | undefined },
): { unit: Unit; by: string } | undefined {
    const [unit, ...others] = units[style];
    if (others.length > 0 || (given !== undefined && unit !== undefined && unit !== given)) {
        return undefined;
    }
    if (given !== undefined) {
        return { unit: given, by: 'given' };
    }
    return unit === undefined ? unitByName(first) : { unit, by: 'witnessed' };
}

/** What the rows' numbers tell, as far as rows were asked: the bits of all of them. */
async function bitsOf(engine: SqlEngine): Promise<number> {
    const [row] = await engine.rows('select coalesce(bit_or(styles), 0) as styles from parts');
    return Number(wholeOf(row, 'styles') ?? 0n);
}

/** Settles the file's dates, then makes `source_periods` and the counts. @returns undefined where a row makes the file unusable */
async function gather(
    engine: SqlEngine,
    { found, unit, unitBy, options }: Read & { unitBy: string; options: ReadingOptions },
): Promise<Recount | undefined> {
    const groups = await engine.rows(`
        select verdict, date_kind, cast(day_dmy as varchar) as dmy, cast(day_mdy as varchar) as mdy, cast(sum(flows) as hugeint) as flows
        from parts
        group by all`);
    const rows = groups.map((row) => ({
        verdict: textOf(row, 'verdict'),
        kind: textOf(row, 'date_kind') ?? '',
        days: { dmy: textOf(row, 'dmy'), mdy: textOf(row, 'mdy') },
        flows: wholeOf(row, 'flows') ?? 0n,
    }));
    if (rows.some(({ verdict }) => verdict === REFUSED)) {
        return undefined;
    }
    const { first } = found;
    const hasCutDates = ['cicflowmeter', 'nfdump'].includes(first.dialect);
    const dates = settleDates(rows, { hasCutDates });
    const counts = new Map<string, bigint>();
    const kinds = new Set<string>();
    for (const { verdict, kind, days, flows } of rows) {
        const isDated = verdict === null || BEHIND_THE_DATE.includes(verdict);
        const reason = (isDated ? dates.whyNot(kind, days) : undefined) ?? (verdict === UNREADABLE_END ? 'date_unreadable' : verdict);
        if (reason === null) {
            kinds.add(kind);
        } else {
            counts.set(reason, (counts.get(reason) ?? 0n) + flows);
        }
    }
    const repeatedHeaders = found.repeatedHeaders + Number(counts.get(REPEATED) ?? 0n);
    counts.delete(REPEATED);
    const rejects = new Map([...counts].filter(([reason]) => !reason.startsWith(SKIPPED)));
    const others = BigInt(found.otherLogRows);
    const skipped = [...counts]
        .filter(([reason]) => reason.startsWith(SKIPPED))
        .map(([reason, count]) => ({ reason: reason.slice(SKIPPED.length), count }))
        .concat(others > 0n ? [{ reason: 'other_log', count: others }] : []);
    const rowsRejected = sumOf(rejects.values());
    const { rowsKept, rowsTimed, ...days } = await gatherDays(engine, { day: `day_${dates.slashOrder}`, isKept: dates.isKept });
    const isUntimed = rowsKept > 0 && rowsTimed === 0;
    return {
        dialect: first.dialect,
        date_order: dates.orderOf(kinds, options.dateOrder),
        duration_unit: isUntimed ? null : unit,
        duration_unit_by: isUntimed ? null : unitBy,
        rows_skipped: sumOf(skipped.map(({ count }) => count)),
        skipped: saySkipped(skipped),
        rows_read: rowsKept + rowsRejected,
        rows_kept: rowsKept,
        rows_rejected: rowsRejected,
        repeated_headers: repeatedHeaders,
        ...days,
        rejects,
    };
}

function sumOf(counts: Iterable<bigint>): number {
    return Number([...counts].reduce((sum, count) => sum + count, 0n));
}

/** The reasons and how often each, the most frequent first. */
function saySkipped(skipped: readonly { reason: string; count: bigint }[]): string | null {
    const inOrder = [...skipped].sort((a, b) => Number(b.count - a.count) || (a.reason < b.reason ? -1 : 1));
    return inOrder.length === 0 ? null : inOrder.map(({ reason, count }) => `${reason} ${count}`).join(', ');
}

/** Makes `source_periods` of the kept rows. @throws OverflowError where a figure does not fit its column: such a source counts nowhere. */
async function gatherDays(
    engine: SqlEngine,
    { day, isKept }: { day: string; isKept: string },
): Promise<Pick<Recount, 'first_day' | 'last_day' | 'pairs'> & { rowsKept: number; rowsTimed: number }> {
    await shortenAddresses(engine);
    const short = (column: 'src_ip' | 'dst_ip'): string => `coalesce(${column.slice(0, 3)}_form.short, parts.${column})`;
    await engine.run(`
        create or replace temp table source_periods as
        select * exclude (day), cast(day as varchar) as period
        from (
            select ${short('src_ip')} as src_ip, ${short('dst_ip')} as dst_ip, ${day} as day, ${MERGED_FIGURES}
            from parts
                left join short_forms as src_form on src_form.written = parts.src_ip
                left join short_forms as dst_form on dst_form.written = parts.dst_ip
            where verdict is null and ${isKept}
            group by 1, 2, 3
        )`);
    const isTooLarge = pairDays.columns
        .filter(({ type }) => type !== 'string')
        .map(({ name, type }) => `max(${name}) > ${type === 'bigint' ? MAX_BIGINT : MAX_DECIMAL}`);
    const [kept] = await engine.rows(`
        select sum(flows) as flows, sum(timed_flows) as timed_flows, min(period) as first_day, max(period) as last_day,
            (select count(*) from (select distinct src_ip, dst_ip from source_periods)) as pairs, ${isTooLarge.join(' or ')} as is_too_large
        from source_periods`);
    if (kept?.is_too_large === true) {
        throw new OverflowError('a total leaves its column');
    }
    return {
        rowsKept: Number(wholeOf(kept, 'flows') ?? 0n),
        rowsTimed: Number(wholeOf(kept, 'timed_flows') ?? 0n),
        first_day: textOf(kept, 'first_day'),
        last_day: textOf(kept, 'last_day'),
        pairs: Number(wholeOf(kept, 'pairs') ?? 0n),
    };
}

/** Leaves the IPv6 addresses that are not written in their short form in table `short_forms`. */
async function shortenAddresses(engine: SqlEngine): Promise<void> {
    await engine.run('create or replace table short_forms (written varchar, short varchar)');
    const rows = await engine.rows(`
        select distinct unnest([src_ip, dst_ip]) as address
        from parts
        where verdict is null and (contains(src_ip, ':') or contains(dst_ip, ':'))`);
    const forms = rows.flatMap((row) => {
        const written = textOf(row, 'address') ?? '';
        const short = written.includes(':') ? shortIPv6(written) : written;
        return short === written ? [] : [`${written} ${short}`];
    });
    const texts = async function* () {
        const sql = `insert into short_forms select split_part(line, ' ', 1), split_part(line, ' ', 2) from (select unnest(string_split($1, chr(10))) as line)`;
        yield { sql, text: forms.join('\n') };
    };
    if (forms.length > 0) {
        await engine.runForEach(texts());
    }
}

const MAX_BIGINT = 2n ** 63n - 1n;
const MAX_DECIMAL = 10n ** 38n - 1n;
