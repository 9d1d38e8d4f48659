/** How an answer is plotted. */
import { expect, test } from '@jest/globals';
import type { AskAnswer } from '../../../web/screens/ask/answer.ts';
import { plotColumns, plotOf } from '../../../web/screens/ask/plot.ts';

const answerOf = (columns: readonly [string, string][], rows: AskAnswer['rows']): AskAnswer => ({
    columns: columns.map(([name, type]) => ({ name, type })),
    rows,
    isCut: false,
    tookMs: 1,
});

function plot(answer: AskAnswer) {
    const found = plotColumns(answer);
    const [time, figure] = [found?.times[0], found?.figures[0]];
    return time && figure && plotOf(answer, { time, figure });
}

const DAY = Date.UTC(2026, 0, 5);

test('days that have no row are gaps, and every digit stays beside the point', () => {
    const found = plot(
        answerOf(
            [
                ['day', 'varchar'],
                ['packets', 'bigint'],
            ],
            [
                ['2026-01-05', '9007199254740993'],
                ['2026-01-08', '2'],
                ['2026-01-06', null],
            ],
        ),
    );
    expect(found).toMatchObject({ isDays: true, lineCount: 1, times: [0, 1, 2, 3].map((day) => DAY + day * 86_400_000) });
    expect(found?.series).toEqual([
        { title: 'packets', look: 'line', values: [9007199254740992, null, null, 2], texts: ['9007199254740993', null, null, '2'] },
    ]);
});

test('what tells rows of one day apart is a line each, at most six, those with the largest values', () => {
    const rows = Array.from({ length: 8 }, (_, at) => ['2026-01-05', `site ${at}`, String(at * 10)]);
    const second = rows.map(([, site = '', value = '']) => ['2026-01-06', site, value]);
    const found = plot(
        answerOf(
            [
                ['day', 'date'],
                ['site', 'varchar'],
                ['n', 'decimal(38,0)'],
            ],
            [...rows, ...second],
        ),
    );
    expect(found?.lineCount).toBe(8);
    expect(found?.series.map(({ title }) => title)).toEqual(['site 7', 'site 6', 'site 5', 'site 4', 'site 3', 'site 2']);
});

test('rows with one time are counted, and the time that tells most rows apart is taken', () => {
    const answer = answerOf(
        [
            ['day', 'varchar'],
            ['hour_ms', 'bigint'],
            ['n', 'bigint'],
        ],
        [0, 1, 2].map((hour) => ['2026-01-05', String(DAY + hour * 3_600_000), String(hour)]),
    );
    expect(plotColumns(answer)?.times.map(({ name }) => name)).toEqual(['hour_ms', 'day']);
    expect(plot(answer)).toMatchObject({ hiddenRows: 0, series: [{ texts: ['0', '1', '2'] }] });
    const [time = { name: '', type: '' }, , figure = { name: '', type: '' }] = answer.columns;
    expect(plotOf(answer, { time, figure })).toMatchObject({ hiddenRows: 2, series: [{ texts: ['0'] }] });
});

test('instants are read from epoch milliseconds and from timestamps alike; unequal steps are not filled', () => {
    const rows = [0, 3_600_000, 9_000_000].map((ms) => [
        String(DAY + ms),
        new Date(DAY + ms).toISOString().replace('T', ' ').slice(0, -1),
        1.5,
    ]);
    const answer = answerOf(
        [
            ['hour_ms', 'bigint'],
            ['measured_at', 'timestamp'],
            ['mean', 'double'],
        ],
        rows,
    );
    expect(plotColumns(answer)).toMatchObject({ times: [{ name: 'hour_ms' }, { name: 'measured_at' }], figures: [{ name: 'mean' }] });
    const figure = { name: 'mean', type: 'double' };
    const [first, second] = answer.columns.map((time) =>
        plotOf({ ...answer, columns: answer.columns }, { time, figure: answer.columns[2] ?? figure }),
    );
    expect(first?.times).toEqual([0, 3_600_000, 9_000_000].map((ms) => DAY + ms));
    expect(second?.times).toEqual(first?.times);
    expect(first?.isDays).toBe(false);
});

test.each<[string, AskAnswer]>([
    ['without a time', answerOf([['n', 'bigint']], [['1'], ['2']])],
    ['without a figure', answerOf([['day', 'varchar']], [['2026-01-05'], ['2026-01-06']])],
    [
        'of a text that is no day everywhere',
        answerOf(
            [
                ['day', 'varchar'],
                ['n', 'bigint'],
            ],
            [
                ['2026-01-05', '1'],
                ['Monday', '2'],
            ],
        ),
    ],
    [
        'of a single row',
        answerOf(
            [
                ['day', 'varchar'],
                ['n', 'bigint'],
            ],
            [['2026-01-05', '1']],
        ),
    ],
    [
        'of small whole numbers that are no instants',
        answerOf(
            [
                ['longest_gap_ms', 'bigint'],
                ['n', 'bigint'],
            ],
            [
                ['1000', '1'],
                ['2000', '2'],
            ],
        ),
    ],
])('an answer %s has no plot', (_, answer) => {
    expect(plotColumns(answer)).toBeUndefined();
});
