/** Waits until raw objects of a deployed lake are in its figures, and tells where they are meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import pMap from 'p-map';
import { NotFoundError, type StorageError } from '#lake/errors';
import { isByTheHour } from '#lake/kinds';
import type { BucketLake } from '#lake/lake';
import { nameOfPeriod } from '#lake/layout';
import type { LedgerRecord } from '#lake/ledger';
import { CALLS_AT_ONCE } from '#lake/store/object-store';
import { lookAtTries, type Tries, type Undone } from '#lake/work/tries';
import { type WorkQueue, workQueuesOf } from '#lake/work/work-queues';
import { openLook, type WayIntoFigures } from './way-into-figures.ts';

export interface AwaitOptions {
    lake: Pick<BucketLake, 'store' | 'queue' | 'hasTelemetry'>;
    signal: AbortSignal;
    now: () => Date;
    events?: FiguresEvents | undefined;
}

/** What is told while somebody waits for figures. */
export interface FiguresEvents {
    /** Called before the first look, and after each one that leaves something to wait for. */
    onLook?: (look: FiguresLook) => Promise<void>;
    /** Called when nothing has moved for a minute, and again after each further one. */
    onStuck?: (stuck: StuckFigures) => Promise<void>;
}

export interface FiguresLook {
    inFigures: number;
    of: number;
    /** How far the raw objects are that are not in the figures yet, by raw key. */
    ways: ReadonlyMap<string, WayIntoFigures>;
}

export interface StuckFigures extends FiguresLook {
    waitedMs: number;
    /** The queues that these raw objects wait for. */
    queues: QueueLook[];
    /** What is noted of the tries at them, and at their periods. */
    tries: Tries[] | StorageError;
}

/** What one of the queues holds. */
export interface QueueLook extends Pick<WorkQueue, 'queue' | 'worker' | 'heldBackSeconds'> {
    waiting: number;
    inFlight: number;
    deadLetters: number;
}

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5_000;

/** Raw objects that are looked at in one round; the others wait behind them. */
const LOOKS_PER_ROUND = 200;

/** Waiting is told to be stuck after a minute: a small file takes seconds, a cold start included. */
const STUCK_AFTER_MS = 60_000;

/** The ledger record of each source by its raw key. @throws NotFoundError where a raw object is taken away meanwhile, and the signal's reason */
export async function awaitFigures(
    keys: readonly string[],
    { lake, signal, now, events }: AwaitOptions,
): Promise<Map<string, LedgerRecord>> {
    const store = await lake.store();
    const records = new Map<string, LedgerRecord>();
    const ways = new Map<string, WayIntoFigures>(keys.map((key) => [key, { stage: 'stored' }]));
    const lookNow = (): FiguresLook => ({ inFigures: records.size, of: keys.length, ways });
    let changedAt = now().getTime();
    let waitMs = FIRST_WAIT_MS;
    await events?.onLook?.(lookNow());
    while (ways.size > 0) {
        const look = openLook(store);
        const looked = await pMap([...ways.keys()].slice(0, LOOKS_PER_ROUND), async (key) => ({ key, way: await look(key) }), {
            concurrency: CALLS_AT_ONCE,
        });
        for (const { key, way } of looked) {
            if (way.stage === 'gone') {
                throw new NotFoundError(`${key} was taken out of the lake while it was waited for`);
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
        await events?.onLook?.(lookNow());
        const waitedMs = now().getTime() - changedAt;
        if (waitedMs >= STUCK_AFTER_MS) {
            const [queues, tries] = await Promise.all([lookAtQueues(ways, lake), lookAtTries(store, undoneOf(ways))]);
            await events?.onStuck?.({ ...lookNow(), waitedMs, queues, tries });
            changedAt = now().getTime();
        }
        await sleep(waitMs, undefined, { signal });
        waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 1.5);
    }
    return records;
}

function undoneOf(ways: ReadonlyMap<string, WayIntoFigures>): Undone {
    const periods = [...ways.values()].flatMap((way) => (way.stage === 'summarized' ? way.periods : []));
    return {
        sources: [...ways].filter(([, { stage }]) => stage === 'stored').map(([key]) => key),
        periods: [...new Map(periods.map((of) => [nameOfPeriod(of), of])).values()],
    };
}

async function lookAtQueues(ways: ReadonlyMap<string, WayIntoFigures>, lake: AwaitOptions['lake']): Promise<QueueLook[]> {
    const isDelayed = await lake.hasTelemetry();
    const periods = [...ways.values()].flatMap((way) => (way.stage === 'summarized' ? way.periods : []));
    const isAwaited: Record<WorkQueue['queue'], boolean> = {
        summarize: [...ways.values()].some(({ stage }) => stage === 'stored'),
        consolidate: periods.some((of) => !isDelayed || !isByTheHour(of)),
        hours: periods.some(isByTheHour),
        'given-up': false,
    };
    const awaited = (await workQueuesOf(lake)).filter(({ queue }) => isAwaited[queue]);
    return Promise.all(awaited.map((queue) => lookAtQueue(lake, queue)));
}

async function lookAtQueue(lake: AwaitOptions['lake'], { queue, worker, live, dead, heldBackSeconds }: WorkQueue): Promise<QueueLook> {
    const [depth, deadDepth] = await Promise.all([(await lake.queue(live)).depth(), (await lake.queue(dead)).depth()]);
    return { queue, worker, heldBackSeconds, ...depth, deadLetters: deadDepth.waiting + deadDepth.inFlight };
}
