/** Is this day odd? One look: the day's figures there and back, what was usual, and how far from it the day is. */
import { Figure, roundTo } from '../../parts/figure.tsx';
import { withChoices } from '../../parts/link.tsx';
import { PairName } from '../../parts/pair-name.tsx';
import { groupDigits } from '../../parts/quantity.ts';
import { Day, weekdayOf } from '../../parts/time.tsx';
import type { ScreenProps } from '../../screen.ts';
import {
    addDays,
    isWeekend,
    LEAST_SCORE,
    MEASURES,
    type Measure,
    type PairDay,
    type PairFound,
    type Usual,
    type Verdict,
    verdictOf,
    waysOf,
} from './pair-answer.ts';

interface DayVerdictProps extends ScreenProps {
    path: string;
    answer: PairFound;
    day: string;
}

/** Same weekdays before it that are shown beside the day. */
const WEEKS_BEFORE = 4;

const WORDS: Readonly<Record<Verdict, string>> = {
    unusual: 'Unusual',
    usual: 'As usual',
    low: 'Unusually little',
    unknown: 'Not known',
};

export function DayVerdict({ path, query, answer, day }: DayVerdictProps) {
    const ways = waysOf(answer).map((way) => ({ ...way, ofDay: way.days.find((one) => one.day === day) }));
    const isMissing = answer.missing.includes(day);
    const all = ways.flatMap(({ ofDay }) => (ofDay ? MEASURES.map(({ column }) => verdictOf(ofDay.usual[column])) : []));
    const word: Verdict = (['unusual', 'low', 'usual'] as const).find((one) => all.includes(one)) ?? 'unknown';
    const furthest = ways
        .flatMap(({ src, dst, ofDay }) =>
            MEASURES.flatMap((measure): Judgement[] => {
                const usual = ofDay?.usual[measure.column];
                return ofDay && usual ? [{ way: `${src} → ${dst}`, measure, value: ofDay[measure.column], usual }] : [];
            }),
        )
        .sort((a, b) => Math.abs(b.usual.score) - Math.abs(a.usual.score))[0];
    const isSilent = !isMissing && all.length === 0;
    const to = (other: string): string => withChoices(path, query, { day: other });
    return (
        <section class={`card verdict ${isMissing ? 'hatched' : isSilent ? '' : word}`} aria-labelledby="verdict">
            <div class="verdict-head">
                <h2 id="verdict">
                    <Day day={day} />:{' '}
                    <strong>{isMissing ? 'No file of the site' : isSilent ? 'No flow of this pair' : WORDS[word]}</strong>
                </h2>
                <nav class="days" aria-label="Other days">
                    <a href={to(addDays(day, -7))}>‹ {weekdayOf(day)} before</a>
                    <a href={to(addDays(day, -1))}>‹ day before</a>
                    <a href={to(addDays(day, 1))}>next day ›</a>
                    <a href={to(addDays(day, 7))}>next {weekdayOf(day)} ›</a>
                </nav>
            </div>
            {furthest && <p class="furthest">{sayFurthest(furthest)}</p>}
            <p>{sayWhy({ site: answer.site, isMissing, isSilent, word, day })}</p>
            {!isMissing && !isSilent && (
                // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reached by keyboard
                <section class="table-scroll" tabIndex={0} aria-label="Figures of the day">
                    <table>
                        <caption class="hidden">Figures of the day, what was usual, and how far from it the day is</caption>
                        <thead>
                            <tr>
                                <th scope="col">Direction</th>
                                <th scope="col">Measure</th>
                                <th scope="col" class="number">
                                    The day
                                </th>
                                <th scope="col" class="number">
                                    Usual
                                </th>
                                <th scope="col" class="number">
                                    Middle half
                                </th>
                                <th scope="col" class="number">
                                    Score
                                </th>
                                <th scope="col">Verdict</th>
                                <th scope="col" class="number">
                                    {WEEKS_BEFORE} {weekdayOf(day)} before it
                                </th>
                            </tr>
                        </thead>
                        <tbody>
                            {ways.flatMap(({ name, src, dst, ofDay, days }) =>
                                ofDay
                                    ? MEASURES.map(({ column, title }, at) => (
                                          <tr key={`${name} ${column}`}>
                                              {at === 0 && (
                                                  <th scope="rowgroup" rowSpan={MEASURES.length}>
                                                      <PairName src={src} dst={dst} />
                                                  </th>
                                              )}
                                              <td>{title}</td>
                                              <td class="number">
                                                  <Figure value={ofDay[column]} />
                                              </td>
                                              <Judged usual={ofDay.usual[column]} />
                                              <td class="number">{sayWeeksBefore(days, { day, column, missing: answer.missing })}</td>
                                          </tr>
                                      ))
                                    : [],
                            )}
                        </tbody>
                    </table>
                </section>
            )}
        </section>
    );
}

