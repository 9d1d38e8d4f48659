/** Reads inputs one after the other until time or number is up, and makes small what is read wrongly. */

import { type Engine, openEngine } from '#lake/verify/engine';
import { type ParquetTable, writeParquet } from '#test/support/parquet-file';
import { compareReadings } from './compare.ts';
import { type FuzzInput, makeInput } from './input.ts';
import { minimize, minimizeTable } from './minimize.ts';
import { addReached, type Reached } from './reach.ts';

export interface RunOptions {
    /** Inputs have the seeds `seed`, `seed + step`, ... */
    seed: number;
    step: number;
    /** The second reader, which is slow, takes every so-manyth input; 0 where none. */
    secondEvery: number;
    fixtures: readonly Buffer[];
    /** Asked before each input. */
    isDone: (inputs: number) => boolean;
    /** Called with what is wrong when it is found. */
    onProblem?: (problem: Problem) => void;
    /** Called with each input before it is read. */
    onInput?: (seed: number) => void;
}

export interface Problem {
    input: FuzzInput;
    /** What is wrong with the input as it is now, made small. */
    problem: string;
}

export interface RunResult {
    inputs: number;
    secondInputs: number;
    bytes: number;
    problems: Problem[];
    reached: Reached;
}

/** After so many problems there is enough to mend. */
const MAX_PROBLEMS = 5;

/** Asking the second reader takes long. */
const MAX_TRIES = { first: 3000, second: 400 };

export async function runInputs({ seed, step, secondEvery, fixtures, isDone, onInput, onProblem }: RunOptions): Promise<RunResult> {
    const engine = secondEvery > 0 ? await openEngine() : undefined;
    const result: RunResult = { inputs: 0, secondInputs: 0, bytes: 0, problems: [], reached: {} };
    try {
        for (let next = seed; !isDone(result.inputs) && result.problems.length < MAX_PROBLEMS; next += step) {
            onInput?.(next);
            const input = makeInput(next, fixtures);
            const asked = engine && result.inputs % secondEvery === 0 ? engine : undefined;
            const outcome = await compareReadings(input, asked);
            addReached(result.reached, input, outcome);
            result.inputs += 1;
            result.secondInputs += asked ? 1 : 0;
            result.bytes += input.bytes.length;
            if (outcome.problem !== undefined) {
                onInput?.(-1);
                const problem = await makeSmall(input, outcome.problem, asked);
                result.problems.push(problem);
                onProblem?.(problem);
            }
        }
    } finally {
        await engine?.close();
    }
    return result;
}

/** The input without what the problem does not need. */
async function makeSmall(input: FuzzInput, problem: string, engine: Engine | undefined): Promise<Problem> {
    const who = problem.slice(0, WHO_LENGTH);
    const find = async (less: FuzzInput): Promise<string | undefined> => {
        const outcome = await compareReadings(less, engine);
        return outcome.problem?.startsWith(who) === true ? outcome.problem : undefined;
    };
    const maxTries = who.includes('second') ? MAX_TRIES.second : MAX_TRIES.first;
    const ofTable = (table: ParquetTable): FuzzInput => ({ ...input, table, bytes: writeParquet(table) });
    const ofBytes = (bytes: Buffer): FuzzInput => ({ ...input, bytes });
    const small = input.table
        ? ofTable(await minimizeTable(input.table, async (less) => (await find(ofTable(less))) !== undefined, { maxTries }))
        : ofBytes(await minimize(input.bytes, async (less) => (await find(ofBytes(less))) !== undefined, { maxTries }));
    return { input: small, problem: (await find(small)) ?? problem };
}

/** Length of the words in front of a problem that say whose it is: `the first reader`. */
const WHO_LENGTH = 'the second'.length;
