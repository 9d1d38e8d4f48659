/** The report of a lake as a page. */
import { sayCount } from '#cli/draw/quantity';
import type { Scanned, Value } from '#lake/query/query-engine';
import { quoteForShell } from '#lake/quote-for-shell';
import { addDays, daysOf } from '#lake/reports/days-of';
import { type FleetPart, type FlowsPart, type LakeReport, LISTED, type Listed } from '#lake/reports/lake-report';
import type { Row } from '#lake/reports/named-rows';
import { sayScanned } from '#lake/say-size';
import { drawCalendar } from './calendar.ts';
import { type DayAmount, drawDays, drawSpans, OTHERS, type Span } from './charts.ts';
import { closing, code, how, type PageFacts, sayMinute, writeDocument } from './document.ts';
import { change, figure, name, rounded, sayDay } from './figures.ts';
import { groupBy } from './group-by.ts';
import { type Markup, markup } from './markup.ts';
import { at, dayColumn, long, number, type TableColumn, table, text } from './table.ts';

/** What the page says of itself. */
export interface LakePageFacts extends PageFacts {
    /** What Athena was paid for; undefined for a directory. */
    scanned: Scanned | undefined;
}

/** Rows of the longest tables; a page is for reading, and says how the others are had. */
const MOST_ROWS = 400;

export function writeLakePage(report: LakeReport, facts: LakePageFacts): Buffer {
    const { range, site, flows, fleet } = report;
    const days = daysOf(range);
    const span = days.length === 7 ? 'The week' : `The ${sayCount(days.length, 'day')}`;
    const title = `${span} from ${range.from} to ${range.to}`;
    const typed = { lake: facts.lake, report };
    return writeDocument({
        title,
        about: [
            markup`${site === undefined ? 'All sites' : markup`Site ${name(site)}`} of the lake ${name(facts.lake)}. Days and times are of UTC.`,
            markup`Made ${sayMinute(facts.madeAt)} by ${code(`flowlake report${optionsOf(report)}`)}.`,
        ],
        body: [
            ...notices(report, facts),
            tiles(report),
            ...(flows ? flowSections(flows, typed) : []),
            ...(fleet ? fleetSections(fleet, typed) : []),
            ...qualitySections(typed),
            ...dayTables(report),
            ...fileSections(typed),
            closing(facts.scanned && `What Athena scanned for this page, and its list price: ${sayScanned(facts.scanned)}. `),
        ],
    });
}

/** What is said in every section: the report and how its lake is named. */
interface Typed {
    lake: string;
    report: LakeReport;
}

function optionsOf({ range, site }: LakeReport): string {
    return ` --from ${range.from} --to ${range.to}${site === undefined ? '' : ` --site ${quoteForShell(site)}`}`;
}

/** A command as it is typed to see the same figures. */
function command(line: string, { lake }: Typed): Markup {
    return code(`flowlake --lake ${quoteForShell(lake)} ${line}`);
}

/** What a reader must know before any figure. */
function notices({ range, lastDay, flows, fleet, problems, sources }: LakeReport, { madeAt }: LakePageFacts): Markup[] {
    const rejected = sumOf(sources.rejects, 'reject_count');
    const today = madeAt.toISOString().slice(0, 'yyyy-mm-dd'.length);
    const lines = [
        ...(lastDay < addDays(today, -2)
            ? [markup`The last day that the lake has figures of is ${sayDay(lastDay)}: nothing of a later day has come.`]
            : []),
        ...(range.to > lastDay && lastDay >= addDays(today, -2)
            ? [markup`The lake has no figures after ${sayDay(lastDay)}: the days behind it are not over, or nothing has come.`]
            : []),
        ...(flows || fleet ? [] : [markup`Neither these days nor those before them have figures of flows or devices.`]),
        ...problems.map(
            ({ kind, subjects, why }) =>
                markup`${PROBLEMS[kind]}: ${sayCount(subjects.length, 'item')} (${subjects.slice(0, 3).map((subject, at) => markup`${at > 0 && ', '}${name(subject)}`)}${subjects.length > 3 && ', ...'})${why !== undefined && why !== '' && markup`. ${why}`}`,
        ),
        ...(sources.rejects.length > 0
            ? [
                  markup`${figure(rejected)} ${rejected === 1n ? 'row or metric' : 'rows and metrics'} of these days’ files could not be used: ${markup`<a href="#rejects">what they are</a>`}.`,
              ]
            : []),
    ];
    return lines.length === 0
        ? []
        : [
              markup`<div class="notice"><strong>Before you read on</strong><ul>${lines.map((line) => markup`<li>${line}</li>`)}</ul>${problems.length > 0 && markup`<p>${code('flowlake status')} says what to do.</p>`}</div>\n`,
          ];
}

