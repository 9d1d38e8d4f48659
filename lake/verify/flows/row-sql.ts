/** The SQL that takes one block of lines apart: a verdict for every row, exact whole numbers, and sums per pair and written day. */
import { type FlowMeasure, flowMeasures } from '#lake/flows/tables';
import type { ReadingOptions } from '#lake/kind';
import { NotFollowedError } from '#lake/verify/second-reading';
import { FIELDS, type Field, type Layout } from './header.ts';
import { blanks, blanksOf, hex } from './raw-text.ts';

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
 * Table that gathers the rows of a file, block by block. `verdict` is null for a kept row, `repeated_header`, or the reject's reason as far
 * as it is known before the file's date order is. Every row has its day in both orders; where the order is settled both are the same, and a
 * null is a day that no calendar has in that order.
 */
export const PARTS_TABLE = `create table if not exists parts (
    verdict varchar, src_ip varchar, dst_ip varchar, date_kind varchar, day_dmy date, day_mdy date,
    ${FIGURES.map((figure) => `${figure} hugeint`).join(', ')}
)`;

/**
 * SQL that adds one block, parameter 1, to table `parts`. The block's records stand on one line each.
 * @param hasQuotes true if any field of the block may be quoted, `hasTabs` true if it has tabs that are blanks.
 * @throws NotFollowedError for a file of thousands of columns.
 */
export function insertParts(
    layout: Layout,
    { options, hasQuotes, hasTabs }: { options: ReadingOptions; hasQuotes: boolean; hasTabs: boolean },
): string {
    const { separator } = layout;
    const trimmed = (text: string): string => `trim(${text}, ${blanksIn({ separator, hasTabs })})`;
    return insertTexts(
        layout,
        `lines as (select unnest(string_split($1, chr(10))) as line),
records as (select line from lines where ltrim(line, ${blanksIn({ separator, hasTabs })}) <> ''${layout.isZeekLog ? ` and not starts_with(line, '#')` : ''}),
cells as (select line, ${cellsOf(layout, hasQuotes)} as cell from records),
texts as (
    select
        cell.behind <> '' as is_long_enough,
        ${hasQuotes ? hasOpenQuote(layout) : 'false'} as has_open_quote,
        ${FIELDS.map((field) => `${trimmed(hasQuotes ? unquoted(`cell.${field}`) : `cell.${field}`)} as ${field}`).join(', ')}
    from cells
)`,
        { options },
    );
}

/**
 * SQL that adds rows to table `parts`.
 * @param texts the steps that lead to `texts`: the trimmed text of each field (empty where there is none), `is_long_enough` and `has_open_quote`.
 * @param isInstant true if `began` is exact seconds since 1970, of which any day can be told.
 */
export function insertTexts(
    layout: Layout,
    texts: string,
    { options, isInstant = false }: { options: ReadingOptions; isInstant?: boolean },
): string {
    const dateEnd = `(?:[${blanksOf(layout.separator)}T]|$)`;
    const scaleOf: Record<NumberField, number> = {
        began: 0,
        duration: (options.durationUnit ?? defaultUnit(layout)) === 's' ? 6 : 0,
        packets: 0,
    };
    const eachNumber = (sqlOf: (field: NumberField, scale: number) => string): string =>
        NUMBER_FIELDS.map((field) => sqlOf(field, scaleOf[field])).join(',\n        ');
    return `insert into parts
with ${texts},
shapes as (
    select *,
        regexp_extract(began, '^([0-9]{1,4})([-/.])([0-9]{1,2})([-/.])([0-9]{1,4})${dateEnd}', ['a', 'mark', 'b', 'mark_2', 'c']) as date,
        ${eachNumber((field, scale) => `regexp_full_match(${field}, '${PLAIN[field](scale)}') as ${field}_is_plain`)}
    from texts
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
numbers as (
    select *,
        case when written_kind is null and began_whole >= ${isInstant || layout.dialect === 'zeek' ? 0 : FIRST_EPOCH_SECOND} and began_whole < ${END_EPOCH_SECOND}
            then date '1970-01-01' + cast(began_whole // 86400 as integer) end as epoch_day,
        duration_whole + case when duration_point >= 0 and duration_cut >= '5' then 1 else 0 end as duration_value,
        packets_whole as packets_value
    from wholes
),
rows as (
    select
        src, dst, duration_value, packets_value,
        coalesce(written_kind, case when epoch_day is not null then 'epoch' end) as date_kind,
        case when written_kind is null then epoch_day when written_kind = 'ymd' then written_ymd when written_kind = 'mdy' then written_mdy
            when written_kind <> 'against' then written_dmy end as day_dmy,
        case when written_kind is null then epoch_day when written_kind = 'ymd' then written_ymd when written_kind in ('mdy', 'slash') then written_mdy
            when written_kind <> 'against' then written_dmy end as day_mdy,
        case
            when has_open_quote then 'unclosed_quote'
            when ${layout.columns.map(({ field, name }) => `lower(${field}) = '${name.replaceAll("'", "''")}'`).join(' and ')} then 'repeated_header'
            when not is_long_enough then 'ragged_row'
            when ${FIELDS.filter((field) => field !== 'duration')
                .map(isMissing)
                .join(' or ')} then 'missing_field'
            when not (${isAddress('src')} and ${isAddress('dst')}) then 'not_an_ip_address'
            when written_kind is null and epoch_day is null then 'date_unreadable'
            when written_kind = 'against' then 'date_against_order'
            else coalesce(case when not (${isMissing('duration')}) then ${whyNoNumber('duration', { isWhole: false })} end, ${whyNoNumber('packets', { isWhole: true })})
        end as verdict
    from numbers
),
kept_apart as (
    select
        verdict, date_kind,
        case when verdict is null then src end as src_ip,
        case when verdict is null then dst end as dst_ip,
        ${['day_dmy', 'day_mdy'].map((day) => `case when verdict is null or ${day} is null then ${day} else date '2000-01-01' end as ${day}`).join(', ')},
        ${MEASURES.map(({ field }) => `case when verdict is null then cast(${field}_value as bigint) end as ${field}`).join(', ')}
    from rows
)
select
    verdict, src_ip, dst_ip, date_kind, day_dmy, day_mdy,
    count(*) as flows,
    count(duration) as timed_flows,
    ${MEASURES.map(({ field }) => `coalesce(sum(${field}), 0), coalesce(sum(cast(${field} as hugeint) * ${field}), 0), min(${field}), max(${field})`).join(', ')}
