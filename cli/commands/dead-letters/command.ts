/** `flowlake dead-letters list`, `show` and `drop`: messages that could not be worked off, one by one. */
import { type Command, defineCommand } from '#cli/command';
import { whole } from '#cli/option';

const id = { meaning: 'id of the letter as dead-letters list shows it, or the beginning of it', count: 'one' } as const;

const list = defineCommand({
    name: 'dead-letters list',
    summary: 'messages that could not be worked off: what each is of, and its last error (s3:// lakes)',
    details:
        'Letters are held while they are looked at, up to two minutes where the command is killed, and are where they were after it. Of the letters of one day, and of one hour, ten at a time can be seen. ' +
        'flowlake redrive <id> brings one back, flowlake redrive all of them.',
    arguments: {},
    options: { limit: whole('--limit <n>', 'how many of each queue', { fallback: 100 }) },
    examples: [{ line: '--lake s3://my-lake dead-letters list', does: 'what lies dead, and why' }],
    async run({ options, ...context }) {
        const { listLetters } = await import('./run.ts');
        return listLetters(options, context);
    },
});

const show = defineCommand({
    name: 'dead-letters show',
    summary: 'one dead letter as it was sent, with the last error (s3:// lakes)',
    arguments: { id },
    options: {},
    examples: [{ line: '--lake s3://my-lake dead-letters show 5f1e', does: 'the whole message whose id begins so' }],
    async run({ arguments: given, options: _, ...context }) {
        const { showLetter } = await import('./run.ts');
        return showLetter(given.id, context);
    },
});

const drop = defineCommand({
    name: 'dead-letters drop',
    summary: 'take one dead letter out for good (s3:// lakes)',
    details:
        'For what is none of this lake’s, or needs no work any more. A raw file stays where it is: flowlake reconcile would send it again. What was given up of a stream is lost with its letter.',
    arguments: { id },
    options: {},
    examples: [{ line: '--lake s3://my-lake dead-letters drop 5f1e', does: 'gone, and said what it was' }],
    async run({ arguments: given, options: _, ...context }) {
        const { drop: dropOne } = await import('./run.ts');
        return dropOne(given.id, context);
    },
});

export const deadLetterCommands: readonly Command[] = [list, show, drop];
