/** The SQL that takes one block of lines apart: a verdict for every row, exact whole numbers, and sums per pair and written day. */
import { type FlowMeasure, flowMeasures } from '#lake/flows/tables';
import type { ReadingOptions } from '#lake/kind';
import { NotFollowedError } from '#lake/verify/second-reading';
import { IPV4, IPV6 } from './addresses.ts';
import type { Layout } from './header.ts';
import { GROUPED, OPEN, STYLES, type Style, SURE } from './number-styles.ts';
import { blanks, blanksOf, hex } from './raw-text.ts';
import { FIELDS, type Field, NOT_IP, UNIT_PLACES, UNITS, type Unit } from './tools.ts';

/** The field that each measure is read from. */
const FIELD_OF: Readonly<Record<FlowMeasure, 'duration' | 'packets'>> = { flow_duration_us: 'duration', fwd_pkts: 'packets' };

const MEASURES = flowMeasures.map((name) => ({ name, field: FIELD_OF[name] }));

/** Every figure of a pair's day, in the order of the tables' columns. */
export const FIGURES: readonly string[] = [
    'flows',
    'timed_flows',
    ...MEASURES.flatMap(({ name }) => ['sum', 'sum_sq', 'min', 'max'].map((part) => `${name}_${part}`)),
];

/**
 * Table that gathers the rows of a file, block by block. `verdict` is null for a kept row, the reject's reason as far as it is known before the
 * file's dates are settled, `skipped: ` and why for a row that is no flow, or `refused` for one that makes the file unusable. Every row that is
 * good up to its date has its day in both orders; where the order is settled both are the same, and a null is a day that no calendar has in that
 * order. `styles` has a bit for each style (in the order of STYLES) that the row's numbers speak for.
 */
export const PARTS_TABLE = `create table if not exists parts (
    verdict varchar, styles integer, src_ip varchar, dst_ip varchar, date_kind varchar, day_dmy date, day_mdy date,
    ${FIGURES.map((figure) => `${figure} hugeint`).join(', ')}
)`;

/** How the blocks of a file are read. */
export interface Reading {
    options: ReadingOptions;
    /** Unit of the durations. */
    unit: Unit;
    /** How numbers are grouped. */
    style: Style;
    /** Rows that are asked for the style of their numbers: none, those that group or seem to, or all. */
    askStyles: 'none' | 'grouping' | 'all';
}

/**
 * SQL that adds one block, parameter 1, to table `parts`. The block's records stand on one line each; none is a header.
 * @param hasQuotes true if any field of the block may be quoted, `hasTabs` true if it has tabs that are blanks.
 * @throws NotFollowedError for a file of thousands of columns.
 */
export function insertParts(layout: Layout, reading: Reading & { hasQuotes: boolean; hasTabs: boolean }): string {
    const { hasQuotes, hasTabs } = reading;
    const { separator, isZeekLog } = layout;
    const blanksHere = blanksIn({ separator, hasTabs });
    const cell = (text: string): string => `trim(${hasQuotes ? unquoted(text) : text}, ${blanksHere})`;
    const blankField = `(?:"${blanks(separator)}"${blanks(separator)}|${blanks(separator)})`;
    const isBlank = (text: string): string =>
        hasQuotes
            ? `regexp_full_match(${text}, '${blankField}(?:\\x${hex(separator)}${blankField})*')`
            : `trim(${text}, chr(${separator.charCodeAt(0)}) || ${blanksHere}) = ''`;
    const kind = skipReason(layout, (at) => cell(cellAt(layout, { at, hasQuotes })));
    return insertTexts(
        layout,
        `lines as (select ${separator === ' ' && !isZeekLog ? `ltrim(line, ' ') as line from (select unnest(string_split($1, chr(10))) as line)` : 'unnest(string_split($1, chr(10))) as line'}),
records as (select line from lines where ltrim(line, ${blanksHere}) <> ''${isZeekLog ? ` and not starts_with(line, '#')` : ''}),
cells as (select line, ${cellsOf(layout, hasQuotes)} as cell from records),
taken as (
    select
        line, cell.behind <> '' as is_long_enough,
        ${hasQuotes ? hasOpenQuote(layout) : 'false'} as has_open_quote, false as is_instant,
        ${FIELDS.map((field) => `${cell(`cell.${field}`)} as ${field}`).join(', ')}
    from cells
),
texts as (
    select *,
        case when ${isBlank('line')} then '${SKIPPED}blank_row'
            when ${separatorsIn(layout)} >= ${layout.names.length} and not ${isBlank(extraCells(layout, hasQuotes))} then 'extra_cells'
            else ${kind} end as kind
    from taken
)`,
        reading,
    );
}

