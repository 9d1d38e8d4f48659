/** The report of one pair as a page: what it came to on each day, at each site. */

import type { PairQuestion } from '#cli/pair-report';
import type { CollectedRows } from '#lake/collect-rows';
import { quoteForShell } from '#lake/quote-for-shell';
import { type Row, rowsOf } from '#lake/reports/named-rows';
import { drawPairDays } from './charts.ts';
import { closing, code, how, type PageFacts, sayMinute, writeDocument } from './document.ts';
import { name } from './figures.ts';
import { groupBy } from './group-by.ts';
import { type Markup, markup } from './markup.ts';
import { dayColumn, mean, number, table } from './table.ts';

/** @returns the bytes of the page; without rows it says that there are none */
export function writePairPage(rows: CollectedRows, question: PairQuestion, { lake, madeAt }: PageFacts): Buffer {
    const { src, dst, site, from, to } = question;
    const options = [
        ...(site === undefined ? [] : ['--site', site]),
        ...(from === undefined ? [] : ['--from', from]),
        ...(to === undefined ? [] : ['--to', to]),
    ];
    const line = ['flowlake', '--lake', lake, 'export', src, dst, ...options].map(quoteForShell).join(' ');
    const sites = groupBy(rowsOf(rows), (row) => String(row.site));
    return writeDocument({
        title: `${src} → ${dst}`,
        about: [markup`What the pair came to on each day, in the lake ${name(lake)}. Days are of UTC. Made ${sayMinute(madeAt)}.`],
        body: [
            ...(sites.size === 0
                ? [markup`<p>No traffic on these days.</p>\n`]
                : [...sites].flatMap(([of, ofSite]) => sectionOf(of, ofSite))),
            how(
                'Flows, duration (microseconds) and forward packets are exact sums over the flows of the day. The running mean and standard deviation are those of the daily sums from the pair’s first day up to the row’s, days with traffic alone; for the duration days with timed flows alone (view pair_running). The same rows:',
                code(line),
                'Which flows a figure came from:',
                code(`${['flowlake', '--lake', lake, 'explain', src, dst].map(quoteForShell).join(' ')} <day>`),
            ),
            closing(),
        ],
    });
}

function sectionOf(site: string, rows: readonly Row[]): Markup[] {
    const pointsOf = (column: string, measure: string) =>
        rows.flatMap((row) =>
            row[`${measure}_running_mean`] === null
                ? []
                : [
                      {
                          day: String(row.day),
                          total: Number(row[column]),
                          mean: Number(row[`${measure}_running_mean`]),
                          deviation: Number(row[`${measure}_running_stddev_pop`]),
                      },
                  ],
        );
    const timed = rows.filter(({ timed_flows: flows }) => Number(flows) > 0).length;
    return [
        markup`<h2>Site <bdi>${site}</bdi></h2>\n<h3>Forward packets per day</h3>\n`,
        drawPairDays(pointsOf('fwd_pkts_sum', 'fwd_pkts'), { what: 'Forward packets' }),
        ...(timed === 0
            ? []
            : [
                  markup`<h3>Duration per day, µs</h3>\n`,
                  drawPairDays(pointsOf('flow_duration_us_sum', 'flow_duration_us'), { what: 'Duration' }),
              ]),
        table(
            'Every day with traffic',
            [
                dayColumn('day'),
                number('flows'),
                number('flow_duration_us_sum'),
                mean('flow_duration_us_running_mean', 'running mean'),
                mean('flow_duration_us_running_stddev_pop', 'deviation'),
                number('fwd_pkts_sum'),
                mean('fwd_pkts_running_mean', 'running mean'),
                mean('fwd_pkts_running_stddev_pop', 'deviation'),
            ],
            rows,
        ),
    ];
}
