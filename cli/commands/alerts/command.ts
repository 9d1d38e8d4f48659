/** `flowlake alerts`: what is wrong with devices, and what was. */
import { defineCommand } from '#cli/command';
import { flag, instant, text, whole } from '#cli/option';

export const alerts = defineCommand({
    name: 'alerts',
    summary: 'the alerts and silences of devices, open ones first',
    details:
        'They are the episodes that the rules of the devices’ profiles make of the readings (docs/profiles.md). Times are UTC; --to is exclusive, and a day means the whole day.',
    arguments: { device: { meaning: 'only this device', count: 'one or none' } },
    options: {
        open: flag('--open', 'only what has not ended'),
        site: text('--site <site>', 'only this site’s devices'),
        from: instant('--from <time>', 'leave out what ended before, YYYY-MM-DDTHH:MM or a day'),
        to: instant('--to <time>', 'leave out what began then or later; of a day its end', { isEnd: true }),
        limit: whole('--limit <n>', 'how many', { fallback: 100 }),
    },
    scans: true,
    examples: [
        { line: 'alerts --open', does: 'what is wrong now' },
        { line: 'alerts thermostat-07 --from 2026-01-05 --to 2026-01-11', does: 'one device’s week' },
    ],
    async run({ arguments: { device }, options, ...context }) {
        const { showAlerts } = await import('./run.ts');
        return showAlerts(device, options, context);
    },
});