const PROBLEMS: Readonly<Record<LakeReport['problems'][number]['kind'], string>> = {
    failed: 'Files that could not be read',
    empty: 'Files of which not one row counts',
    waiting: 'Files that are not in the figures yet',
    older: 'Files that are in the figures as an older version read them',
    behind: 'Files that were read with a profile or registry that no longer holds',
    unconsolidated: 'Days that do not have all that counts yet',
    underived: 'Days of which hours and alerts are not derived yet',
    unreadable: 'Days that cannot be read',
    unknown: 'Files of kinds that this program does not know',
};

interface Tile {
    title: string;
    value: Markup;
    beside?: Markup | undefined;
}

/** The page in ten numbers. */
function tiles({ range, flows, fleet, sources }: LakeReport): Markup {
    const inRange = (rows: readonly Row[]): Row[] => rows.filter(({ day }) => String(day) >= range.from);
    const beforeIt = (rows: readonly Row[]): Row[] => rows.filter(({ day }) => String(day) < range.from);
    const total = (rows: readonly Row[], column: string): Pick<Tile, 'value' | 'beside'> => {
        const [now, before] = [sumOf(inRange(rows), column), sumOf(beforeIt(rows), column)];
        const changed = change(now, before);
        return { value: figure(now), beside: changed && markup`${changed} on the days before` };
    };
    const shown: Tile[] = [
        ...(flows
            ? [
                  { title: 'Flows', ...total(flows.totals, 'flows') },
                  { title: 'Forward packets', ...total(flows.totals, 'fwd_pkts_sum') },
                  { title: 'Pairs', value: markup`${flows.changes.came.total} new`, beside: markup`${flows.changes.went.total} gone` },
                  {
                      title: 'Unusual days of pairs',
                      value: markup`${flows.unusual.isAll ? '' : 'over '}${flows.unusual.total}`,
                      beside: flows.unusual.rows[0] && markup`largest score ${rounded(flows.unusual.rows[0].score)}`,
                  },
              ]
            : []),
        ...(fleet
            ? [
                  { title: 'Readings', ...total(fleet.days, 'readings') },
                  { title: 'Devices', value: markup`${fleet.changes.came.total} new`, beside: markup`${fleet.changes.went.total} gone` },
                  {
                      title: 'Alerts',
                      value: markup`${fleet.episodes.filter(({ kind }) => kind === 'alert').length}`,
                      beside: markup`${fleet.episodes.filter(({ kind, state }) => kind === 'alert' && state === 'open').length} open now`,
                  },
                  {
                      title: 'Silences',
                      value: markup`${fleet.episodes.filter(({ kind }) => kind === 'silent').length}`,
                      beside: markup`${fleet.episodes.filter(({ kind, state }) => kind === 'silent' && state === 'open').length} open now`,
                  },
              ]
            : []),
        {
            title: 'Files',
            value: markup`${sources.sources.filter(({ state }) => state !== 'failed').length}`,
            beside: markup`${sources.sources.filter(({ state }) => state === 'failed').length} could not be read`,
        },
    ];
    return markup`<dl class="tiles">${shown.map(({ title, value, beside }) => markup`<div><dt>${title}</dt><dd>${value}${beside && markup`<small>${beside}</small>`}</dd></div>\n`)}</dl>\n`;
}