from kept_apart
group by 1, 2, 3, 4, 5, 6`;
}

/** SQL that is true for a cell that says nothing. */
function isMissing(field: Field): string {
    return `${field} in ('', '-')`;
}

/** The unit that a dialect's durations are in where the uploader said nothing. */
export function defaultUnit({ dialect }: Layout): 'us' | 's' {
    return dialect === 'cicflowmeter' ? 'us' : 's';
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
    const plain = `regexp_extract(${line}, '${rowPattern(layout, plainField(layout))}', [${names}])`;
    return hasQuotes
        ? `case when contains(line, '"') then regexp_extract(${line}, '${rowPattern(layout, anyField(layout))}', [${names}]) else ${plain} end`
        : plain;
}

function hasColumnsBehind({ columns, names }: Layout): boolean {
    return columns.every(({ at }) => at < names.length - 1);
}

function rowPattern({ columns, separator }: Layout, field: string): string {
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

function plainField({ separator }: Layout): string {
    return `[^\\x${hex(separator)}]*`;
}

/** A quoted field, which only blanks may follow, or a field that does not begin with a quote. */
function anyField({ separator }: Layout): string {
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

const OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
const IPV4 = `(?:${OCTET}\\.){3}${OCTET}`;
const GROUP = '[0-9a-fA-F]{1,4}';

/** RFC 4291, 2.2: all groups, or one alternative for each number of groups in front of `::`; with a zone as RFC 4007, 11.2 has it. */
const IPV6 = (() => {
    const alternatives = [`(?:${GROUP}:){7}${GROUP}`, `(?:${GROUP}:){6}${IPV4}`];
    for (let before = 0; before <= 7; before += 1) {
        const tails = [''];
        if (before <= 6) {
            tails.push(`${GROUP}(?::${GROUP}){0,${6 - before}}`);
        }
        if (before <= 5) {
            tails.push(`(?:${GROUP}:){0,${5 - before}}${IPV4}`);
        }
        alternatives.push(`${before === 0 ? ':' : `(?:${GROUP}:){${before}}`}:(?:${tails.join('|')})`);
    }
    return `(?:${alternatives.join('|')})(?:%[0-9a-zA-Z.:-]+)?`;
})();

function isAddress(text: string): string {
    return `(regexp_full_match(${text}, '${IPV4}') or regexp_full_match(${text}, '${IPV6}'))`;
}

/** The fields that are numbers, or may be. */
const NUMBER_FIELDS = ['began', 'duration', 'packets'] as const;
type NumberField = (typeof NUMBER_FIELDS)[number];

/** Digits with an optional sign, point and exponent; it matches some texts without any digit too. */
const NUMBER = '^([+-]?)([0-9]*)(?:\\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$';

/** A number, which is epoch seconds if it is large enough. */
const EPOCH = '[+-]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?';

/**
 * Smallest number that is epoch seconds outside of Zeek: a smaller one may be a serial day, a clock or a compact date (docs/reading.md).
 */
const FIRST_EPOCH_SECOND = 100_000_000;

/** The first second of the year 10000. */
const END_EPOCH_SECOND = 253_402_300_800;

/** Patterns of what a cast to bigint takes as it stands, with room for the scale's zeros below the 19 digits of a bigint. */
const PLAIN: Record<NumberField, (scale: number) => string> = {
    began: () => '[0-9]{1,18}(?:\\.[0-9]*)?',
    duration: (scale) => `[0-9]{1,${18 - scale}}`,
    packets: () => '[0-9]{1,18}',
};

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
            when ${field}_is_plain then cast(cast(${plain} as bigint) * ${10 ** scale} as hugeint)
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
                when ${field}_is_plain then null
                when ${field}_parts.whole || ${field}_parts.fraction = '' then case
                    when regexp_full_match(${field}, '(?i)[+-]?nan') then 'nan'
                    when regexp_full_match(${field}, '(?i)[+-]?inf(?:inity)?') then 'infinity'
                    else 'not_a_number' end
                when ${field}_parts.sign = '-' and ${field}_digits <> '' then 'negative'
                ${notWhole}
                when ${field}_value is null or ${field}_value > 9223372036854775807 then 'too_large'
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
