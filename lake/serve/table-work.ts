/** Takes chain objects through to the tables: summarize, consolidate, derive. What fails is kept, tried again, and holds up nothing else. */
import { builtOn, eachOnce } from '#lake/commit/finish';
import { nameOf, type Task } from '#lake/here/tasks';
import { deriveTasks } from '#lake/here/thread-workers';
import type { Outcome, Threads } from '#lake/here/threads';
import type { TablePeriod } from '#lake/layout';
import type { Faults } from './faults.ts';

export interface WorkOptions {
    threads: Threads;
    signal: AbortSignal;
    /** True if all that failed is tried again, due or not. */
    isAsked: boolean;
}

export class TableWork {
    readonly #faults: Faults;
    /** What failed, by its name: an object, a period, or a day of a derived table. */
    readonly #failed = new Map<string, Task>();

    constructor(faults: Faults) {
        this.#faults = faults;
    }

    isAnyUndone(): boolean {
        return this.#failed.size > 0;
    }

    /**
     * Works off the objects and what failed before and is due. @returns objects that were read and of which nothing could be used, their ledger records
     * say why; and days of derived tables that were looked at. @throws the signal's reason
     */
    async workOff(keys: readonly string[], options: WorkOptions): Promise<{ unreadable: string[]; derived: TablePeriod[] }> {
        const due = [...this.#failed].flatMap(([name, task]) => (options.isAsked || this.#faults.mayTry(name) ? [task] : []));
        const unreadable: string[] = [];
        const periods: TablePeriod[] = [];
        for (const { result } of await this.#run([...keys.map(summarizing), ...due.filter(({ kind }) => kind === 'summarize')], options)) {
            periods.push(...(result.summarized?.periods ?? []));
            const record = result.summarized?.record;
            unreadable.push(...(record?.state === 'failed' ? [record.source] : []));
        }
        const merges = eachOnce(periods).map((of): Task => ({ kind: 'consolidate', of }));
        const merged = await this.#run([...merges, ...due.filter(({ kind }) => kind === 'consolidate')], options);
        const days = builtOn(merged.flatMap(({ task }) => (task.kind === 'consolidate' ? [task.of] : [])));
        const done = await this.#run(deriveTasks(eachOnce([...days, ...due.flatMap(daysOf)])), options);
        return { unreadable, derived: done.flatMap(({ result }) => (result.derived ?? []).map(({ of }) => of)) };
    }

    /** Does each task once, and keeps those that fail. @returns the others */
    async #run(tasks: readonly Task[], { threads, signal }: WorkOptions): Promise<Extract<Outcome, { result: unknown }>[]> {
        const each = new Map(tasks.map((task) => [sayTask(task), task]));
        const done: Extract<Outcome, { result: unknown }>[] = [];
        for await (const outcome of each.size > 0 ? threads.run([...each.values()]) : []) {
            signal.throwIfAborted();
            const parts =
                'error' in outcome ? daysOf(outcome.task).map((of) => ({ of, error: outcome.error.message })) : outcome.result.derived;
            for (const part of parts ?? []) {
                this.#note({ kind: 'derive', table: part.of.table, days: [part.of.period] }, 'error' in part ? part.error : undefined);
            }
            if (outcome.task.kind !== 'derive') {
                this.#note(outcome.task, problemOf(outcome));
            }
            done.push(...('error' in outcome ? [] : [outcome]));
        }
        signal.throwIfAborted();
        return done;
    }

    #note(task: Task, error: unknown): void {
        const name = sayTask(task);
        if (error === undefined) {
            this.#failed.delete(name);
            this.#faults.mended(name);
        } else {
            this.#failed.set(name, task);
            this.#faults.failed(name, error);
        }
    }
}

function problemOf(outcome: Outcome): Error | string | undefined {
    if ('error' in outcome) {
        return outcome.error;
    }
    return outcome.result.summarized?.isStrange
        ? 'it has the name of an object of the chain that was read before, and is never read itself: flowlake verify tells which'
        : undefined;
}

function summarizing(key: string): Task {
    return { kind: 'summarize', key };
}

function daysOf(task: Task): TablePeriod[] {
    return task.kind === 'derive' ? task.days.map((period) => ({ table: task.table, period })) : [];
}

function sayTask(task: Task): string {
    return `${task.kind} ${nameOf(task)}`;
}
