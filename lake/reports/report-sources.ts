/** The sources that the figures of a range of days come from, and what was rejected of them: for files of any kind. */
import type { CollectedRows } from '#lake/collect-rows';
import { kinds } from '#lake/kinds';
import type { Value } from '#lake/query/query-engine';
import type { DayRange } from './days-of.ts';
import { type Row, rowsOf } from './named-rows.ts';

export interface ReportSources {
    /** Rows of table sources: those with rows of the range's days by site and key, and behind them all that could not be read, of whatever days. */
    sources: readonly Row[];
    /** Rejected rows of these sources by reason, the most frequent first, each with its first one. */
    rejects: readonly Row[];
}

/** What is asked, and the way to ask it. */
interface SourcesQuestion {
    range: DayRange;
    site: Value;
    query(sql: string, parameters: readonly Value[]): Promise<CollectedRows>;
}

export async function readReportSources({ range, site, query }: SourcesQuestion): Promise<ReportSources> {
    const parameters = [site, range.to, range.from];
    return {
        sources: rowsOf(await query(SOURCES, parameters)),
        rejects: rowsOf(await query(rejectsOfRange(), parameters)),
    };
}

/** A failed source has no days. */
const SOURCES = `select
    source,
    site,
    state,
    coalesce(dialect, message_form) as read_as,
    rows_read,
    rows_kept,
    rows_rejected,
    first_day,
    last_day,
    size_bytes,
    summarized_at,
    error
from sources
where
    site = coalesce(cast(? as varchar), site)
    and (state = 'failed' or (first_day <= cast(? as varchar) and last_day >= cast(? as varchar)))
order by case when state = 'failed' then 1 else 0 end, site, source`;

/** One row per table of rejects and reason. */
function rejectsOfRange(): string {
    const ofEach = kinds.map(
        ({ rejects: { name } }) => `select '${name}' as rejected_in, source, version, line_number, reason, line from ${name}`,
    );
    return `with rejected as (
    ${ofEach.join('\n    union all\n    ')}
),

ranked as (
    select
        rejected.*,
        count(*) over (partition by rejected.rejected_in, rejected.reason) as reject_count,
        row_number() over (
            partition by rejected.rejected_in, rejected.reason
            order by rejected.source, rejected.line_number, rejected.line
        ) as place
    from rejected
    inner join sources on sources.source = rejected.source and sources.version = rejected.version
    where
        sources.site = coalesce(cast(? as varchar), sources.site)
        and sources.first_day <= cast(? as varchar)
        and sources.last_day >= cast(? as varchar)
)

select
    rejected_in,
    reason,
    reject_count,
    source,
    line_number,
    line
from ranked
where place = 1
order by reject_count desc, rejected_in, reason`;
}
