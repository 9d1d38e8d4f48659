/**
 * A look at what does not come: raises silences whose time has passed, tells of devices that are in another state, and one alarm where latest state itself stands still. Then what
 * history says of alerts is brought up. What does not fit in the time of one look is done by the next one.
 */
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { FleetCount } from '#lake/cloud/state-queries';
import type { CloudWatch } from '#lake/cloud/state-watch';
import { JUDGED_AFTER_MS } from '#lake/cloud/state-watch';
import type { PlaceOf } from '#lake/cloud/stream-progress';
import { dayOf } from '#lake/layout';
import { type LiveClock, PIPELINE_LATE_MS } from '#lake/live/device-state';
import { judgeHistory } from '#lake/live/judge-history';
import type { LiveProfiles } from '#lake/live/live-profiles';
import { raiseAwaited } from '#lake/live/silences';
import type { LiveEvent, StateStore } from '#lake/live/state-store';
import { toldState, withState } from '#lake/live/told-states';
import type { ObjectStore } from '#lake/store/object-store';
import { episodes } from '#lake/telemetry/derived-tables';
import type { Log } from '#lambdas/batch';
import type { MetricSink } from '#lambdas/figures';

/** A fleet of up to so many devices is counted with each look, a larger one as often as COUNT_EVERY_MS says: a look at a device is half a read unit. */
const MAX_COUNTED_ALWAYS = 20_000;
const COUNT_EVERY_MS = 5 * 60_000;

/** Days of episodes that are compared: an older one changes by an upload alone, and nobody waits for a verdict then. */
const DAYS_BACK = 30;
const DAY_MS = 86_400_000;

/** How many devices there were at the last count, and what time it was then. */
type DeviceCount = NonNullable<Awaited<ReturnType<CloudWatch['lastCount']>>>;

export interface LookOptions {
    watch: CloudWatch;
    state: StateStore;
    profiles: Pick<LiveProfiles, 'open'>;
    /** The lake. */
    store: ObjectStore;
    /** The arrival before which everything is in latest state, UTC epoch milliseconds. */
    watermark: (placeOf: PlaceOf) => Promise<number>;
    /** The machine's clock, UTC epoch milliseconds. */
    now: () => number;
    /** Aborted when no more work may be begun. */
    signal: AbortSignal;
    log: Log;
    metrics: MetricSink;
}

/** Looks once. Safe to repeat, and to be cut off anywhere. @throws StorageError where it cannot be told how things are */
export async function look(options: LookOptions): Promise<void> {
    const { watch, state, profiles, now, signal, log, metrics } = options;
    const clock = await lookAtPipeline(options);
    metrics.addMetric('PipelineLate', MetricUnit.Count, Number(clock.isPipelineLate));
    metrics.addMetric('PipelineLagMs', MetricUnit.Milliseconds, clock.nowMs - clock.watermarkMs);
    if (clock.isPipelineLate) {
        return;
    }
    const last = await watch.lastCount();
    const raised = await raiseAwaited({
        ...{ state, profiles },
        awaited: (at, limit) => watch.awaited(at, limit),
        clock: () => ({ ...clock, nowMs: now() }),
        tell: (change, before) => withState(change, toldState(before, last?.clock ?? clock), clock),
        isOver: () => signal.aborted,
    });
    metrics.addMetric('SilencesRaised', MetricUnit.Count, raised);
    try {
        await countDevices(clock, last, options);
        await judgeAlerts(clock.nowMs, options);
    } catch (error) {
        if (!signal.aborted) {
            throw error;
        }
        log.info('goes on with the next look', { raised });
    }
}

/** What time it is; who asks for states is told by it. */
async function lookAtPipeline({ watch, watermark, now, log }: LookOptions): Promise<LiveClock> {
    const last = await watch.lastLook();
    const waitingSinceMs = await watermark(await watch.places());
    const nowMs = now();
    const isPipelineLate = nowMs - waitingSinceMs > PIPELINE_LATE_MS;
    const isOnTimeAgain = !isPipelineLate && last?.lateSinceMs !== undefined;
    const clock = {
        nowMs,
        watermarkMs: isPipelineLate ? waitingSinceMs : nowMs,
        // Behind a late pipeline nobody knows whether devices could reach it: each has its whole interval again.
        watchedSinceMs: last && !isOnTimeAgain ? last.clock.watchedSinceMs : nowMs,
        isPipelineLate,
    };
    await watch.noteLook(clock);
    if (isPipelineLate) {
        const why = 'messages come faster than they are taken, or function latest fails: its alarm and its log say which';
        if (await watch.notePipeline({ kind: 'pipeline_late', since_ms: waitingSinceMs, why }, nowMs)) {
            log.warn('latest state is late', { since: new Date(waitingSinceMs).toISOString() });
        }
    } else if (last?.lateSinceMs !== undefined) {
        const event = { kind: 'pipeline_on_time', since_ms: last.lateSinceMs, why: 'latest state is level with the stream' } as const;
        await watch.notePipeline(event, nowMs);
        log.info('latest state is on time again', {});
    }
    return clock;
}

/** Counts devices by state, and tells of those that are in another state than before. The first count tells of none: whoever begins to listen looks at all of them. */
async function countDevices(clock: LiveClock, last: DeviceCount | undefined, { watch, signal, metrics }: LookOptions): Promise<void> {
    if (last && last.count > MAX_COUNTED_ALWAYS && clock.nowMs - last.clock.nowMs < COUNT_EVERY_MS) {
        return;
    }
    const counted = new FleetCount();
    const changed: (LiveEvent & { kind: 'state' })[] = [];
    for await (const { before, ...device } of watch.devices(clock, last?.clock ?? clock)) {
        signal.throwIfAborted();
        counted.add(device);
        if (last && before !== device.state) {
            changed.push({ kind: 'state', device: device.device, site: device.site, state: device.state });
        }
    }
    await watch.noteStates(changed, clock.nowMs);
    const counts = counted.counts();
    await watch.noteCount(counts, clock);
    for (const [state, count] of Object.entries(counts.devices)) {
        metrics.addMetric(`Devices${state.charAt(0).toUpperCase()}${state.slice(1)}`, MetricUnit.Count, count);
    }
}

/** Has history judge the alerts of days whose episodes are others than before, once at first and once more when all messages of their time are in the tables. */
async function judgeAlerts(nowMs: number, { watch, store, signal, metrics }: LookOptions): Promise<void> {
    const judged = await watch.judgedDays();
    const from = new Date(nowMs - DAYS_BACK * DAY_MS).toISOString().slice(0, 'yyyy-mm-dd'.length);
    const days = Object.fromEntries(Object.entries(judged).filter(([day]) => day >= from));
    let count = 0;
    for await (const { key, etag: listed } of store.list(episodes.prefix)) {
        const day = dayOf(key);
        const etag = day !== undefined && day >= from ? (listed ?? (await store.head(key))?.etag) : undefined;
        if (day === undefined || etag === undefined) {
            continue;
        }
        const known = days[day];
        const seenMs = known?.etag === etag ? known.seenMs : nowMs;
        const isRipe = nowMs - seenMs >= JUDGED_AFTER_MS && (known?.judgedMs ?? 0) < seenMs + JUDGED_AFTER_MS;
        if (known?.etag !== etag || isRipe) {
            signal.throwIfAborted();
            await judgeHistory({ store, state: watch.judgedAt(nowMs, signal), days: [day], nowMs });
            days[day] = { etag, seenMs, judgedMs: nowMs };
            await watch.noteJudged(days);
            count += 1;
        }
    }
    metrics.addMetric('DaysJudged', MetricUnit.Count, count);
}
