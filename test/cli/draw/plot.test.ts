/** The plot shows the days, the mean and the band where they are, in the width it is given. */
import { type PlotPoint, renderPlot } from '#cli/draw/plot';
import { widthOf } from '#cli/draw/text-width';

function pointsOf(totals: Record<string, number>): PlotPoint[] {
    let sum = 0;
    let squares = 0;
    return Object.entries(totals).map(([day, total], index) => {
        sum += total;
        squares += total * total;
        const mean = sum / (index + 1);
        return { day, total, mean, deviation: Math.sqrt(Math.max(0, squares / (index + 1) - mean * mean)) };
    });
}

function daily(count: number, totalOf: (index: number) => number): PlotPoint[] {
    const days = Array.from({ length: count }, (_, index) => new Date(Date.UTC(2026, 0, 5 + index)).toISOString().slice(0, 10));
    return pointsOf(Object.fromEntries(days.map((day, index) => [day, totalOf(index)])));
}

test('a surge stands out, the mean climbs after it, the band widens', () => {
    expect(
        `\n${renderPlot(
            daily(14, (index) => (index === 9 ? 4000 : 1000 + 100 * (index % 3))),
            { title: 'Packets per day', columns: 60, rows: 9 },
        )}`,
    ).toBe(`
Packets per day
4k ┤                                     ●
   │
3k ┤
   │                                      ░░
2k ┤                                    ░░░░░░░░░░░░░░░░░░░
   │                                  ░░░⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⡀░░
1k ┤●⠤⠤⠤●⠤⠤⠔●⠒⠒⠤●⠤⠤⠤⠤●⠔⠒⠒●⠒⠒⠒●⠒⠒⠒●⠒⠒⠒●⠒⠉⠉░░░░░●░░░●░░░●░⠈⠉●
   │                                   ░░░░░░░░░░░░░░░░░░░░
 0 ┤
   └┬────────────────┬───────────────┬────────────────────┬
    2026-01-05       2026-01-09      2026-01-13  2026-01-18
    ● day   ⠤⠤ running mean
    ░ one standard deviation around it
`);
});

test('days without traffic leave a gap', () => {
    const [, row] = renderPlot(pointsOf({ '2026-01-05': 8, '2026-01-06': 8, '2026-01-15': 8 }), { title: '', columns: 24, rows: 1 }).split(
        '\n',
    );
    expect([...(row ?? '')].flatMap((character, column) => (character === '●' ? [column] : []))).toEqual([3, 5, 22]);
});

test.each([20, 40, 60, 80, 200])('every line fits %d columns', (columns) => {
    for (const count of [1, 2, 7, 30, 400]) {
        const lines = renderPlot(
            daily(count, (index) => index * 1e9),
            { title: '', columns },
        ).split('\n');
        expect(lines.filter((line) => widthOf(line) > columns)).toEqual([]);
    }
});

test('the last day is always named, and no label runs into another', () => {
    for (const count of [2, 3, 10, 29, 30, 31, 365]) {
        const labels = renderPlot(
            daily(count, () => 1),
            { title: '', columns: 80 },
        ).split('\n')[16];
        expect(labels?.trim()).toMatch(/^2026-01-05( +\d{4}-\d\d-\d\d)+$/);
        expect(labels).toContain(daily(count, () => 1).at(-1)?.day);
    }
});

test('no days, one day and days of zero are no trouble', () => {
    expect(renderPlot([], { title: 'Packets', columns: 80 })).toBe('Packets: no days\n');
    expect(
        renderPlot(
            daily(1, () => 7),
            { title: '', columns: 80 },
        ),
    ).toContain('●');
    expect(
        renderPlot(
            daily(3, () => 0),
            { title: '', columns: 80 },
        ),
    ).toContain('0 ┤●');
});

test.each([40, 80])('title and legend take more lines where %d columns are too few', (columns) => {
    const title = 'Forward packets per day, 192.168.100.101 -> 192.168.100.102 at 東京本社';
    const lines = renderPlot(
        daily(30, (index) => index),
        { title, columns },
    ).split('\n');
    expect(lines.filter((line) => widthOf(line) > columns)).toEqual([]);
    const said = lines.map((line) => line.trim()).join(' ');
    expect(said.startsWith(title)).toBe(true);
    expect(said).toContain('one standard deviation around it');
});