/** SQL that adds records of JSON to table `parts`: parameter 1 has one a line, the texts of its fields, `instant` or nothing, and its verdict. */
export function insertJson(layout: Layout, reading: Reading, between: string): string {
    const texts = FIELDS.map((field, at) => `cell[${at + 1}] as ${field}`);
    return insertTexts(
        layout,
        `cells as (select string_split(line, chr(${between.charCodeAt(0)})) as cell from (select unnest(string_split($1, chr(10))) as line) where line <> ''),
texts as (
    select true as is_long_enough, false as has_open_quote, ${texts.join(', ')},
        cell[${FIELDS.length + 1}] <> '' as is_instant, nullif(cell[${FIELDS.length + 2}], '') as kind
    from cells
)`,
        { ...reading, unreadableEnd: UNREADABLE_END },
    );
}

/** What is known of texts that come out of typed columns. */
export interface TypedTexts {
    /** The verdict on a row that is good but for an end that cannot be read. */
    unreadableEnd?: string;
    /** The fields that are stored as numbers: nothing groups their digits. */
    numbers?: readonly Field[];
}

/**
 * SQL that adds rows to table `parts`.
 * @param steps the steps that lead to `texts`: the trimmed text of each field (empty where there is none), `is_long_enough`, `has_open_quote`,
 * `is_instant` (true if `began`, and `duration` where it is when the flow ended, are exact seconds since 1970, and anything below 0 where they are
 * before), and `kind`, the verdict on a row that is no flow by right.
 */
