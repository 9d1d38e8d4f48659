/** The readings of one device as a page: a plot of every metric, and the readings themselves. */
import { fetchSteps, type ReadingsQuestion } from '#cli/device-readings';
import { withoutZeros } from '#cli/draw/for-people';
import { sayCount } from '#cli/draw/quantity';
import type { CollectedRows } from '#lake/collect-rows';
import { quoteForShell } from '#lake/quote-for-shell';
import type { CountedQuestions } from '#lake/reports/ask-counted';
import { type Row, rowsOf } from '#lake/reports/named-rows';
import { STEPS } from '#lake/telemetry/steps';
import { drawSteps } from './charts.ts';
import { closing, code, how, type PageFacts, sayMinute, writeDocument } from './document.ts';
import { figure, name } from './figures.ts';
import { groupBy } from './group-by.ts';
import { type Markup, markup } from './markup.ts';
import { dayColumn, long, number, table, text } from './table.ts';

/** Points of a plot: more are finer than it is wide. */
const MOST_POINTS = 500;
/** Readings that are listed; a page is for reading, and says how all are had. */
const MOST_READINGS = 500;

/** @returns the bytes of the page; without readings it says that there are none */
export async function writeDevicePage(
    rows: CollectedRows,
    question: ReadingsQuestion,
    { lake, madeAt, questions }: PageFacts & { questions: CountedQuestions },
): Promise<Buffer> {
    const { device, metric, site, from, to } = question;
    const readings = rowsOf(rows);
    const times = readings.map((row) => Number(row.at_ms));
    const spanMs = (times.at(-1) ?? 0) - (times[0] ?? 0);
    const [step, stepMs] = [...STEPS].find(([, ms]) => spanMs / ms <= MOST_POINTS) ?? [...STEPS].at(-1) ?? (['1d', 86_400_000] as const);
    const steps = readings.length === 0 ? [] : rowsOf(await fetchSteps(questions, question, { stepMs }));
    const named = { '--metric': metric, '--site': site, '--from': from, '--to': to };
    const options = Object.entries(named).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
    const line = ['flowlake', '--lake', lake, 'export', '--device', device, ...options].map(quoteForShell).join(' ');
    const shown = readings.slice(-MOST_READINGS);
    return writeDocument({
        title: device,
        about: [markup`Readings of the device, in the lake ${name(lake)}. Days and times are of UTC. Made ${sayMinute(madeAt)}.`],
        body: [
            ...(readings.length === 0 ? [markup`<p>No readings in that time.</p>\n`] : plotsOf(steps, { step, stepMs })),
            ...(readings.length === 0
                ? []
                : [
                      markup`<h2>Readings</h2>\n`,
                      table(
                          shown.length < readings.length
                              ? `The last ${shown.length} of ${sayCount(readings.length, 'reading')}`
                              : sayCount(readings.length, 'reading'),
                          [
                              dayColumn('measured_at', 'measured'),
                              text('site'),
                              text('metric'),
                              { ...number('value'), cell: ({ value }) => figure(withoutZeros(value ?? null)) },
                              long('text'),
                              text('clock'),
                              number('copies'),
                          ],
                          shown,
                      ),
                  ]),
            how(
                `A point of a plot is what the readings of ${step} come to: their mean, and the smallest and largest value; where the line is broken there were none. A reading counts once, and copies says how often it came.`,
                'The same rows, all of them:',
                code(line),
            ),
            closing(),
        ],
    });
}

function plotsOf(steps: readonly Row[], { step, stepMs }: { step: string; stepMs: number }): Markup[] {
    return [...groupBy(steps, (row) => JSON.stringify([row.site, row.metric]))].map(([, ofMetric]) => {
        const [first] = ofMetric;
        const points = ofMetric
            .filter((row) => row.mean !== null)
            .map((row) => ({ fromMs: Number(row.from_ms), mean: Number(row.mean), min: Number(row.min), max: Number(row.max) }));
        const heading = markup`<h2>${name(first?.metric)} at ${name(first?.site)}</h2>\n`;
        return points.length === 0
            ? markup`${heading}<p>A metric of texts: its readings are listed below.</p>\n`
            : markup`${heading}${drawSteps(points, { stepMs, describes: `${first?.metric} at ${first?.site}, a point every ${step}` })}`;
    });
}
