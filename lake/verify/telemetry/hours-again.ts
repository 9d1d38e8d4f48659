/**
 * Table `metric_hours` once more, by SQL alone: docs/tables.md has what each column means. `value` counts in whole units of 10^-9 here, and in units of
 * 10^-digits once those of the hour are known.
 */
import type { SecondDerivation, SqlEngine } from '#lake/kind';
import { literal, textOf } from '#lake/verify/engine';
import { NO_RULES, type ProfileRules, rulesIn } from './rules.ts';

/** Metrics whose settings go to the engine at a time. */
const SETTINGS_AT_ONCE = 20_000;

export const hoursAgain: SecondDerivation = {
    async derive(engine, { input }) {
        const rules = new Map<string, ProfileRules>();
        for (const row of await engine.rows('select distinct profile from day_rows')) {
            const name = textOf(row, 'profile') ?? '';
            const found = await input(name);
            rules.set(name, found ? rulesIn(found.document) : NO_RULES);
        }
        await loadSettings(engine, rules);
        await engine.run(HOURS);
        return null;
    },
};

/** Makes table `hour_settings`: what each profile says of each metric that was read with it. */
async function loadSettings(engine: SqlEngine, rules: ReadonlyMap<string, ProfileRules>): Promise<void> {
    await engine.run('create or replace temp table hour_settings (profile varchar, metric varchar, digits integer, gap_limit_ms bigint)');
    const settings = (await engine.rows('select distinct profile, metric from day_rows')).map((row) => {
        const [profile, metric] = [textOf(row, 'profile') ?? '', textOf(row, 'metric') ?? ''];
        const { digitsOf, gapLimitMs } = rules.get(profile) ?? NO_RULES;
        return [profile, metric, digitsOf(metric) ?? null, gapLimitMs];
    });
    for (let at = 0; at < settings.length; at += SETTINGS_AT_ONCE) {
        const some = JSON.stringify(settings.slice(at, at + SETTINGS_AT_ONCE));
        await engine.run(`
            insert into hour_settings
            select fields[1], fields[2], cast(fields[3] as integer), cast(fields[4] as bigint)
            from (select unnest(from_json(${literal(some)}, '[["VARCHAR"]]')) as fields)`);
    }
}

/**
 * Squares have up to 56 digits, and the engine's whole numbers end at 38: a value is taken apart at the 14th digit, and the parts of its square are added
 * up by themselves.
 */
const HALF = '100000000000000';

/** The largest number of 38 digits; a sum of squares beyond it is null. */
const LARGEST = '9'.repeat(38);

const HOURS = `
    create or replace table derived_rows as
    with units as (
        select site, device, metric, period, at_ms, message, profile, cast(value * 1000000000 as hugeint) as units
        from day_rows
    ),
    settings as (
        select site, device, metric, period, max(digits) as declared, min(gap_limit_ms) as gap_limit_ms,
            max(case when units is null or units = 0 then 0 else 9 - least(9, length(cast(units as varchar)) - length(rtrim(cast(units as varchar), '0'))) end) as needed
        from units join hour_settings using (profile, metric)
        group by all
    ),
    scaled as (
        select site, device, metric, period, at_ms, message, gap_limit_ms, greatest(declared, needed) as digits,
            case when declared is not null then units // cast('1' || repeat('0', 9 - greatest(declared, needed)) as hugeint) end as whole
        from units join settings using (site, device, metric, period)
    ),
    placed as (
        select *,
            at_ms - lag(at_ms) over in_time as gap_ms,
            row_number() over (partition by site, device, metric, period, whole is null order by at_ms, message) as place,
            row_number() over (partition by site, device, metric, period, whole is null order by at_ms desc, message desc) as place_from_end,
            at_ms - lag(at_ms) over among_values as value_gap_ms,
            lag(whole) over among_values as whole_before
        from scaled
        window in_time as (partition by site, device, metric, period order by at_ms, message),
            among_values as (partition by site, device, metric, period, whole is null order by at_ms, message)
    ),
    totals as (
        select site, device, metric, period,
            any_value(digits) filter (whole is not null) as digits,
            count(*) as n,
            sum(whole) as sum,
            sum((abs(whole) // ${HALF}) * (abs(whole) // ${HALF})) as high,
            sum((abs(whole) // ${HALF}) * (abs(whole) % ${HALF})) as middle,
            sum((abs(whole) % ${HALF}) * (abs(whole) % ${HALF})) as low,
            min(whole) as min,
            max(whole) as max,
            max(whole) filter (place = 1) as first_value,
            min(at_ms) as first_ms,
            max(whole) filter (place_from_end = 1) as last_value,
            max(at_ms) as last_ms,
            coalesce(max(gap_ms), 0) as longest_gap_ms,
            any_value(gap_limit_ms) as gap_limit_ms,
            coalesce(sum(whole_before * value_gap_ms) filter (whole is not null and value_gap_ms <= gap_limit_ms), 0) as area,
            coalesce(sum(value_gap_ms) filter (whole is not null and value_gap_ms <= gap_limit_ms), 0) as area_ms
        from placed
        group by all
    ),
    squared as (
        select *, case when high <= 10000000000 then high * ${HALF} * ${HALF} + 2 * middle * ${HALF} + low end as squares
        from totals
    )
    select site, device, metric,
        epoch_ms(strptime(period || ':00', '%Y-%m-%dT%H:%M')) as hour_ms,
        cast(right(period, 2) as bigint) as hour,
        digits, n, sum,
        case when squares <= cast('${LARGEST}' as hugeint) then squares end as sum_sq,
        min, max, first_value, first_ms, last_value, last_ms, longest_gap_ms, gap_limit_ms,
        case when digits is not null then area end as area,
        case when digits is not null then area_ms end as area_ms
    from squared`;