export function insertTexts(layout: Layout, steps: string, reading: Reading & TypedTexts): string {
    const { options, unit, style, unreadableEnd = 'not_a_number', numbers = [] } = reading;
    const isSpan = layout.tool.isSpan === true;
    const dateEnd = `(?:[${blanksOf(layout.separator)}T]|$)`;
    const scaleOf: Record<NumberField, number> = { began: 0, duration: 6 - UNIT_PLACES[unit], packets: 0 };
    const numberFields = NUMBER_FIELDS.filter((field) => !(isSpan && field === 'duration'));
    const eachNumber = (sqlOf: (field: NumberField, scale: number) => string): string =>
        numberFields.map((field) => sqlOf(field, scaleOf[field])).join(',\n        ');
    const styled = (isSpan ? (['packets'] as const) : (['duration', 'packets'] as const)).filter((field) => !numbers.includes(field));
    return `insert into parts
with ${steps},
spoken as (
    select * replace (${[...styled.map((field) => `${ungrouped(field, style)} as ${field}`), 'src as src'].join(', ')}),
        ${[...styled.map((field) => styleBits(field, reading)), '0'].join(' | ')} as styles
    from texts
),
shapes as (
    select *,
        regexp_extract(began, '^([0-9]{1,4})([-/.])([0-9]{1,2})([-/.])([0-9]{1,4})${dateEnd}', ['a', 'mark', 'b', 'mark_2', 'c']) as date,
        ${eachNumber((field, scale) => `${isPlain(field, scale)} as ${field}_is_plain`)}
    from spoken
),
written as (
    select *,
        date.mark = date.mark_2 and date.mark <> '.' and strlen(date.a) = 4 and strlen(date.c) <= 2 as is_year_first,
        date.mark = date.mark_2 and strlen(date.a) <= 2 and strlen(date.c) = 4 as is_year_last,
        ${eachNumber((field) => `case when not ${field}_is_plain${field === 'began' ? ` and regexp_full_match(began, '${EPOCH}')` : ''} then regexp_extract(${field}, '${NUMBER}', ['sign', 'whole', 'fraction', 'exponent']) end as ${field}_parts`)}
    from shapes
),
digits as (
    select *,
        case when is_year_first then ${calendarDay('date.a', 'date.b', 'date.c')} end as written_ymd,
        case when is_year_last then ${calendarDay('date.c', 'date.b', 'date.a')} end as written_dmy,
        case when is_year_last then ${calendarDay('date.c', 'date.a', 'date.b')} end as written_mdy,
        ${eachNumber((field) => `ltrim(${field}_parts.whole || ${field}_parts.fraction, '0') as ${field}_digits`)}
    from written
),
points as (
    select *,
        ${dateKind(options)} as written_kind,
        ${eachNumber((field, scale) => `strlen(${field}_digits) - strlen(${field}_parts.fraction) + ${scale} + ${exponentOf(`${field}_parts.exponent`)} as ${field}_point`)}
    from digits
),
wholes as (
    select *,
        ${eachNumber((field, scale) => `${wholePart(field, scale)} as ${field}_whole, substr(${field}_digits, greatest(${field}_point, 0) + 1) as ${field}_cut`)}
    from points
),
epochs as (
    select *, case when written_kind is null then case when is_instant then case when began_whole < ${END_SECOND} then 's' end else ${epochUnit(layout)} end end as epoch_unit
    from wholes
),
numbers as (
    select *,
        case when not (${isDayOpen()}) then date '1970-01-01' + cast(began_whole // ${epochDayLength()} as integer) end as epoch_day,
        ${isSpan ? spanOf() : `duration_whole + case when duration_point >= 0 and duration_cut >= '5' then 1 else 0 end`} as duration_value,
        packets_whole as packets_value
    from epochs
),
rows as (
    select
        src, dst, duration_value, packets_value, styles${layout.dialect === 'cicflowmeter' && !isSpan ? ` | ${fractionBit(scaleOf.duration)}` : ''} as styles,
        coalesce(written_kind, case when epoch_day is null then null when is_instant then 'instant' else 'epoch in ' || epoch_unit end) as date_kind,
        case when written_kind is null then epoch_day when written_kind = 'ymd' then written_ymd when written_kind = 'mdy' then written_mdy
            when written_kind <> 'against' then written_dmy end as day_dmy,
        case when written_kind is null then epoch_day when written_kind = 'ymd' then written_ymd when written_kind in ('mdy', 'slash') then written_mdy
            when written_kind <> 'against' then written_dmy end as day_mdy,
        case
            when has_open_quote then 'unclosed_quote'
            when kind is not null then kind
            when not is_long_enough then 'ragged_row'
            when ${FIELDS.filter((field) => field !== 'duration')
                .map(isMissing)
                .join(' or ')} then 'missing_field'
            when not (${isAddress('src')} and ${isAddress('dst')}) then 'not_an_ip_address'
            when written_kind is null and epoch_day is null then 'date_unreadable'
            when written_kind = 'against' then 'date_against_order'
            else coalesce(case when not (${isMissing('duration')}) then ${isSpan ? whyNoSpan(unreadableEnd) : whyNoNumber('duration', { isWhole: false })} end, ${whyNoNumber('packets', { isWhole: true })})
        end as verdict
    from numbers
),
kept_apart as (
    select
        verdict,
        case when verdict is null or not (verdict in ('unclosed_quote', 'ragged_row', 'extra_cells') or starts_with(verdict, '${SKIPPED}') or verdict in ('${REPEATED}', '${REFUSED}')) then styles else 0 end as styles,
        case when verdict is null then src end as src_ip,
        case when verdict is null then dst end as dst_ip,
        ${['date_kind', 'day_dmy', 'day_mdy'].map((name) => `case when verdict is null or verdict in (${BEHIND_THE_DATE.map((reason) => `'${reason}'`).join(', ')}) then ${name} end as ${name}`).join(', ')},
        ${MEASURES.map(({ field }) => `case when verdict is null then cast(${field}_value as bigint) end as ${field}`).join(', ')}
    from rows
)
select
    verdict, styles, src_ip, dst_ip, date_kind, day_dmy, day_mdy,
    count(*) as flows,
    count(duration) as timed_flows,
    ${MEASURES.map(({ field }) => `coalesce(sum(${field}), 0), coalesce(sum(cast(${field} as hugeint) * ${field}), 0), min(${field}), max(${field})`).join(', ')}
from kept_apart
group by 1, 2, 3, 4, 5, 6, 7`;
}

