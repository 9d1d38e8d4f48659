/** `flowlake ui`: the lake in a browser. */
import { defineCommand } from '#cli/command';
import { whole } from '#cli/option';

export const ui = defineCommand({
    name: 'ui',
    summary: 'look at the lake in a browser: what changed, devices, pairs, alerts, SQL',
    details:
        'For any lake, and only reads it. It prints an address to open; it listens on this machine alone, nothing of the pages is asked from anywhere else, and who has not the ' +
        'token of the address sees nothing. It runs until Ctrl-C. serve has the same pages, with what happens as it happens. On AWS every page says what it will scan before it asks.',
    endsBySignal: true,
    arguments: {},
    options: {
        port: whole('--port <port>', 'port to listen on; 0 for any free one', { fallback: 0, min: 0 }),
    },
    examples: [
        { line: 'ui', does: 'prints the address of this lake’s pages' },
        { line: 'ui --port 8000', does: 'at the same address each time, but for its token' },
    ],
    async run({ options, ...context }) {
        const { showLake } = await import('./run.ts');
        return showLake(options, context);
    },
});