function flowSections({ sites, totals, busiest, changes, unusual }: FlowsPart, typed: Typed): Markup[] {
    const { report } = typed;
    const { range, before, site } = report;
    const inRange = totals.filter(({ day }) => String(day) >= range.from);
    const where = site === undefined ? '' : ` and site = '${site.replaceAll("'", "''")}'`;
    const sql = (select: string): string => `query ${quoteForShell(select.replaceAll('\n', ' '))}`;
    const ofDays = `day between '${range.from}' and '${range.to}'${where}`;
    const packets = sumOf(inRange, 'fwd_pkts_sum');
    return [
        markup`<h2 id="flows">Flows by site and day</h2>\n`,
        drawDays({ amounts: amountsOf(totals, 'flows'), range, before, what: 'Flows' }),
        drawCalendar({ rows: inRange, column: 'flows', range, sites, what: 'Flows of each site and day' }),
        table(
            'Totals by site',
            [
                { head: 'site', cell: ({ site: of }) => name(of) },
                ...FLOW_SUMS.map((column) => number(column)),
                {
                    head: 'on before',
                    isNumber: true,
                    cell: (row) =>
                        change(
                            BigInt(String(row.flows)),
                            sumOf(
                                totals.filter((of) => of.site === row.site && String(of.day) < range.from),
                                'flows',
                            ),
                        ) ?? markup`<span class="none">–</span>`,
                },
            ],
            sumBy(inRange, 'site', FLOW_SUMS),
        ),
        table('Totals by day', [DAY_COLUMN, ...FLOW_SUMS.map((column) => number(column))], sumBy(inRange, 'day', FLOW_SUMS)),
        how(
            'Flows, duration (microseconds) and forward packets are exact sums over all flows of the site and day, from view day_totals over table pair_days; sums of sites and days are added up exactly. Pale bars and “on before” are the days from',
            `${before.from} to ${before.to}.`,
            'The same rows:',
            command(
                sql(
                    `select site, day, flows, pairs, flow_duration_us_sum, fwd_pkts_sum from day_totals where ${ofDays} order by day, site`,
                ),
                typed,
            ),
        ),
        markup`<h2 id="pairs">Pairs of devices</h2>\n`,
        table(
            `The ${busiest.length} pairs with the most forward packets`,
            [
                ...PAIR_COLUMNS,
                number('days'),
                number('flows'),
                number('flow_duration_us_sum'),
                number('fwd_pkts_sum'),
                { head: 'share', isNumber: true, cell: ({ fwd_pkts_sum: sum }) => markup`${share(sum, packets)}` },
            ],
            busiest,
        ),
        how(
            'Sums over pair_days of these days; share is that of the forward packets of all pairs shown in the totals above. The same rows:',
            command(`pairs --top ${LISTED}${optionsOf(report)}`, typed),
        ),
        ...changesOf(changes, {
            what: 'pair',
            columns: [
                ...PAIR_COLUMNS,
                number('days'),
                dayColumn('first_day'),
                dayColumn('last_day'),
                number('flows'),
                number('fwd_pkts_sum'),
            ],
        }),
        how(
            `New is a pair that has traffic in these days and had none in the four weeks before (${report.past.from} to ${report.past.to}), at a site that had some. Gone is one that has none in these days, at a site that has some, and had it on five days of those weeks at least and on half of those of its site.`,
            markup`Computed by ${code('sql/flows/queries/pair_changes.sql')}; the figures of a new pair are of these days, those of one that is gone of the weeks before.`,
        ),
        markup`<h2 id="unusual">Unusual days of pairs</h2>\n`,
        unusual.total === 0
            ? markup`<p>None.</p>\n`
            : table(
                  `${unusual.isAll ? '' : 'At least '}${sayCount(unusual.total, 'value')} stood out; the ${unusual.rows.length} with the largest score`,
                  [
                      dayColumn('day'),
                      ...PAIR_COLUMNS,
                      text('measure'),
                      number('value'),
                      number('usual'),
                      number('usual_low'),
                      number('usual_high'),
                      { head: 'score', isNumber: true, cell: ({ score }) => rounded(score) },
                  ],
                  unusual.rows,
              ),
        how(
            'A value is unusual where it is far above that pair’s own last 28 workdays or weekend days with traffic: usual is their median, low and high their quartiles, and the score the distance on a logarithmic scale in standard deviations, 3.5 at least (view pair_anomalies). The same rows:',
            command(`anomalies --limit ${Math.max(1, unusual.total)}${optionsOf(report)}`, typed),
        ),
    ];
}