/** SQL that is true for a cell that says nothing. */
function isMissing(field: Field): string {
    return field === 'duration' ? `lower(duration) in ('', '-', 'null', 'none', 'n/a')` : `${field} in ('', '-')`;
}

/** In front of why a row is no flow by right. */
export const SKIPPED = 'skipped: ';

/** The verdict on a row that is the header once more. */
export const REPEATED = 'repeated_header';

/** The verdict on a record of JSON that has a key twice. */
export const REPEATED_KEY = 'repeated_key';

/** The verdict on a row that makes its file unusable. */
export const REFUSED = 'refused';

/** The verdict on a row of JSON whose end is unreadable: that is found behind its date. */
export const UNREADABLE_END = 'end_unreadable';

/** Reasons that a row is rejected for after its date was looked at. */
export const BEHIND_THE_DATE: readonly string[] = [UNREADABLE_END, 'not_a_number', 'nan', 'infinity', 'negative', 'not_whole', 'too_large'];

/** SQL for why a row is no flow by right, or null; `textAt` is SQL for the text of the column at a place. */
export function skipReason(layout: Layout, textAt: (at: number) => string): string {
    const { tool, names, columns } = layout;
    const at = names.findIndex((name) => tool.kind?.includes(name));
    const whys: string[] = [];
    if (tool.dialect === 'aws-vpc' && at >= 0) {
        whys.push(
            `case regexp_replace(upper(${textAt(at)}), '[^A-Z]+$', '') when 'NODATA' then '${SKIPPED}no_data' when 'SKIPDATA' then '${SKIPPED}skip_data' end`,
        );
    }
    if (names[at] === 'flows') {
        whys.push(`case when regexp_full_match(${textAt(at)}, '0*(?:[2-9]|[1-9][0-9]+)') then '${REFUSED}' end`);
    }
    if (names[at] === 'tr') {
        const engine = names.findIndex((name) => tool.kindToo?.includes(name));
        const isOfNone = engine < 0 ? 'false' : `${textAt(engine)} = '0/0'`;
        whys.push(`case when starts_with(${textAt(at)}, '1970-01-01 ') and ${isOfNone} then '${REFUSED}' end`);
    }
    if (tool.dialect === 'argus') {
        const began = columns.find(({ field }) => field === 'began')?.at ?? 0;
        const clock = `case when is_long_enough then began else ${textAt(began)} end`;
        whys.push(`case when regexp_full_match(${clock}, '[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\\.[0-9]+)?') then '${REFUSED}' end`);
        const protocols = NOT_IP.map((protocol) => `'${protocol}'`).join(', ');
        const addresses = columns
            .filter(({ field }) => field === 'src' || field === 'dst')
            .map((column) => `case when is_long_enough then ${column.field} else ${textAt(column.at)} end`);
        const isMac = addresses.map((address) => `regexp_full_match(${address}, '(?i)[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}')`);
        const isNoIp = at < 0 ? [] : [`lower(${textAt(at)}) in (${protocols})`];
        whys.push(`case when ${[...isNoIp, ...isMac].join(' or ')} then '${SKIPPED}not_ip' end`);
    }
    return `coalesce(${[...whys, 'null', 'null'].join(', ')})`;
}

