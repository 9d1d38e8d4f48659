/** The unusual days of the pair, each with why; a click looks at the day. */
import { Figure, roundTo } from '../../parts/figure.tsx';
import { withChoices } from '../../parts/link.tsx';
import { groupDigits } from '../../parts/quantity.ts';
import { Table } from '../../parts/table.tsx';
import { Day } from '../../parts/time.tsx';
import type { ScreenProps } from '../../screen.ts';
import { isWeekend, MEASURES, type Measure, type PairFound, type Usual, verdictOf, waysOf } from './pair-answer.ts';

interface UnusualDaysProps extends ScreenProps {
    path: string;
    answer: PairFound;
}

interface UnusualRow {
    day: string;
    way: string;
    measure: Measure;
    value: string;
    usual: Usual;
}

/** Rows that are shown; a pair of years may have many. */
const MAX_ROWS = 20;

export function UnusualDays({ path, query, answer }: UnusualDaysProps) {
    const rows = waysOf(answer)
        .flatMap(({ src, dst, days }) =>
            days.flatMap((day) =>
                MEASURES.flatMap((measure): UnusualRow[] => {
                    const usual = day.usual[measure.column];
                    return usual && verdictOf(usual) === 'unusual'
                        ? [{ day: day.day, way: `${src} → ${dst}`, measure, value: day[measure.column], usual }]
                        : [];
                }),
            ),
        )
        .sort((a, b) => (a.day === b.day ? b.usual.score - a.usual.score : a.day < b.day ? 1 : -1));
    return (
        <section aria-labelledby="unusual-days">
            <h2 id="unusual-days">Unusual days</h2>
            {rows.length === 0 ? (
                <p>None of the days that are shown stands out.</p>
            ) : (
                <>
                    <Table
                        caption="Unusual days, the newest first"
                        rows={rows.slice(0, MAX_ROWS)}
                        keyOf={({ day, way, measure }) => `${day} ${way} ${measure.name}`}
                        columns={[
                            {
                                name: 'day',
                                title: 'Day',
                                cell: ({ day }) => (
                                    <a href={withChoices(path, query, { day })}>
                                        <Day day={day} />
                                    </a>
                                ),
                            },
                            { name: 'way', title: 'Direction', cell: ({ way }) => <span class="mono">{way}</span> },
                            {
                                name: 'value',
                                title: 'That day',
                                isNumber: true,
                                cell: ({ value, measure }) => <Figure value={value} unit={measure.unit} />,
                            },
                            { name: 'why', title: 'Why', cell: sayWhy },
                        ]}
                    />
                    {rows.length > MAX_ROWS && (
                        <p>
                            The newest {MAX_ROWS} of {rows.length}: choose fewer days to see the others.
                        </p>
                    )}
                </>
            )}
        </section>
    );
}

function sayWhy({ day, usual: { usual, low, high, score }, measure }: UnusualRow): string {
    const alike = isWeekend(day) ? 'weekend days' : 'workdays';
    return `Usual on ${alike} are ${groupDigits(usual)} ${measure.unit}, half of them ${groupDigits(low)} to ${groupDigits(high)}; score ${roundTo(score, 3)}`;
}
