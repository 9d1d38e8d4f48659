/** Shows dead letters of a deployed lake, and takes one out. */
import { Failure, type RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { sayCount } from '#cli/draw/quantity';
import { useLake } from '#cli/use-lake';
import { parseGivenUp } from '#lake/cloud/given-up-news';
import type { BucketLake } from '#lake/lake';
import { type DeadLetter, dropLetter, findLetter, lookAtLetters } from '#lake/work/dead-letters';
import { subjectsOf } from '#lake/work/messages';
import { readTries } from '#lake/work/tries';

/** Prints a row for each letter. @returns 1 where there is one @throws Failure for a lake in a directory */
export async function listLetters({ limit }: { limit: number }, context: RunContext): Promise<number> {
    return withBucket(context, async (lake) => {
        const { letters, unseen } = await lookAtLetters(lake, { max: limit, signal: context.signal });
        const rows = await Promise.all(
            letters.map(async (letter) => {
                const { subject, error } = await describe(letter, lake);
                return [letter.queue, letter.id, subject, letter.sentAt.toISOString(), error];
            }),
        );
        await print(rows, context);
        if (unseen > 0) {
            await context.stderr.write(
                `${sayCount(unseen, 'letter')} more: beyond --limit, held by another command, or behind others of their day\n`,
            );
        }
        return rows.length + unseen > 0 ? 1 : 0;
    });
}

/** Prints one letter and its body. @throws UsageError where there is none of this id */
export async function showLetter(id: string, context: RunContext): Promise<number> {
    return withBucket(context, async (lake) => {
        const letter = await findLetter(lake, id, context);
        const { subject, error } = await describe(letter, lake);
        const columns = ['queue', 'id', 'subject', 'sent_at', 'error', 'group', 'body'].map((name) => ({ name, type: 'varchar' }));
        const row = [letter.queue, letter.id, subject, letter.sentAt.toISOString(), error, letter.group ?? null, letter.body];
        if (context.output === 'table') {
            await context.stdout.write(columns.map(({ name }, at) => `${name}: ${row[at] ?? ''}\n`).join(''));
        } else {
            await printRows({ columns, batches: batchOf([row]) }, context);
        }
        return 0;
    });
}

/** Takes one letter out and prints what it was. @throws UsageError where there is none of this id */
export async function drop(id: string, context: RunContext): Promise<number> {
    return withBucket(context, async (lake) => {
        const letter = await dropLetter(lake, id, context);
        const { subject, error } = await describe(letter, lake);
        await print([[letter.queue, letter.id, subject, letter.sentAt.toISOString(), error]], context);
        await context.stderr.write('Dropped 1 dead letter\n');
        return 0;
    });
}

async function withBucket(context: RunContext, use: (lake: BucketLake) => Promise<number>): Promise<number> {
    return useLake(context, (lake) => {
        if (lake.kind === 'directory') {
            throw new Failure('A lake in a directory has no queues, and no dead letters: what waits there, flowlake status tells');
        }
        return use(lake);
    });
}

async function print(rows: (string | null)[][], context: RunContext): Promise<void> {
    const columns = ['queue', 'id', 'subject', 'sent_at', 'error'].map((name) => ({ name, type: 'varchar' }));
    await printRows({ columns, batches: batchOf(rows) }, context);
}

/** What a letter is of, and why it is one: what the worker noted of its last try, or why nobody can understand it. */
async function describe(
    { queue, id, body, sentAt }: DeadLetter,
    lake: BucketLake,
): Promise<{ subject: string | null; error: string | null }> {
    try {
        if (queue === 'given-up') {
            const [news] = parseGivenUp(body, { id, sentMs: sentAt.getTime(), receiveCount: 1 });
            return news.is === 'range'
                ? { subject: `${news.stream} ${news.shard} ${news.first}-${news.last}`, error: news.condition }
                : { subject: `${news.client} ${news.topic}`, error: news.why };
        }
        const subjects = subjectsOf(queue, body);
        const notes = await Promise.all(subjects.map(async (subject) => readTries(await lake.store(), subject)));
        return { subject: subjects.join(', '), error: notes.find((note) => note !== undefined)?.error ?? null };
    } catch (error) {
        // What JSON.parse says of a text shows a piece of it, cut anywhere: the body itself says more.
        return {
            subject: null,
            error: error instanceof SyntaxError ? 'the message is no JSON' : String(error instanceof Error ? error.message : error),
        };
    }
}