/** SQL for the bits of the styles that a text speaks for. */
function styleBits(text: string, { askStyles, style }: Reading): string {
    if (askStyles === 'none') {
        return '0';
    }
    const isAsked =
        askStyles === 'all' ? `(contains(${text}, ',') or contains(${text}, '.'))` : `(contains(${text}, ',') or ${text} like '%.%.%')`;
    const bits = STYLES.map((one, bit) => ({ one, bit }))
        .filter(({ one }) => one !== style)
        .map(({ one, bit }) => `when regexp_full_match(${text}, '${SURE[one]}') then ${1 << bit}`);
    return `case when not ${isAsked} then 0 when regexp_full_match(${text}, '${OPEN}') then 0 ${bits.join(' ')} else 0 end`;
}

/** The bit beside those of the styles for a duration that is no whole number. */
export const FRACTION_BIT = 1 << STYLES.length;

/** SQL for that bit. */
function fractionBit(scale: number): string {
    const point = `(duration_point - (${scale}))`;
    const behind = `regexp_matches(substr(duration_digits, cast(least(greatest(${point}, 0), 1000000) as integer) + 1), '[1-9]')`;
    return `(case when duration_is_plain or coalesce(duration_digits, '') = '' then 0 when ${behind} then ${FRACTION_BIT} else 0 end)`;
}

/** SQL for a number with nothing but a point for its fraction. */
function ungrouped(text: string, style: Style): string {
    if (style === 'plain') {
        return text;
    }
    const taken = style === 'points' ? `replace(replace(${text}, '.', ''), ',', '.')` : `replace(${text}, ',', '')`;
    return `case when regexp_full_match(${text}, '${GROUPED[style]}') then ${taken} else ${text} end`;
}

/** 1990 and 2100 begin so many seconds after 1970: between them the units of an epoch exclude each other. */
const EPOCHS_FROM = 631_152_000n;
const EPOCHS_UNTIL = 4_102_444_800n;

/** The first second of the year 10000. */
const END_SECOND = 253_402_300_800n;

/** SQL for what an epoch counts, or null where it is none. */
function epochUnit({ dialect }: Layout): string {
    const first = dialect === 'zeek' || dialect === 'zeek-json' ? 0n : FIRST_EPOCH_SECOND;
    const within = UNITS.map((unit) => {
        const second = 10n ** BigInt(UNIT_PLACES[unit]);
        return `when began_whole >= ${unit === 's' ? first : EPOCHS_FROM * second} and began_whole < ${EPOCHS_UNTIL * second} then '${unit}'`;
    });
    const compact = '(?:199[0-9]|20[0-9]{2})(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[01][0-9]|2[0-3])';
    const isCompact = `began_whole >= 1990000000 and began_whole < 2100000000 and regexp_full_match(cast(began_whole as varchar), '${compact}')`;
    return `case when ${isCompact} then null ${within.join(' ')} end`;
}

/** SQL for the length of a day in what an epoch counts. */
function epochDayLength(): string {
    const lengths = UNITS.map((unit) => `when '${unit}' then ${86_400n * 10n ** BigInt(UNIT_PLACES[unit])}`);
    return `(case epoch_unit ${lengths.join(' ')} end)`;
}

/** SQL that is true for an epoch whose digits that are not written may be of two days. */
function isDayOpen(): string {
    const unwritten = `(began_point - strlen(began_digits))`;
    const half = `cast(rpad('5', cast(${unwritten} as integer), '0') as hugeint)`;
    const days = ['-', '+'].map((sign) => `(began_whole ${sign} ${half}) // ${epochDayLength()} <> began_whole // ${epochDayLength()}`);
    return `case when epoch_unit is null then true
            when began_is_plain or began_parts.exponent = '' or began_whole = 0 or ${unwritten} <= 0 then false
            else ${days.join(' or ')} end`;
}

/** Decimal digits of a second that an instant keeps. */
const INSTANT_PLACES = 15;

/** Digits of an instant that is beyond all durations, in whatever unit. */
const FAR_DIGITS = 22;

