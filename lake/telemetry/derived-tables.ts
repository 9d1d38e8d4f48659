/** The tables that are derived from readings: their columns, and the pure functions behind them over the lake's rows. */
import type { DayPart, DerivedPart, DerivedTable, Json } from '#lake/kind';
import { type Column, type DayTable, text, whole, withWords } from '#lake/tables';
import { bigintAt, numbersOf, type TypedRows, textAt, textsOf, toTyped } from '#lake/typed-rows';
import { type Episode, type EpisodeState, EpisodeWalk, NO_STATE } from './episodes.ts';
import { type MetricHour, metricHours } from './metric-hours.ts';
import { parseProfile } from './profile/profile.ts';
import type { DerivingRules } from './rules.ts';
import type { RulesOf, SortedReadings } from './sorted-readings.ts';

/** A figure in units of 10^-digits, of metrics that have values. */
function figure(name: string, meaning: string): Column {
    return { name, type: 'decimal(38,0)', unit: '10^-digits', nullable: true, meaning };
}

const metricHoursTable: DayTable = {
    name: 'metric_hours',
    prefix: 'metric_hours/',
    format: 'parquet',
    per: 'day',
    grain: 'device, metric and hour',
    sortedBy: ['site', 'device', 'metric', 'hour_ms'],
    columns: [
        text('site', 'where the device stands'),
        text('device', 'the device’s id'),
        text('metric', 'the metric’s name in the profile'),
        whole('hour_ms', 'beginning of the hour', { unit: 'ms since 1970, UTC' }),
        whole('hour', 'hour of the day in UTC, 0 to 23'),
        whole('digits', 'digits behind the point of the figures; null, as they are, for a metric of texts', { nullable: true }),
        whole('n', 'readings, each once however often it came'),
        figure('sum', 'sum of the values'),
        { ...figure('sum_sq', 'sum of the squares of the values; null where it has more than 38 digits'), unit: '10^-(2*digits)' },
        figure('min', 'smallest value'),
        figure('max', 'largest value'),
        figure('first_value', 'value of the first reading'),
        whole('first_ms', 'time of the first reading', { unit: 'ms since 1970, UTC' }),
        figure('last_value', 'value of the last reading'),
        whole('last_ms', 'time of the last reading', { unit: 'ms since 1970, UTC' }),
        whole('longest_gap_ms', 'longest time between two readings of the hour; 0 where there is one', { unit: 'ms' }),
        whole('gap_limit_ms', 'readings that are further apart are a gap, by the profile', { unit: 'ms' }),
        {
            ...figure('area', 'sum of value times milliseconds until the next reading of the hour, gaps left out'),
            unit: 'ms * 10^-digits',
        },
        whole('area_ms', 'milliseconds that area covers', { unit: 'ms', nullable: true }),
    ],
};

const episodesTable: DayTable = {
    name: 'episodes',
    prefix: 'episodes/',
    format: 'parquet',
    per: 'day',
    grain: 'episode that a reading of the day ended, and one that is open at the day’s end',
    sortedBy: ['site', 'device', 'rule', 'began_ms'],
    columns: [
        text('site', 'where the device stands'),
        text('device', 'the device’s id'),
        text('rule', 'the rule’s name in the profile; `silent` for the one that its `dueEvery` is'),
        whole('began_ms', 'when the rule held, for as long as it asks; of a silence the deadline, which of an open one may lie ahead', {
            unit: 'ms since 1970, UTC',
        }),
        whole('ended_ms', 'when it ended; null for one that is open at the day’s end', { unit: 'ms since 1970, UTC', nullable: true }),
        text('profile', 'the profile whose rule it is'),
        text('kind', '`alert` or `silent`'),
        text('severity', '`info`, `warning` or `critical`'),
        {
            name: 'worst',
            type: 'decimal(28,9)',
            nullable: true,
            meaning: 'the value furthest beyond the bound, of a fence the distance in metres; null for silence and missing metrics',
        },
        whole('readings', 'readings that lie in it'),
        text('why', 'what a person should know, in one sentence'),
    ],
};

/** Table `metric_hours`. */
const metricHoursOfDay: DerivedTable = {
    table: metricHoursTable,
    format: 1,
    isChained: false,
    partOf(rows, { day }) {
        const { words } = numbersOf(rows, 'hour');
        return (row) => `${day}T${String(words[row * 2]).padStart(2, '0')}`;
    },
    async derive({ period, rows, input }: DayPart): Promise<DerivedPart> {
        const rulesOf = await rulesFrom(namesIn(rows), input);
        const hour = Number(period.slice('yyyy-mm-ddT'.length));
        return { rows: hourRows(metricHours(inOrder(rows), { hour, rulesOf }), Date.parse(`${period}:00:00Z`)) };
    },
};

