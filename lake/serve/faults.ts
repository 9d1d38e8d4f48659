/** What `serve` could not do, why, and when it is tried again: later and later, for as long as it fails. */

/** 10 s, 1, 5 and then every 15 minutes, as messages of a deployed lake come back. */
const TRY_AGAIN_AFTER_MS = [10_000, 60_000, 5 * 60_000] as const;
const LATEST_TRY_MS = 15 * 60_000;

export interface Fault {
    /** What cannot be done. */
    what: string;
    message: string;
    /** The time of its first failure, by the machine's clock. */
    since: Date;
    tries: number;
    nextTryAt: Date;
}

export class Faults {
    readonly #now: () => Date;
    /** Milliseconds of a clock that never jumps. */
    readonly #ticks: () => number;
    readonly #all = new Map<string, Fault & { dueAtTick: number }>();

    constructor({ now, ticks }: { now: () => Date; ticks: () => number }) {
        this.#now = now;
        this.#ticks = ticks;
    }

    failed(what: string, error: unknown): void {
        const { since = this.#now(), tries = 0 } = this.#all.get(what) ?? {};
        const waitMs = TRY_AGAIN_AFTER_MS[tries] ?? LATEST_TRY_MS;
        const message = error instanceof Error ? error.message : String(error);
        const nextTryAt = new Date(this.#now().getTime() + waitMs);
        this.#all.delete(what);
        this.#all.set(what, { what, message, since, tries: tries + 1, nextTryAt, dueAtTick: this.#ticks() + waitMs });
    }

    mended(what: string): void {
        this.#all.delete(what);
    }

    /** True if it never failed, or may be tried again. */
    mayTry(what: string): boolean {
        return (this.#all.get(what)?.dueAtTick ?? Number.NEGATIVE_INFINITY) <= this.#ticks();
    }

    /** Milliseconds until the first of them is due, infinitely many where there are none. */
    untilNext(): number {
        return Math.min(...[...this.#all.values()].map(({ dueAtTick }) => dueAtTick)) - this.#ticks();
    }

    find(what: string): Fault | undefined {
        return this.#all.get(what);
    }

    /** The faults that hold, the one that failed last at the end. */
    list(): Fault[] {
        return [...this.#all.values()].map(({ dueAtTick: _, ...fault }) => fault);
    }
}
