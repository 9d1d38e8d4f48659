/** Waits until raw objects of a deployed lake are in its figures, and shows where they are meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import pMap from 'p-map';
import { type Context, Failure } from '#cli/command';
import { sayCount, sayDuration } from '#cli/draw/quantity';
import { openStatusLine } from '#cli/draw/status-line';
import type { BucketLake } from '#cli/lake';
import type { LedgerRecord } from '#lake/ledger';
import { CALLS_AT_ONCE } from '#lake/store/object-store';
import { openLook, type WayIntoFigures } from './way-into-figures.ts';

export interface AwaitOptions {
    lake: BucketLake;
    context: Pick<Context, 'stderr' | 'signal' | 'now'>;
}

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5_000;

/** So many are looked at in one round; the others wait behind them. */
const LOOKS_PER_ROUND = 200;

/** A small file takes seconds, a cold start included. */
const STUCK_AFTER_MS = 60_000;

/** Returns the ledger record of each source by its raw key. @throws Failure where a raw object is taken away meanwhile. */
export async function awaitFigures(keys: readonly string[], { lake, context }: AwaitOptions): Promise<Map<string, LedgerRecord>> {
    const { signal, now, stderr } = context;
    const store = await lake.store();
    const line = openStatusLine(stderr);
    const records = new Map<string, LedgerRecord>();
    const ways = new Map<string, WayIntoFigures>(keys.map((key) => [key, { stage: 'stored' }]));
    let changedAt = now().getTime();
    let waitMs = FIRST_WAIT_MS;
    try {
        while (ways.size > 0) {
            const look = openLook(store);
            const looked = await pMap([...ways.keys()].slice(0, LOOKS_PER_ROUND), async (key) => ({ key, way: await look(key) }), {
                concurrency: CALLS_AT_ONCE,
            });
            for (const { key, way } of looked) {
                if (way.stage === 'gone') {
                    throw new Failure(`${key} was taken out of the lake while it was waited for`);
                }
                if (way.stage !== ways.get(key)?.stage) {
                    changedAt = now().getTime();
                    waitMs = FIRST_WAIT_MS;
                }
                ways.set(key, way);
                if (way.stage === 'in figures') {
                    records.set(key, way.record);
                    ways.delete(key);
                }
            }
            if (ways.size === 0) {
                break;
            }
            await line.draw(`Waiting for the figures: ${records.size} of ${keys.length} in, ${sayStages(ways)}`);
            if (now().getTime() - changedAt >= STUCK_AFTER_MS) {
                for (const text of await explainStuck(ways, { lake, waitedMs: now().getTime() - changedAt })) {
                    await line.say(text);
                }
                changedAt = now().getTime();
            }
            await sleep(waitMs, undefined, { signal });
            waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 1.5);
        }
        return records;
    } catch (error) {
        if (signal.aborted) {
            await line.say(
                `${records.size} of ${sayCount(keys.length, 'file')} in the figures, ${sayStages(ways)}; the lake goes on by itself: flowlake status`,
            );
        }
        throw error;
    } finally {
        await line.clear();
    }
}

/** `2 stored, 1 summarized`. */
function sayStages(ways: ReadonlyMap<string, WayIntoFigures>): string {
    const stages = [...ways.values()].map(({ stage }) => stage);
    return (['stored', 'summarized'] as const)
        .map((stage) => ({ stage, count: stages.filter((other) => other === stage).length }))
        .filter(({ count }) => count > 0)
        .map(({ stage, count }) => `${count} ${stage}`)
        .join(', ');
}

/** Which files wait for what, and what the queues say of it. */
async function explainStuck(
    ways: ReadonlyMap<string, WayIntoFigures>,
    { lake, waitedMs }: { lake: BucketLake; waitedMs: number },
): Promise<string[]> {
    const shown = [...ways].slice(0, 5).map(([key, way]) => {
        const where =
            way.stage === 'summarized' ? `summarized, but not yet in ${way.days.slice(0, 3).join(', ')}` : 'stored, but not summarized';
        return `  ${key}: ${where}`;
    });
    const isWaitingFor = (stage: WayIntoFigures['stage']): boolean => [...ways.values()].some((way) => way.stage === stage);
    return [
        `Nothing has moved for ${sayDuration(waitedMs)}:`,
        ...shown,
        ...(ways.size > shown.length ? [`  and ${ways.size - shown.length} more`] : []),
        ...(isWaitingFor('stored') ? [await explainQueue(lake, 'summarize')] : []),
        ...(isWaitingFor('summarized') ? [await explainQueue(lake, 'consolidate')] : []),
    ];
}

/** What the depth of a queue and of its dead letters means for who waits. */
async function explainQueue(lake: BucketLake, which: 'summarize' | 'consolidate'): Promise<string> {
    const { waiting, inFlight } = await (await lake.queue(`${which}Queue`)).depth();
    const dead = await (await lake.queue(`${which}DeadLetters`)).depth();
    if (dead.waiting + dead.inFlight > 0) {
        return `  ${sayCount(dead.waiting + dead.inFlight, `${which} message`)} could not be worked off: the log of the ${which} function tells why; then flowlake redrive`;
    }
    if (inFlight > 0) {
        // SQS does not tell which of the two: whoever fails is hidden until its next try, as whoever is worked on is.
        return `  ${sayCount(inFlight, `${which} message`)} in work or between tries, ${waiting} wait behind: a large file, many, or one that fails (the log of the ${which} function tells); it goes on without this command`;
    }
    if (waiting > 0) {
        return `  ${sayCount(waiting, 'message waits', 'messages wait')} for the ${which} function, which takes none: is it throttled or disabled? flowlake doctor tells`;
    }
    return `  no message is on its way to the ${which} function: flowlake reconcile sends it again; flowlake doctor tells whether the bucket does`;
}
