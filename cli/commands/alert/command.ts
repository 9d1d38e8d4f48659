/** `flowlake alert list` and `acknowledge`: alerts as they were raised, and what people say of them. */
import { type Command, defineCommand } from '#cli/command';
import { choice, text, whole } from '#cli/option';

const list = defineCommand({
    name: 'alert list',
    summary: 'alerts of a served or deployed lake as they were raised live, with who knows of them and what history says',
    details:
        'flowlake alerts has the history’s own verdict, of all times and lakes. Here history is pending until the readings of the time are in the tables, then confirmed, changed, ' +
        'gone, or added where late readings made an alert that was never raised.',
    arguments: {},
    options: {
        state: choice('--state <state>', 'only open, closed, acknowledged or unacknowledged ones', [
            'open',
            'closed',
            'acknowledged',
            'unacknowledged',
        ]),
        device: text('--device <id>', 'only this device’s'),
        limit: whole('--limit <n>', 'how many', { fallback: 100 }),
    },
    examples: [{ line: 'alert list --state unacknowledged', does: 'what nobody has looked at' }],
    async run({ options, ...context }) {
        const { listAlerts } = await import('./run.ts');
        return listAlerts(options, context);
    },
});

const acknowledge = defineCommand({
    name: 'alert acknowledge',
    summary: 'say that somebody knows of an alert, and what is done',
    arguments: { id: { meaning: 'id of the alert, as alert list shows it', count: 'one' } },
    options: {
        note: text('--note <text>', 'what is known of it, or done; it has to be said'),
        by: text('--by <name>', 'who says so (default: the name of the user)'),
    },
    examples: [{ line: 'alert acknowledge boiler-7~too-warm~1767607200000 --note "valve ordered"', does: 'seen by everybody who asks' }],
    async run({ arguments: { id }, options, ...context }) {
        const { acknowledgeAlert } = await import('./run.ts');
        return acknowledgeAlert(id, options, context);
    },
});

export const alertCommands: readonly Command[] = [list, acknowledge];
