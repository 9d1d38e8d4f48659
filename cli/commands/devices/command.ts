/** `flowlake devices`: the devices of the lake. */
import { defineCommand } from '#cli/command';
import { text, whole } from '#cli/option';

export const devices = defineCommand({
    name: 'devices',
    summary: 'the devices that are registered or were heard, and how they are',
    details:
        'state is online, silent (its profile says how often it reports, and it is overdue), or unknown where the profile does not say or nothing was heard of it.',
    arguments: { device: { meaning: 'only this device', count: 'one or none' } },
    options: {
        site: text('--site <site>', 'only this site’s devices'),
        limit: whole('--limit <n>', 'how many devices', { fallback: 100 }),
    },
    scans: true,
    examples: [
        { line: 'devices', does: 'the first hundred, by site and id' },
        { line: 'devices --site berlin --output json', does: 'for a program' },
    ],
    async run({ arguments: { device }, options, ...context }) {
        const { showDevices } = await import('./run.ts');
        return showDevices(device, options, context);
    },
});