/** Table `episodes`. */
const episodesOfDay: DerivedTable = {
    table: episodesTable,
    format: 1,
    isChained: true,
    async derive({ rows, input, opening }: DayPart): Promise<DerivedPart> {
        const before = stateIn(opening);
        const rulesOf = await rulesFrom([...namesIn(rows), ...before.devices.map(({ profile }) => profile)], input);
        const walk = new EpisodeWalk(before, rulesOf);
        walk.add(inOrder(rows));
        return { rows: episodeRows(walk.endedEpisodes()), closing: walk.closing() as unknown as Json };
    },
    async atEnd(state, { input }) {
        const before = stateIn(state);
        const rulesOf = await rulesFrom(
            before.devices.map(({ profile }) => profile),
            input,
        );
        return episodeRows(new EpisodeWalk(before, rulesOf).openEpisodes());
    },
};

/** All tables that are derived from readings. */
export const derivedTables: readonly DerivedTable[] = [metricHoursOfDay, episodesOfDay];

function stateIn(state: Json): EpisodeState {
    return (state as unknown as EpisodeState | null) ?? NO_STATE;
}

/** Names of the profiles that read the rows. */
function namesIn(rows: TypedRows): string[] {
    const { texts, places } = textsOf(rows, 'profile');
    const isUsed = new Uint8Array(texts.length);
    for (const place of places) {
        isUsed[place] = 1;
    }
    return texts.filter((_, place) => isUsed[place] === 1);
}

/** The rules of the profiles as the lake has them now. */
async function rulesFrom(names: readonly string[], input: DayPart['input']): Promise<RulesOf> {
    const rules = new Map<string, DerivingRules>();
    for (const name of new Set(names)) {
        const found = await input(name);
        if (found) {
            rules.set(name, parseProfile(found.document).rules);
        }
    }
    return (name) => rules.get(name);
}

/** Rows of table `readings` as they are gone through. */
function inOrder(rows: TypedRows): SortedReadings {
    const [site, device, metric, profile, message] = ['site', 'device', 'metric', 'profile', 'message'].map((name) =>
        textsOf(rows, name),
    ) as [Texts, Texts, Texts, Texts, Texts];
    const { words: atWords } = numbersOf(rows, 'at_ms');
    const { words: valueWords, width, nulls } = numbersOf(rows, 'value');
    const isSame = ({ places }: Texts, row: number): boolean => row > 0 && places[row] === places[row - 1];
    const isSameDevice = (row: number): boolean => isSame(device, row) && isSame(site, row);
    return {
        count: rows.count,
        isSameDevice,
        isSameSeries: (row) => isSame(metric, row) && isSameDevice(row),
        siteAt: (row) => textAt(site, row),
        deviceAt: (row) => textAt(device, row),
        metricAt: (row) => textAt(metric, row),
        profileAt: (row) => textAt(profile, row),
        messageAt: (row) => textAt(message, row),
        atMsAt: (row) => (atWords[row * 2 + 1] as number) * 2 ** 32 + ((atWords[row * 2] as number) >>> 0),
        unitsAt: (row) => (nulls?.[row] === 1 ? undefined : bigintAt(valueWords, row * width, width)),
    };
}

type Texts = ReturnType<typeof textsOf>;

function hourRows(hours: readonly MetricHour[], hourMs: number): TypedRows {
    return toTyped(withWords(metricHoursTable), {
        site: hours.map(({ site }) => site),
        device: hours.map(({ device }) => device),
        metric: hours.map(({ metric }) => metric),
        hour_ms: hours.map(() => BigInt(hourMs)),
        hour: hours.map(({ hour }) => BigInt(hour)),
        digits: hours.map(({ values }) => (values ? BigInt(values.digits) : null)),
        n: hours.map(({ n }) => BigInt(n)),
        sum: hours.map(({ values }) => values?.sum ?? null),
        sum_sq: hours.map(({ values }) => values?.sum_sq ?? null),
        min: hours.map(({ values }) => values?.min ?? null),
        max: hours.map(({ values }) => values?.max ?? null),
        first_value: hours.map(({ values }) => values?.first ?? null),
        first_ms: hours.map(({ first_ms }) => BigInt(first_ms)),
        last_value: hours.map(({ values }) => values?.last ?? null),
        last_ms: hours.map(({ last_ms }) => BigInt(last_ms)),
        longest_gap_ms: hours.map(({ longest_gap_ms }) => BigInt(longest_gap_ms)),
        gap_limit_ms: hours.map(({ gap_limit_ms }) => BigInt(gap_limit_ms)),
        area: hours.map(({ values }) => values?.area ?? null),
        area_ms: hours.map(({ values }) => (values ? BigInt(values.area_ms) : null)),
    });
}

function episodeRows(episodes: readonly Episode[]): TypedRows {
    return toTyped(withWords(episodesTable), {
        site: episodes.map(({ site }) => site),
        device: episodes.map(({ device }) => device),
        rule: episodes.map(({ rule }) => rule),
        began_ms: episodes.map(({ began_ms }) => BigInt(began_ms)),
        ended_ms: episodes.map(({ ended_ms }) => (ended_ms === undefined ? null : BigInt(ended_ms))),
        profile: episodes.map(({ profile }) => profile),
        kind: episodes.map(({ kind }) => kind),
        severity: episodes.map(({ severity }) => severity),
        worst: episodes.map(({ worst }) => worst ?? null),
        readings: episodes.map(({ readings }) => BigInt(readings)),
        why: episodes.map(({ why }) => why),
    });
}
