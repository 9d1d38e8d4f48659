/** `flowlake readings`: what a device measured. */
import { defineCommand } from '#cli/command';
import { choice, flag, instant, text, whole } from '#cli/option';
import { DEFAULT_LAST, STEPS } from '#lake/telemetry/steps';

export const readings = defineCommand({
    name: 'readings',
    summary: 'what a device measured, reading by reading or in steps of time',
    details:
        'Without --from the newest readings are shown, as many as --last says. With --every a row tells of each step how many readings there were, the smallest, ' +
        'the largest and the mean. --plot draws one metric; without --every it chooses the step. Times are UTC; --to is exclusive, and a day means the whole day.',
    arguments: { device: { meaning: 'the device’s id', count: 'one' } },
    options: {
        metric: text('--metric <metric>', 'only this metric'),
        site: text('--site <site>', 'only this site’s device; two sites may have one id'),
        from: instant('--from <time>', 'first time that counts, YYYY-MM-DDTHH:MM or a day'),
        to: instant('--to <time>', 'time before which readings count; of a day its end', { isEnd: true }),
        every: choice('--every <step>', 'a row for each step: 1m, 5m, 15m, 1h, 6h or 1d', [...STEPS.keys()]),
        plot: flag('--plot', 'draw the metric over time instead of listing rows'),
        last: whole('--last <n>', 'how many readings are listed, the newest', { fallback: DEFAULT_LAST }),
    },
    scans: true,
    examples: [
        { line: 'readings thermostat-07', does: 'its newest 100 readings' },
        { line: 'readings thermostat-07 --metric temperature --from 2026-01-05 --to 2026-01-11 --plot', does: 'a week as a plot' },
        {
            line: 'readings thermostat-07 --metric temperature --from 2026-01-05 --every 15m --output csv',
            does: 'quarters of an hour as CSV',
        },
    ],
    async run({ arguments: { device }, options, ...context }) {
        const { showReadings } = await import('./run.ts');
        return showReadings(device, options, context);
    },
});