/** SQL for an instant, by its text: a count of 10 to the power of -15 seconds, or null. */
function instantOf(text: string): string {
    const epoch = UNITS.map((unit) => {
        const places = INSTANT_PLACES - UNIT_PLACES[unit];
        return `when '${unit}' then cast(${`'0' || ltrim(split_part(${text}, '.', 1), '0')`} || rpad(left(split_part(${text}, '.', 2), ${places}), ${places}, '0') as hugeint)`;
    });
    const iso =
        '^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)(?:[.,]([0-9]+))? ?(Z|[+-][0-9]{2}:?[0-9]{2})?$';
    const part = (group: number): string => `regexp_extract(${text}, '${iso}', ${group})`;
    const hours = `cast(substr(${part(6)}, 2, 2) as integer)`;
    const offset = `case when ${part(6)} in ('', 'Z') then 0 else (case when starts_with(${part(6)}, '-') then -1 else 1 end) * (${hours} * 60 + cast(right(${part(6)}, 2) as integer)) * 60 end`;
    const day = `datediff('day', date '1970-01-01', try_cast(${part(1)} as date))`;
    const seconds = `(${day} * 86400 + cast(${part(2)} as integer) * 3600 + cast(${part(3)} as integer) * 60 + cast(${part(4)} as integer) - ${offset})`;
    return `case
            when epoch_unit is not null then case
                when not regexp_full_match(${text}, '[0-9]{1,30}(?:\\.[0-9]*)?') then null
                when strlen(ltrim(split_part(${text}, '.', 1), '0')) > ${FAR_DIGITS} then cast('${'9'.repeat(37)}' as hugeint)
                else case epoch_unit ${epoch.join(' ')} end end
            when ${part(1)} >= '0100' and try_cast(${part(1)} as date) is not null
                then cast(${seconds} as hugeint) * ${10n ** BigInt(INSTANT_PLACES)} + cast(rpad(left(${part(5)}, ${INSTANT_PLACES}), ${INSTANT_PLACES}, '0') as bigint)
        end`;
}

const MICROSECOND = 10n ** BigInt(INSTANT_PLACES - UNIT_PLACES.us);

/** SQL for the microseconds from when a flow began to when it ended, null where one of the two cannot be told, below 0 where the end comes first. */
function spanOf(): string {
    const isBefore1970 = `when is_instant and starts_with(duration, '-') then -1 `;
    const span = `${instantOf('duration')} - ${instantOf('began')}`;
    return `(select case ${isBefore1970}when span < 0 then -1 else (span + ${MICROSECOND / 2n}) // ${MICROSECOND} end from (select ${span} as span))`;
}

/** Most microseconds and most packets that a flow may have. */
const MOST = 10 ** 16;

function whyNoSpan(unreadableEnd: string): string {
    return `case when duration_value is null then '${unreadableEnd}' when duration_value < 0 then 'negative'
                when duration_value > ${MOST} then 'too_large' end`;
}

/** The blanks that the block may have, as SQL. */
function blanksIn({ separator, hasTabs }: { separator: string; hasTabs: boolean }): string {
    const found = [...blanksOf(separator)].filter((blank) => blank !== '\t' || hasTabs);
    return found.map((blank) => `chr(${blank.charCodeAt(0)})`).join(' || ') || `''`;
}

/** RE2 repeats a group a thousand times at most. */
const MAX_REPEATS = 1000;

/** Fields that a pattern may go over: RE2 has room for a pattern of some megabytes, and may not compile one for more fields. */
const MAX_FIELDS = 8000;

/** A struct of the needed fields as they are written, and in `behind` the separator behind the last of them; all are empty in a row that ends before. */
function cellsOf(layout: Layout, hasQuotes: boolean): string {
    const line = hasColumnsBehind(layout) ? 'line' : `(line || chr(${layout.separator.charCodeAt(0)}))`;
    const names = [...layout.columns.map(({ field }) => `'${field}'`), `'behind'`].join(', ');
    const extract = (field: string): string => `regexp_extract(${line}, '${rowPattern(layout, field)}', [${names}])`;
    const plain = extract(plainField(layout));
    return hasQuotes ? `case when contains(line, '"') then ${extract(anyField(layout))} else ${plain} end` : plain;
}