const FLOW_SUMS = ['flows', 'flow_duration_us_sum', 'fwd_pkts_sum'] as const;

const PAIR_COLUMNS: readonly TableColumn[] = [text('site'), text('src_ip', 'source'), text('dst_ip', 'destination')];

function fleetSections({ sites, days, changes, episodes, hasAllEpisodes }: FleetPart, typed: Typed): Markup[] {
    const { report } = typed;
    const { range, before, site } = report;
    const inRange = days.filter(({ day }) => String(day) >= range.from);
    const where = site === undefined ? '' : ` and site = '${site.replaceAll("'", "''")}'`;
    const readings = `query ${quoteForShell(`select site, day, count(distinct device) as devices, count(distinct metric) as metrics, cast(sum(n) as bigint) as readings from metric_hours where day between '${range.from}' and '${range.to}'${where} group by site, day order by day, site`)}`;
    const counted = countEpisodes(episodes);
    const times = `--from ${range.from} --to ${range.to}${site === undefined ? '' : ` --site ${quoteForShell(site)}`}`;
    return [
        markup`<h2 id="devices">Devices by site and day</h2>\n`,
        ...(days.length === 0
            ? [markup`<p>No readings on these days, or those before them.</p>\n`]
            : [
                  drawDays({ amounts: amountsOf(days, 'readings'), range, before, what: 'Readings' }),
                  drawCalendar({ rows: inRange, column: 'devices', range, sites, what: 'Devices of each site that reported on the day' }),
              ]),
        how(
            'A reading counts once, however often it came; devices are those with one reading at least, from table metric_hours. The same rows:',
            command(readings, typed),
        ),
        ...changesOf(changes, {
            what: 'device',
            columns: [text('site'), text('device'), number('days'), dayColumn('first_day'), dayColumn('last_day'), number('readings')],
        }),
        how(
            `New is a device that has readings in these days and had none in the four weeks before (${report.past.from} to ${report.past.to}), at a site that had some. Gone is one that has none in these days, at a site that has some, and had them on five days of those weeks at least and on half of those of its site.`,
            markup`Computed by ${code('sql/telemetry/queries/device_changes.sql')}.`,
        ),
        markup`<h2 id="alerts">Alerts and silences</h2>\n`,
        ...(episodes.length === 0
            ? [markup`<p>None.</p>\n`]
            : [
                  drawEpisodes(episodes, report),
                  table(
                      'By rule',
                      [text('kind'), text('severity'), text('rule'), number('devices'), number('episodes'), number('open', 'open now')],
                      counted,
                  ),
                  table(
                      episodes.length > MOST_SHOWN_EPISODES
                          ? `The ${MOST_SHOWN_EPISODES} newest of ${hasAllEpisodes ? '' : 'more than '}${episodes.length}, open ones first`
                          : 'All of them, open ones first',
                      [
                          text('state'),
                          text('severity'),
                          text('site'),
                          text('device'),
                          text('rule'),
                          at('began_ms', 'began'),
                          at('ended_ms', 'ended'),
                          long('why'),
                      ],
                      episodes.slice(0, MOST_SHOWN_EPISODES),
                  ),
              ]),
        how(
            'Alerts and silences that lie in these days at least in part, as the rules of the profiles make them of the readings (view all_episodes). Open is what has not ended by now, not by the end of these days. The same rows:',
            command(`alerts ${times} --limit ${episodes.length + 1}`, typed),
        ),
    ];
}

