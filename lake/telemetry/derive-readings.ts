/** What one hour of readings comes to in each derived table: the pure functions over the lake's rows. */
import type { DayPart, DerivedPart, Json } from '#lake/kind';
import { compareTexts } from '#lake/rows';
import { columnNamed, withWords } from '#lake/tables';
import { textIn } from '#lake/text-list';
import {
    bigintAt,
    emptyNumbers,
    numbersOf,
    rowsInMemory,
    setBigint,
    type TextColumn,
    type TypedRows,
    textsOf,
    toTyped,
} from '#lake/typed-rows';
import { episodes as episodesTable, metricHours as metricHoursTable } from './derived-tables.ts';
import { type Episode, type EpisodeState, EpisodeWalk, NO_STATE } from './episodes.ts';
import { type MetricHour, metricHours, startsOf } from './metric-hours.ts';
import { parseProfile } from './profile/profile.ts';
import type { DerivingRules } from './rules.ts';
import type { RulesOf, SortedReadings } from './sorted-readings.ts';
import { readings } from './tables.ts';

/** Rows of `metric_hours` for an hour. */
export async function deriveHour({ period, rows, input }: DayPart): Promise<DerivedPart> {
    const rulesOf = await rulesFrom(namesIn(rows), input);
    const hour = Number(period.slice('yyyy-mm-ddT'.length));
    return { rows: hourRows(rows, { hour, rulesOf, hourMs: Date.parse(`${period}:00:00Z`) }) };
}

/** Rows of `episodes` that ended in an hour, and the state behind it. */
export async function deriveEpisodes({ rows, input, opening }: DayPart): Promise<DerivedPart> {
    const before = stateIn(opening);
    const rulesOf = await rulesFrom([...namesIn(rows), ...profilesOf(before)], input);
    const walk = new EpisodeWalk(before, rulesOf);
    walk.add(inOrder(rows));
    return { rows: episodeRows(walk.endedEpisodes()), closing: walk.closing() as unknown as Json };
}

/** Rows of `episodes` that are open in a state. */
export async function openEpisodes(state: Json, { input }: Pick<DayPart, 'input'>): Promise<TypedRows> {
    const closing = stateIn(state);
    return episodeRows(new EpisodeWalk(closing, await rulesFrom(profilesOf(closing), input)).openEpisodes());
}

function profilesOf({ devices }: EpisodeState): string[] {
    return devices.map(({ profile }) => profile);
}

function stateIn(state: Json): EpisodeState {
    return (state as unknown as EpisodeState | null) ?? NO_STATE;
}

/** Names of the profiles that read the rows. */
function namesIn(rows: TypedRows): string[] {
    const { texts, places } = textsOf(rows, 'profile');
    return Array.from(new Set(places), (place) => textIn(texts, place)).sort(compareTexts);
}

/** The rules of the profiles as the lake has them now. */
async function rulesFrom(names: readonly string[], input: DayPart['input']): Promise<RulesOf> {
    const rules = new Map<string, DerivingRules>();
    for (const name of new Set(names)) {
        const found = await input(name);
        if (found) {
            rules.set(name, rulesIn(found.document));
        }
    }
    return (name) => rules.get(name);
}

/** The rules of a profile. Hours and days ask for those of very few documents, and making them takes milliseconds. */
function rulesIn(document: unknown): DerivingRules {
    const text = JSON.stringify(document);
    const rules = rulesOfText.get(text) ?? parseProfile(document).rules;
    if (rulesOfText.size >= MAX_RULES) {
        rulesOfText.clear();
    }
    rulesOfText.set(text, rules);
    return rules;
}

const MAX_RULES = 64;
const rulesOfText = new Map<string, DerivingRules>();

