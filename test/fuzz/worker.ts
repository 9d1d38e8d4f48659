/** One thread of the fuzzer. */
import { parentPort, workerData } from 'node:worker_threads';
import { readFixtures } from './input.ts';
import { type Problem, type RunResult, runInputs } from './run.ts';

export interface WorkerTask {
    seed: number;
    step: number;
    secondEvery: number;
    /** Time to stop, in milliseconds since 1970. */
    until: number;
    maxInputs: number;
    /** Two whole numbers: how many inputs were begun, and the seed of the last one (-1 where none is being read). */
    state: SharedArrayBuffer;
}

/** What it tells the main thread. */
export type News = { problem: Problem; result?: never } | { result: RunResult; problem?: never };

const { seed, step, secondEvery, until, maxInputs, state }: WorkerTask = workerData;
const shared = new Int32Array(state);

const result = await runInputs({
    seed,
    step,
    secondEvery,
    fixtures: readFixtures(),
    isDone: (inputs) => inputs >= maxInputs || Date.now() >= until,
    onProblem: (problem) => parentPort?.postMessage({ problem } satisfies News),
    onInput: (next) => {
        Atomics.store(shared, 1, next);
        Atomics.add(shared, 0, 1);
    },
});
parentPort?.postMessage({ result } satisfies News);
