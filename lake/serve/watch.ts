/**
 * Watches for what does not come: raises silences whose time has passed, and one alarm where latest state itself stands still. It believes no clock alone: a
 * machine that was switched off or asleep, or whose clock was set, gives each device its whole interval again.
 */
import { type LiveClock, PIPELINE_LATE_MS } from '#lake/live/device-state';
import type { LiveProfiles } from '#lake/live/live-profiles';
import { raiseAwaited } from '#lake/live/silences';
import type { StateOfDevice } from '#lake/live/state-store';
import type { Progress } from './latest-consumer.ts';
import type { StateDatabase } from './state-database.ts';
import type { StateQueries } from './state-queries.ts';

const TICK_MS = 1_000;

/** The machine's clock was set, or the machine slept, where it and a clock that never goes back differ by more than this. */
const JUMP_MS = 3_000;

/** Ticks from one tidying up to the next. */
const TIDY_EVERY = 60;

export interface WatchOptions {
    state: Pick<StateDatabase, 'read' | 'write' | 'notePipeline' | 'pipelineLateSince' | 'noteStates' | 'tidy'>;
    queries: Pick<StateQueries, 'awaited' | 'states'>;
    profiles: Pick<LiveProfiles, 'open'>;
    /** How far the consumer is. */
    progress: () => Progress;
    /** The machine's clock, UTC epoch milliseconds. */
    now: () => number;
    /** Milliseconds of a clock that never goes back. */
    monotonicMs: () => number;
    /** Is told what a person should know. */
    onFault: (what: string) => void;
}

export class Watch {
    readonly #options: WatchOptions;
    #timer: NodeJS.Timeout | undefined;
    #running: Promise<void> | undefined;
    #watchedSinceMs: number;
    /** The two clocks as they were compared last. */
    #last: { nowMs: number; monotonicMs: number };
    #lateSinceMs: number | undefined;
    #fault: string | undefined;
    /** States of devices at the last look. */
    #states: Map<string, StateOfDevice> | undefined;
    #ticks = 0;

    constructor(options: WatchOptions) {
        this.#options = options;
        this.#watchedSinceMs = options.now();
        this.#last = { nowMs: this.#watchedSinceMs, monotonicMs: options.monotonicMs() };
    }

    /** Watches once a second from now on. */
    start(): void {
        this.#timer = setInterval(() => {
            this.#running ??= this.tick().finally(() => {
                this.#running = undefined;
            });
        }, TICK_MS);
        this.#timer.unref();
    }

    async stop(): Promise<void> {
        clearInterval(this.#timer);
        await this.#running;
    }

    /** What time it is for latest state: by this the states of devices are told. */
    clock(): LiveClock {
        const { now, monotonicMs, progress, onFault } = this.#options;
        const [nowMs, steadyMs] = [now(), monotonicMs()];
        const jumpMs = nowMs - this.#last.nowMs - (steadyMs - this.#last.monotonicMs);
        this.#last = { nowMs, monotonicMs: steadyMs };
        if (Math.abs(jumpMs) > JUMP_MS) {
            onFault(
                `the machine's clock went ${jumpMs > 0 ? 'ahead' : 'back'} by ${Math.abs(Math.round(jumpMs / 1000))} s: silences are counted from now on`,
            );
            this.#watchedSinceMs = nowMs;
        }
        const { watermarkMs, behindMs } = progress();
        return { nowMs, watermarkMs, watchedSinceMs: this.#watchedSinceMs, isPipelineLate: behindMs > PIPELINE_LATE_MS };
    }

    /** Counts silences from now on, as after a time in which no device could reach this machine. */
    watchAnew(): void {
        this.#watchedSinceMs = this.#options.now();
    }

    /** Looks once. What cannot be written now is tried with the next look. */
    async tick(): Promise<void> {
        const { state, queries, profiles } = this.#options;
        try {
            this.#lookAtPipeline(this.clock());
            if (this.#lateSinceMs === undefined) {
                await raiseAwaited({
                    state,
                    profiles,
                    awaited: (clock, limit) => queries.awaited(clock, limit),
                    clock: () => this.clock(),
                });
                this.#tellStates(this.clock());
            }
            this.#ticks += 1;
            if (this.#ticks % TIDY_EVERY === 0) {
                this.#options.state.tidy(this.#options.now());
            }
            this.#fault = undefined;
        } catch (error) {
            const fault = error instanceof Error ? error.message : String(error);
            if (fault !== this.#fault) {
                this.#options.onFault(`silences cannot be raised, and are tried again: ${fault}`);
            }
            this.#fault = fault;
        }
    }

    #lookAtPipeline({ nowMs, watermarkMs, isPipelineLate }: LiveClock): void {
        const { state, progress, onFault } = this.#options;
        const sinceMs = this.#lateSinceMs ?? state.pipelineLateSince();
        if (isPipelineLate) {
            const why = progress().fault ?? 'messages come faster than they are taken';
            this.#lateSinceMs = sinceMs ?? watermarkMs;
            if (state.notePipeline({ kind: 'pipeline_late', since_ms: this.#lateSinceMs, why }, nowMs)) {
                onFault(`latest state is late since ${new Date(this.#lateSinceMs).toISOString()}: ${why}`);
            }
        } else if (sinceMs !== undefined) {
            // Nobody knows whether devices could reach the inbox in the meantime.
            this.watchAnew();
            this.#lateSinceMs = undefined;
            if (state.notePipeline({ kind: 'pipeline_on_time', since_ms: sinceMs, why: 'latest state is level with the inbox' }, nowMs)) {
                onFault('latest state is on time again');
            }
        }
    }

    /** Tells of devices that are in another state than at the last look. The first look tells nothing: whoever begins to listen looks at all of them. */
    #tellStates(clock: LiveClock): void {
        const { state, queries } = this.#options;
        const before = this.#states;
        const now = queries.states(clock);
        this.#states = new Map(now.map((device) => [device.device, device.state]));
        const changed = before ? now.filter((device) => before.get(device.device) !== device.state) : [];
        state.noteStates(
            changed.map((device) => ({ kind: 'state', ...device })),
            clock.nowMs,
        );
    }
}