const MOST_SHOWN_EPISODES = 25;
const MOST_SPAN_ROWS = 18;

/** Devices with the longest time in alert or silent, in spans. */
function drawEpisodes(episodes: readonly Row[], { range }: LakeReport): Markup {
    const until = Date.parse(addDays(range.to, 1));
    const spans: Span[] = episodes.map(({ site, device, began_ms: began, ended_ms: ended, kind, severity }) => ({
        row: `${device} (${site})`,
        fromMs: Number(began),
        untilMs: ended === null || ended === undefined ? until : Number(ended),
        colour: kind === 'silent' ? OTHERS : severity === 'critical' ? 2 : severity === 'warning' ? 5 : 1,
    }));
    const lengths = new Map<string, number>();
    for (const { row, fromMs, untilMs } of spans) {
        const inside = Math.min(untilMs, until) - Math.max(fromMs, Date.parse(range.from));
        lengths.set(row, (lengths.get(row) ?? 0) + inside);
    }
    const longest = [...lengths].sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1)).slice(0, MOST_SPAN_ROWS);
    const rows = longest.map(([row]) => row);
    const shown = spans.filter(({ row }) => rows.includes(row)).toSorted((a, b) => rows.indexOf(a.row) - rows.indexOf(b.row));
    const caption =
        lengths.size > rows.length
            ? markup`<p class="none">The ${rows.length} devices of ${lengths.size} that were longest in alert or silent.</p>\n`
            : markup``;
    return markup`${drawSpans(shown, {
        range,
        describes: 'Spans of alerts and silences by device',
        legend: [
            { colour: 2, means: 'critical' },
            { colour: 5, means: 'warning' },
            { colour: 1, means: 'info' },
            { colour: OTHERS, means: 'silent' },
        ],
    })}${caption}`;
}

function countEpisodes(episodes: readonly Row[]): Row[] {
    const groups = groupBy(episodes, ({ kind, severity, rule }) => JSON.stringify([kind, severity, rule]));
    return [...groups.values()]
        .map((of) => ({
            kind: of[0]?.kind ?? null,
            severity: of[0]?.severity ?? null,
            rule: of[0]?.rule ?? null,
            devices: BigInt(new Set(of.map(({ site, device }) => JSON.stringify([site, device]))).size),
            episodes: BigInt(of.length),
            open: BigInt(of.filter(({ state }) => state === 'open').length),
        }))
        .sort((a, b) => Number(b.episodes - a.episodes) || (String(a.rule) < String(b.rule) ? -1 : 1));
}

function qualitySections(typed: Typed): Markup[] {
    const { sources, rejects } = typed.report.sources;
    const failed = sources.filter(({ state }) => state === 'failed');
    return [
        markup`<h2 id="rejects">What could not be used</h2>\n`,
        rejects.length === 0
            ? markup`<p>Every row of these days’ files is in the figures.</p>\n`
            : table(
                  'Rejected rows of these days’ files by reason, each with its first one',
                  [
                      text('reason'),
                      number('reject_count', 'rows'),
                      long('source', 'first in'),
                      number('line_number', 'line'),
                      { head: 'as it was read', isLong: true, cell: ({ line }) => name(cutLine(line)) },
                  ],
                  rejects,
              ),
        ...(failed.length === 0
            ? []
            : [
                  table(
                      `Files that could not be read at all, of whatever days${failed.length > MOST_ROWS ? `: the first ${MOST_ROWS} of ${failed.length}` : ''}`,
                      [long('source'), dayColumn('summarized_at', 'read at'), long('error', 'why')],
                      failed.slice(0, MOST_ROWS),
                  ),
              ]),
        how(
            'From the rejects of each kind of data and table sources, versions that count. A file is one of these days’ where it has a kept row of them. The rows of one file:',
            command('rejects <source>', typed),
        ),
    ];
}

