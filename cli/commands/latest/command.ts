/** `flowlake latest`: what devices measured last, and how they are. */
import { defineCommand } from '#cli/command';
import { choice, text, whole } from '#cli/option';

export const latest = defineCommand({
    name: 'latest',
    summary: 'latest state of a served or deployed lake: every device, or the metrics of one',
    details:
        'Seconds old, where flowlake readings and devices ask the tables. A device is online until its next message is due by its profile, then late, then silent; unknown where its ' +
        'profile names no interval, where latest state stands still, and where nobody serves the lake. Times are UTC.',
    arguments: { device: { meaning: 'the metrics of this device', count: 'one or none' } },
    options: {
        state: choice('--state <state>', 'only devices in this state: online, late, silent or unknown', [
            'online',
            'late',
            'silent',
            'unknown',
        ]),
        site: text('--site <site>', 'only this site’s devices'),
        limit: whole('--limit <n>', 'how many devices', { fallback: 100 }),
    },
    examples: [
        { line: 'latest', does: 'who is there, and how they are' },
        { line: 'latest boiler-7', does: 'what it measured last' },
        { line: 'latest --state silent', does: 'who should have reported' },
    ],
    async run({ arguments: { device }, options, ...context }) {
        const { showLatest } = await import('./run.ts');
        return showLatest(device, options, context);
    },
});