/** SQL for one field as it is written; empty where the row ends before. */
function cellAt({ separator }: Layout, { at, hasQuotes }: { at: number; hasQuotes: boolean }): string {
    const only = { columns: [{ at }], separator };
    const extract = (field: string): string => `regexp_extract(line, '${rowPattern(only, field)}', 1)`;
    const plain = extract(plainField(only));
    return hasQuotes ? `case when contains(line, '"') then ${extract(anyField(only))} else ${plain} end` : plain;
}

/** SQL for the count of separators in a line, those in quotes too. */
function separatorsIn({ separator }: Layout): string {
    return `(strlen(line) - strlen(replace(line, chr(${separator.charCodeAt(0)}), '')))`;
}

/** SQL for the part of a line that stands behind all columns of the header. */
function extraCells(layout: Layout, hasQuotes: boolean): string {
    const separator = `chr(${layout.separator.charCodeAt(0)})`;
    const plain = `string_split(line, ${separator})`;
    const any = `regexp_extract_all(line, '(${anyField(layout)})(?:\\x${hex(layout.separator)}|$)', 1)`;
    const cells = hasQuotes ? `case when contains(line, '"') then ${any} else ${plain} end` : plain;
    return `array_to_string((${cells})[${layout.names.length + 1}:], ${separator})`;
}

function hasColumnsBehind({ columns, names }: Layout): boolean {
    return columns.every(({ at }) => at < names.length - 1);
}

function rowPattern({ columns, separator }: { columns: readonly { at: number }[]; separator: string }, field: string): string {
    const last = columns.at(-1)?.at ?? 0;
    if (last >= MAX_FIELDS) {
        throw new NotFollowedError(`a needed column is the file's ${last + 1}th, and this reading goes over ${MAX_FIELDS}`);
    }
    const end = `\\x${hex(separator)}`;
    let next = 0;
    const steps = columns.map(({ at }) => {
        const skipped = at - next;
        next = at + 1;
        const whole = `(?:(?:${field}${end}){${MAX_REPEATS}})`.repeat(Math.floor(skipped / MAX_REPEATS));
        return `${whole}(?:${field}${end}){${skipped % MAX_REPEATS}}(${field})`;
    });
    return `^${steps.join(end)}(${end}|$)`;
}

function plainField({ separator }: { separator: string }): string {
    return `[^\\x${hex(separator)}]*`;
}

/** A quoted field, which only blanks may follow, or a field that does not begin with a quote. */
function anyField({ separator }: { separator: string }): string {
    const end = `\\x${hex(separator)}`;
    return `(?:"(?:[^"]|"")*"${blanks(separator)}|[^"${end}][^${end}]*|)`;
}

function hasOpenQuote(layout: Layout): string {
    const field = anyField(layout);
    return `(contains(line, '"') and not regexp_full_match(line, '${field}(?:\\x${hex(layout.separator)}${field})*'))`;
}

function unquoted(cell: string): string {
    const inside = `regexp_extract(${cell}, '^"((?:[^"]|"")*)"', 1)`;
    return `case when starts_with(${cell}, '"') then replace(${inside}, '""', '"') else ${cell} end`;
}

function isAddress(text: string): string {
    return `(regexp_full_match(${text}, '${IPV4}') or regexp_full_match(${text}, '${IPV6}'))`;
}

/** The fields that are numbers, or may be. */
const NUMBER_FIELDS = ['began', 'duration', 'packets'] as const;
type NumberField = (typeof NUMBER_FIELDS)[number];

/** Digits with an optional sign, point and exponent; it matches some texts without any digit too. */
const NUMBER = '^([+-]?)([0-9]*)(?:\\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$';

/** A number, which is an epoch if it is large enough. */
const EPOCH = '[+]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?';

/**
 * Smallest number that is epoch seconds outside of Zeek: a smaller one may be a serial day, a clock or a compact date (docs/reading.md).
 */