/** Rows of table `readings` as they are gone through. */
function inOrder(rows: TypedRows): SortedReadings {
    const [site, device, metric, profile, message] = ['site', 'device', 'metric', 'profile', 'message'].map((name) =>
        textsOf(rows, name),
    ) as [Texts, Texts, Texts, Texts, Texts];
    const { words: atWords } = numbersOf(rows, columnNamed(readings, 'at_ms'));
    const { words: valueWords, width, nulls } = numbersOf(rows, columnNamed(readings, 'value'));
    const isSame = ({ places }: Texts, row: number): boolean => row > 0 && places[row] === places[row - 1];
    const isSameDevice = (row: number): boolean => isSame(device, row) && isSame(site, row);
    return {
        count: rows.count,
        isSameDevice,
        isSameSeries: (row) => isSame(metric, row) && isSameDevice(row),
        siteAt: textReader(site),
        deviceAt: textReader(device),
        metricAt: textReader(metric),
        profileAt: textReader(profile),
        messageAt: textReader(message),
        atMsAt: (row) => (atWords[row * 2 + 1] as number) * 2 ** 32 + ((atWords[row * 2] as number) >>> 0),
        unitsAt: (row) => (nulls?.[row] === 1 ? undefined : bigintAt(valueWords, row * width, width)),
    };
}

type Texts = ReturnType<typeof textsOf>;

/** What reads a row's text; each is made into a string once. */
function textReader({ texts, places }: Texts): (row: number) => string {
    const strings = new Array<string | undefined>(texts.count);
    return (row) => {
        const place = places[row] as number;
        const text = strings[place] ?? textIn(texts, place);
        strings[place] = text;
        return text;
    };
}

/** The rows of the readings' hour. Each stands in its columns before the next is made: objects of a large hour took more memory than all else. */
function hourRows(rows: TypedRows, { hourMs, ...options }: { hour: number; rulesOf: RulesOf; hourMs: number }): TypedRows {
    const readingsInOrder = inOrder(rows);
    const starts = startsOf(readingsInOrder).subarray(0, -1);
    const textsAtStarts = (name: string): TextColumn => {
        const { texts, places } = textsOf(rows, name);
        return { texts, places: starts.map((row) => places[row] as number) };
    };
    const columns = Object.entries(FIGURES).map(([name, figureOf]) => {
        const numbers = emptyNumbers(columnNamed(metricHoursTable, name), starts.length);
        return { name, figureOf, numbers };
    });
    let row = 0;
    for (const hour of metricHours(readingsInOrder, options)) {
        for (const { name, figureOf, numbers } of columns) {
            const figure = figureOf(hour, hourMs);
            if (figure !== undefined) {
                setBigint(numbers.words, row * numbers.width, numbers.width, figure);
            } else if (numbers.nulls) {
                numbers.nulls[row] = 1;
            } else {
                throw new TypeError(`column ${name} may not be null`);
            }
        }
        row += 1;
    }
    return rowsInMemory({
        count: starts.length,
        texts: { site: textsAtStarts('site'), device: textsAtStarts('device'), metric: textsAtStarts('metric') },
        numbers: Object.fromEntries(columns.map(({ name, numbers }) => [name, numbers])),
    });
}

/** The numbers of a row by their columns; undefined for a null. */
const FIGURES: Readonly<Record<string, (of: MetricHour, hourMs: number) => bigint | undefined>> = {
    hour_ms: (_, hourMs) => BigInt(hourMs),
    hour: ({ hour }) => BigInt(hour),
    digits: ({ values }) => values && BigInt(values.digits),
    n: ({ n }) => BigInt(n),
    sum: ({ values }) => values?.sum,
    sum_sq: ({ values }) => values?.sum_sq,
    min: ({ values }) => values?.min,
    max: ({ values }) => values?.max,
    first_value: ({ values }) => values?.first,
    first_ms: ({ first_ms }) => BigInt(first_ms),
    last_value: ({ values }) => values?.last,
    last_ms: ({ last_ms }) => BigInt(last_ms),
    longest_gap_ms: ({ longest_gap_ms }) => BigInt(longest_gap_ms),
    gap_limit_ms: ({ gap_limit_ms }) => BigInt(gap_limit_ms),
    area: ({ values }) => values?.area,
    area_ms: ({ values }) => values && BigInt(values.area_ms),
};

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
