/** Judges that every day with figures is seen by whoever asks for it. */
import { kinds } from '#lake/kinds';
import { type OlderFigures, sayDays } from '#lake/reports/older-figures';
import type { Table } from '#lake/tables';
import type { DayFacts, DaysByTable } from './day-facts.ts';
import { type Answer, type Finding, judge, ok, problem, warning } from './finding.ts';

export interface ExpectedRange {
    /** The table that is projected. */
    table: string;
    /** Range of the table's days, its `projection.day.range`. */
    range: string;
    now: Date;
}

/** Finding on the range of a table's days: for days outside of it Athena answers with no rows, and no error. */
export function judgeRange({ days }: DayFacts, { table, range, now }: ExpectedRange): Finding {
    const check = `days of ${table}`;
    const bounds = boundsOf(range, now);
    if (bounds === undefined) {
        return problem(
            check,
            `projection.day.range is "${range}", which is no range of days`,
            'set it in cdk/config.ts (firstDay), then npx cdk deploy',
        );
    }
    const outside = days.filter((day) => day < bounds.first || day > bounds.last);
    if (outside.length > 0) {
        const some = outside.length === 1 ? outside[0] : `${outside[0]} to ${outside.at(-1)}`;
        const found = `${outside.length} of ${days.length} days (${some}) lie outside of ${range}: Athena does not see them`;
        return problem(check, found, whatHelps(outside, bounds));
    }
    const today = now.toISOString().slice(0, 10);
    if (bounds.last < today) {
        return warning(
            check,
            `projection ends on ${bounds.last}: Athena will not see what is uploaded of later days`,
            'let it end at NOW+1DAYS: npx cdk deploy',
        );
    }
    return ok(
        check,
        days.length === 0 ? `none yet; Athena sees ${range}` : `${days.length} days, ${days[0]} to ${days.at(-1)}, within ${range}`,
    );
}

/** What to do about days outside of the range: first to find out whether they are right, by the sources that have them. */
function whatHelps(outside: readonly string[], { first, last }: { first: string; last: string }): string {
    const isEarly = outside.some((day) => day < first);
    const isLate = outside.some((day) => day > last);
    const where = [...(isEarly ? [`first_day < '${first}'`] : []), ...(isLate ? [`last_day > '${last}'`] : [])].join(' or ');
    const whose = `flowlake query "select source, date_order, first_day, last_day from sources where ${where}" shows whose they are`;
    const wrong = 'if a date order is wrong, upload the file with --replace --date-order; if its clock is, flowlake retract it';
    const right = isEarly ? `; if days are right, set firstDay to ${outside[0]} or before in cdk/config.ts, then npx cdk deploy` : '';
    return `${whose}: ${wrong}${right}`;
}

/** Finding on figures that are due to be read anew. */
export function judgeOlderFigures(answer: Answer<OlderFigures>): readonly Finding[] {
    const check = 'figures';
    const current = 'by the rules of this version';
    return judge(check, answer, {
        missing: () => ok(check, 'none'),
        found: (older) => {
            if (older.days.length === 0) {
                return [ok(check, older.isAll ? current : `${current}, as far as those tell that were written longest ago`)];
            }
            const todo = 'flowlake reconcile reads their files anew; of those that are not below raw/ any more the figures stay';
            return [warning(check, `those of ${sayDays(older)} are by the rules of an older version`, todo)];
        },
    });
}

export interface ExpectedFiles {
    table: Table;
    /** True if every file is read, as Athena does; readers of a directory go by the name. */
    isEveryFileRead: boolean;
}

/** Findings on objects among a table's figures that are none. */
export function judgeStrays(answer: Answer<DayFacts>, { table, isEveryFileRead }: ExpectedFiles): readonly Finding[] {
    const check = table === kinds[0].merged ? 'stray files' : `stray files of ${table.name}`;
    return judge(check, answer, {
        missing: () => ok(check, 'none'),
        found: ({ strays }) => {
            if (strays.length === 0) {
                return [ok(check, `none among the ${table.name.replaceAll('_', ' ')}`)];
            }
            const some = strays.slice(0, 3).join(', ') + (strays.length > 3 ? ` and ${strays.length - 3} more` : '');
            const isHarmful = isEveryFileRead || strays.some((key) => key.endsWith('.parquet'));
            const todo = `move them out of ${table.prefix}: whoever reads the folder takes them for figures, or fails on them`;
            return [(isHarmful ? problem : warning)(check, some, todo)];
        },
    });
}

/** A clock that is wrong by more makes AWS refuse requests (RequestTimeTooSkewed), and dates of versions and retries misleading. */
const MAX_SKEW_MS = 5 * 60 * 1000;

/**
 * Finding on this machine's clock against the store's, as far as the newest object of any table tells: nothing was written in the future.
 */
export function judgeClock(days: DaysByTable, now: Date): readonly Finding[] {
    const check = 'clock';
    const answers = [...days.values()];
    const written = answers.flatMap((answer) =>
        answer.kind === 'found' && answer.value.newestAt ? [answer.value.newestAt.getTime()] : [],
    );
    const newest = Math.max(...written);
    if (newest - now.getTime() > MAX_SKEW_MS) {
        return [
            warning(
                check,
                `it is ${now.toISOString()} here, but figures were written at ${new Date(newest).toISOString()}`,
                "set this machine's clock right, or that of the machine that wrote them",
            ),
        ];
    }
    const unread = answers.find(({ kind }) => kind === 'unreadable');
    const fine = ok(check, now.toISOString());
    return unread ? judge(check, unread, { missing: () => fine, found: () => [fine] }) : [fine];
}

/** First and last day of a range `<from>,<to>`, both included and either one a day or relative to now (UTC); undefined where it is none. */
export function boundsOf(range: string, now: Date): { first: string; last: string } | undefined {
    const [first, last, ...more] = range.split(',').map((bound) => boundOf(bound.trim(), now));
    return first === undefined || last === undefined || more.length > 0 || first > last ? undefined : { first, last };
}

/**
 * Bound of a range relative to now; https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html has the grammar.
 */
const RELATIVE = /^NOW(?:\s*([+-])\s*(\d+)\s*(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?)?$/;

const UNIT_MS: Readonly<Record<string, number>> = { WEEK: 604_800_000, DAY: 86_400_000, HOUR: 3_600_000, MINUTE: 60_000, SECOND: 1_000 };

function boundOf(text: string, now: Date): string | undefined {
    if (/^\d{4}-\d{2}-\d{2}$/.test(text)) {
        return Number.isNaN(Date.parse(text)) ? undefined : text;
    }
    const match = RELATIVE.exec(text);
    if (!match) {
        return undefined;
    }
    const [, sign, count = '0', unit = 'DAY'] = match;
    const steps = Number(count) * (sign === '-' ? -1 : 1);
    const at = new Date(now);
    if (unit === 'YEAR' || unit === 'MONTH') {
        at.setUTCMonth(at.getUTCMonth() + steps * (unit === 'YEAR' ? 12 : 1));
    } else {
        at.setTime(at.getTime() + steps * (UNIT_MS[unit] ?? 0));
    }
    return at.toISOString().slice(0, 10);
}