function fileSections(typed: Typed): Markup[] {
    const read = typed.report.sources.sources.filter(({ state }) => state !== 'failed');
    return [
        markup`<h2 id="files">The files behind the figures</h2>\n`,
        read.length === 0
            ? markup`<p>No file has rows of these days.</p>\n`
            : table(
                  `${sayCount(read.length, 'file')} with rows of these days${read.length > MOST_ROWS ? `; the first ${MOST_ROWS}` : ''}`,
                  [
                      long('source'),
                      text('read_as', 'read as'),
                      dayColumn('first_day', 'first'),
                      dayColumn('last_day', 'last'),
                      number('rows_kept', 'kept'),
                      number('rows_rejected', 'rejected'),
                      number('size_bytes', 'bytes'),
                  ],
                  read.slice(0, MOST_ROWS),
              ),
        how(
            'What each figure came from, row by row:',
            command('explain <src> <dst> <day>', typed),
            'What each file said when:',
            command('history <source>', typed),
        ),
    ];
}

/** Every figure of a site and day: long, and therefore at the end. */
function dayTables({ range, flows, fleet }: LakeReport): Markup[] {
    const tableOf = (what: string, rows: readonly Row[], columns: readonly TableColumn[]): Markup[] => {
        const inRange = rows.filter(({ day }) => String(day) >= range.from);
        const caption = inRange.length > MOST_ROWS ? `${what}: the first ${MOST_ROWS} rows of ${inRange.length}` : what;
        return inRange.length === 0 ? [] : [table(caption, [DAY_COLUMN, text('site'), ...columns], inRange.slice(0, MOST_ROWS))];
    };
    const tables = [
        ...tableOf(
            'Flows',
            flows?.totals ?? [],
            ['flows', 'pairs', ...FLOW_SUMS.slice(1)].map((column) => number(column)),
        ),
        ...tableOf(
            'Devices',
            fleet?.days ?? [],
            ['devices', 'metrics', 'readings'].map((column) => number(column)),
        ),
    ];
    return tables.length === 0 ? [] : [markup`<h2 id="days">Every site and day</h2>\n`, ...tables];
}

const DAY_COLUMN: TableColumn = { head: 'day', cell: ({ day }) => markup`<span class="time">${sayDay(String(day))}</span>` };

function changesOf(
    { came, went }: { came: Listed; went: Listed },
    { what, columns }: { what: string; columns: readonly TableColumn[] },
): Markup[] {
    return (
        [
            [came, 'new'],
            [went, 'gone'],
        ] as const
    ).map(([{ rows, total }, said]) =>
        total === 0
            ? markup`<h3>No ${what} is ${said}</h3>\n`
            : markup`<h3>${sayCount(total, what)} ${total === 1 ? 'is' : 'are'} ${said}</h3>\n${table(total > rows.length ? `The ${rows.length} largest` : 'All of them', columns, rows)}`,
    );
}

function amountsOf(rows: readonly Row[], column: string): DayAmount[] {
    return rows.map((row) => ({ day: String(row.day), site: String(row.site), amount: Number(row[column]) }));
}

function sumOf(rows: readonly Row[], column: string): bigint {
    return rows.reduce((sum, row) => sum + BigInt(String(row[column] ?? 0)), 0n);
}

function sumBy(rows: readonly Row[], key: string, columns: readonly string[]): Row[] {
    return [...groupBy(rows, (row) => String(row[key]))]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([value, of]) => ({ [key]: value, ...Object.fromEntries(columns.map((column) => [column, sumOf(of, column)])) }));
}

function share(part: Value | undefined, whole: bigint): string {
    return whole === 0n ? '–' : `${((Number(part) / Number(whole)) * 100).toFixed(1)} %`;
}

const LONGEST_LINE = 160;

function cutLine(line: Value | undefined): string {
    const whole = String(line ?? '');
    return whole.length > LONGEST_LINE ? `${whole.slice(0, LONGEST_LINE)}…` : whole;
}