function Judged({ usual }: { usual: Usual | undefined }) {
    const verdict = verdictOf(usual);
    return (
        <>
            <td class="number">
                <Figure value={usual?.usual} />
            </td>
            <td class="number">{usual ? `${groupDigits(usual.low)} to ${groupDigits(usual.high)}` : '–'}</td>
            <td class="number">{usual ? roundTo(usual.score, 3) : '–'}</td>
            <td>
                <span class={`word ${verdict}`}>{verdict === 'unknown' ? 'too few days before' : WORDS[verdict].toLowerCase()}</span>
            </td>
        </>
    );
}

/** The figures of the same weekday in the weeks before, the last one first: a dash where there was none, and `no file` where nobody looked. */
function sayWeeksBefore(
    days: readonly PairDay[],
    { day, column, missing }: { day: string; column: (typeof MEASURES)[number]['column']; missing: readonly string[] },
): string {
    const before = Array.from({ length: WEEKS_BEFORE }, (_, at) => addDays(day, -7 * (at + 1))).map((other) => {
        const value = days.find((one) => one.day === other)?.[column];
        return value === undefined ? (missing.includes(other) ? 'no file' : '–') : groupDigits(value);
    });
    return before.every((text) => text === '–') ? '–' : before.join(' · ');
}

interface Judgement {
    way: string;
    measure: Measure;
    value: string;
    usual: Usual;
}

/** The figure that is furthest from usual, in a sentence. */
function sayFurthest({ way, measure, value, usual: { usual, low, high, score } }: Judgement): string {
    const figure = (digits: string): string => groupDigits(digits);
    return `${way}: ${figure(value)} ${measure.unit}. Usual are ${figure(usual)}, half of the days have ${figure(low)} to ${figure(high)}; score ${roundTo(score, 3)}.`;
}

interface Why extends Pick<PairFound, 'site'> {
    isMissing: boolean;
    isSilent: boolean;
    word: Verdict;
    day: string;
}

function sayWhy({ isMissing, isSilent, word, day, site }: Why): string {
    const alike = isWeekend(day) ? 'weekend days' : 'workdays';
    if (isMissing) {
        return `No file of ${site} has a flow of this day: nobody knows what the pair did. Its figures are not 0.`;
    }
    if (isSilent) {
        return `Files of ${site} have flows of this day, and none of this pair.`;
    }
    const rule = `judged by its last 28 ${alike} with traffic before it`;
    switch (word) {
        case 'unusual':
            return `It stands out: at least one figure is ${LEAST_SCORE} or more deviations of steady traffic above what is usual, ${rule}.`;
        case 'low':
            return `There was much less than usual, ${rule}. Only days with more than usual count as anomalies.`;
        case 'usual':
            return `Nothing stands out, ${rule}.`;
        case 'unknown':
            return `There are fewer than 5 ${alike} with traffic before it: too few for a verdict.`;
    }
}