const FIRST_EPOCH_SECOND = 100_000_000;

/** Patterns of what a cast to bigint takes as it stands, with room for the scale's zeros below the 19 digits of a bigint. */
const PLAIN: Record<NumberField, (scale: number) => string> = {
    began: () => '[0-9]{1,18}(?:\\.[0-9]*)?',
    duration: (scale) => `[0-9]{1,${18 - scale}}`,
    packets: () => '[0-9]{1,18}',
};

/** SQL that is true for a text that is cast as it stands; one that is scaled down is not. */
function isPlain(field: NumberField, scale: number): string {
    return scale < 0 ? 'false' : `regexp_full_match(${field}, '${PLAIN[field](scale)}')`;
}

/** SQL for an exponent. One longer than nine digits is as good as infinite: no text holds that many digits to shift. */
function exponentOf(exponent: string): string {
    const isHuge = `strlen(ltrim(ltrim(${exponent}, '+-'), '0')) > 9`;
    return `case when ${exponent} = '' then 0 when ${isHuge} then case when starts_with(${exponent}, '-') then -1000000000 else 1000000000 end
            else cast(${exponent} as bigint) end`;
}

/** SQL for the digits in front of the point, shifted by the scale; null where there are too many for a bigint, or no number. */
function wholePart(field: NumberField, scale: number): string {
    const plain = field === 'began' ? `split_part(began, '.', 1)` : field;
    const shifted = `rpad(left(${field}_digits, ${field}_point), cast(${field}_point as integer), '0')`;
    return `case
            when ${field}_is_plain then cast(cast(${plain} as bigint) * ${10 ** Math.max(scale, 0)} as hugeint)
            when ${field}_parts is null or ${field}_parts.whole || ${field}_parts.fraction = '' or (${field}_parts.sign = '-' and ${field}_digits <> '') then null
            when ${field}_digits = '' or ${field}_point <= 0 then 0
            when ${field}_point <= ${MAX_DIGITS} then cast(${shifted} as hugeint)
        end`;
}

/** Digits of the largest bigint, 9223372036854775807. */
const MAX_DIGITS = 19;

/** SQL for the first check that a number fails, or null. */
function whyNoNumber(field: 'duration' | 'packets', { isWhole }: { isWhole: boolean }): string {
    const notWhole = isWhole
        ? `when ${field}_point < 0 and ${field}_digits <> '' or regexp_matches(${field}_cut, '[1-9]') then 'not_whole'`
        : '';
    return `case
                when ${field}_is_plain then case when ${field}_value > ${MOST} then 'too_large' end
                when ${field}_parts.whole || ${field}_parts.fraction = '' then case
                    when regexp_full_match(${field}, '(?i)[+-]?nan') then 'nan'
                    when regexp_full_match(${field}, '(?i)[+-]?inf(?:inity)?') then 'infinity'
                    else 'not_a_number' end
                when ${field}_parts.sign = '-' and ${field}_digits <> '' then 'negative'
                ${notWhole}
                when ${field}_value is null or ${field}_value > ${MOST} then 'too_large'
            end`;
}

function calendarDay(year: string, month: string, day: string): string {
    return `case when ${year} <> '0000' then try_cast(${year} || '-' || ${month} || '-' || ${day} as date) end`;
}

/** SQL for how a date is written: `against` where it has another order than the given one, null where it is no date. */
function dateKind({ dateOrder }: ReadingOptions): string {
    const isYearLast = 'written_dmy is not null or written_mdy is not null';
    if (dateOrder === undefined) {
        return `case when written_ymd is not null then 'ymd'
            when date.mark = '.' then case when written_dmy is not null then 'dotted' when written_mdy is not null then 'against' end
            when ${isYearLast} then 'slash' end`;
    }
    return dateOrder === 'ymd'
        ? `case when written_ymd is not null then 'ymd' when ${isYearLast} then 'against' end`
        : `case when written_${dateOrder} is not null then '${dateOrder}' when ${isYearLast} or written_ymd is not null then 'against' end`;
}
