/** The plot of a metric shows the mean, the band and the gaps where they are, in the width it is given. */
import { renderSeries, type SeriesPoint } from '#cli/draw/plot-series';
import { widthOf } from '#cli/draw/text-width';

const HOUR = 3_600_000;

/** A point an hour, none where the mean is undefined. */
function hourly(means: readonly (number | undefined)[], spread: number): SeriesPoint[] {
    return means.flatMap((mean, hour) =>
        mean === undefined ? [] : [{ fromMs: Date.UTC(2026, 0, 5, hour), mean, min: mean - spread, max: mean + spread }],
    );
}

test('a rise, a gap and values below zero are seen', () => {
    const means = [-2, -2, -2, 0, 4, 4, undefined, undefined, undefined, 1, -1, -3];
    expect(`\n${renderSeries(hourly(means, 1), { title: 'temperature', stepMs: HOUR, columns: 50, rows: 8 })}`).toBe(`
temperature
 5 ┤               ░⣀⣀⣀⣀⡀
   │              ░⡜░░░░░
   │            ░⢀⠎░                    ░░
   │          ░░⢠⠃░                     ⠈⠢⡀░░
 0 ┤░░░░░░░░░⢀⡠⠊⠁░                      ░░⠈⠑⢄⡀░░
   │⠤⠤⠤⠤⠤⠤⠤⠤⠔⠁░░                           ░░⠈⠢⢄░
   │░░░░░░░░░                                 ░░⠑
-5 ┤                                            ░
   └┬──────────────────────┬─────────────────────
    2026-01-05 00:00       2026-01-05 05:37
    ⠤⠤ mean   ░ smallest to largest   times in UTC
`);
});

test('an axis of small steps has the digits that it takes', () => {
    expect(`\n${renderSeries(hourly([21.3, 21.3, 21.31], 0), { title: 'still', stepMs: HOUR, columns: 40, rows: 4 })}`).toBe(`
still
21.310 ┤                           ⢀⡠⠔⠊
       │                       ⢀⡠⠔⠊⠁
21.305 ┤                   ⢀⠤⠒⠊⠁
21.300 ┤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⠤⠒⠊⠁
       └┬──────────────────────────────
        2026-01-05 00:00
        ⠤⠤ mean   ░ smallest to largest
        times in UTC
`);
});

test('without points it says so', () => {
    expect(renderSeries([], { title: 'temperature', stepMs: HOUR, columns: 80 })).toBe('temperature: no readings of numbers\n');
});

test.each([20, 40, 80, 200])('every line fits %d columns, but for title and legend', (columns) => {
    for (const means of [
        [0],
        [1, 1],
        [-1e9, 3e9, 1e-9],
        Array.from({ length: 1000 }, (_, at) => (at % 7 === 0 ? undefined : Math.sin(at) * 1e6)),
    ]) {
        const lines = renderSeries(hourly(means, 0.1), { title: '', stepMs: HOUR, columns }).split('\n');
        expect(lines.slice(0, -2).filter((line) => widthOf(line) > Math.max(columns, 30))).toEqual([]);
    }
});
