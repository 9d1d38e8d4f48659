/**
 * `npm run fuzz`: reads made and changed files with both readers of the lake and with a plain one that follows docs/reading.md, on every
 * core, and stops at what they do not agree on. `-- --minutes N` (1), `--seed S`, `--inputs N` instead of minutes, `--second-every N` (50).
 * `-- --golden NAME --bytes BASE64 [--date-order O] [--duration-unit U] [--about TEXT]` makes a golden case of an input.
 * `-- --golden-anew` writes what the golden cases expect once more, after docs/reading.md and its plain reader have changed.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { makeChain, stepsPerByte } from './chains.ts';
import { drawFrom } from './draw.ts';
import { renewGolden, writeGolden } from './golden.ts';
import { readFixtures } from './input.ts';
import type { PlainOptions } from './plain-reader.ts';
import { mergeReached, TO_REACH } from './reach.ts';
import { type Problem, type RunResult, runInputs } from './run.ts';
import { type Counted, countSteps } from './steps.ts';
import type { News, WorkerTask } from './worker.ts';

const { values } = parseArgs({
    options: {
        minutes: { type: 'string', default: '1' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
        inputs: { type: 'string' },
        'second-every': { type: 'string', default: '50' },
        golden: { type: 'string' },
        'golden-anew': { type: 'boolean', default: false },
        bytes: { type: 'string', default: '' },
        about: { type: 'string', default: 'Found by the fuzzer.' },
        'date-order': { type: 'string' },
        'duration-unit': { type: 'string' },
    },
});

/** An input that takes so long hangs: the longest take a tenth of a second. */
const HANG_MS = 60_000;
const TELL_EVERY_MS = 10_000;

/** How many inputs are read with V8's counters on, and how many chains: both are slow. */
const COUNTED_INPUTS = 500;
const COUNTED_CHAINS = 40;
const CHAIN_BYTES = 16_000;

/** Plain rows take less than one, quoted ones a few: a reader that goes over bytes again for each line takes thousands. */
const MAX_STEPS_PER_BYTE = 60;

if (values['golden-anew']) {
    console.log(`Changed: ${(await renewGolden()).join(', ') || 'nothing'}`);
} else {
    process.exit(values.golden === undefined ? await fuzz() : await makeGolden(values.golden));
}

async function fuzz(): Promise<number> {
    const seed = whole('seed', values.seed);
    const inputs = values.inputs === undefined ? undefined : whole('inputs', values.inputs);
    const until = inputs === undefined ? Date.now() + Number(values.minutes) * 60_000 : Number.POSITIVE_INFINITY;
    const threads = inputs === undefined ? availableParallelism() : Math.min(availableParallelism(), inputs);
    console.log(`seed ${seed}, ${threads} threads${inputs === undefined ? `, ${values.minutes} minutes` : `, ${inputs} inputs`}`);
    const startedAt = Date.now();
    const results = await Promise.all(
        Array.from({ length: threads }, (_, thread) =>
            runThread({
                seed: seed + thread,
                step: threads,
                secondEvery: whole('second-every', values['second-every']),
                until,
                maxInputs: inputs === undefined ? Number.POSITIVE_INFINITY : Math.ceil((inputs - thread) / threads),
                state: new SharedArrayBuffer(8),
            }),
        ),
    );
    const sum = (count: (result: RunResult) => number): number => results.reduce((total, result) => total + count(result), 0);
    const seconds = (Date.now() - startedAt) / 1000;
    const read = sum((result) => result.inputs);
    console.log(
        `${read} inputs (${(sum((result) => result.bytes) / 1e6).toFixed(1)} MB), ${(read / seconds).toFixed(0)} a second; ` +
            `${sum((result) => result.secondInputs)} of them by the second reader too`,
    );
    const problems = results.flatMap((result) => result.problems);
    const unreached = inputs === undefined ? tellReached(results) : [];
    const isSlow = inputs === undefined && problems.length === 0 && (await countWork(seed));
    return problems.length > 0 || unreached.length > 0 || isSlow ? 1 : 0;
}

function runThread(task: WorkerTask): Promise<RunResult> {
    const shared = new Int32Array(task.state);
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: task });
    let last = { inputs: 0, since: Date.now(), toldAt: Date.now() };
    return new Promise((resolve, reject) => {
        const watch = setInterval(() => {
            const inputs = Atomics.load(shared, 0);
            const seed = Atomics.load(shared, 1);
            const now = Date.now();
            if (inputs !== last.inputs) {
                last = { ...last, inputs, since: now };
            }
            if (seed >= 0 && now - last.since > HANG_MS) {
                console.log(`HANGS: the input with seed ${seed}; npm run fuzz -- --inputs 1 --seed ${seed}`);
                process.exit(1);
            }
            if (now - last.toldAt > TELL_EVERY_MS * 3 && task.maxInputs === Number.POSITIVE_INFINITY) {
                last = { ...last, toldAt: now };
                console.log(`  ${inputs} inputs, at seed ${seed}`);
            }
        }, 1000);
        worker.on('message', ({ problem, result }: News) => {
            if (problem) {
                tellProblem(problem);
            } else if (result) {
                resolve(result);
            }
        });
        worker.once('error', reject);
        worker.once('exit', () => clearInterval(watch));
    });
}

function tellProblem({ input, problem }: Problem): void {
    const { seed, bytes, options, pieces, table } = input;
    const given = [
        ...(options.dateOrder ? ['--date-order', options.dateOrder] : []),
        ...(options.durationUnit ? ['--duration-unit', options.durationUnit] : []),
    ];
    console.log(`\nPROBLEM with seed ${seed}: ${problem}`);
    // Workers hand over plain bytes.
    const small = Buffer.from(bytes);
    console.log(`  made small to ${small.length} bytes, in pieces of ${pieces.join(', ')}: ${JSON.stringify(small.toString('latin1'))}`);
    if (table) {
        console.log(`  Parquet of ${JSON.stringify(table, (_, value) => (typeof value === 'bigint' ? String(value) : value))}`);
    }
    console.log(`  again:  npm run fuzz -- --inputs 1 --seed ${seed} --second-every 1`);
    console.log(`  golden: npm run fuzz -- --golden NAME --bytes ${small.toString('base64')} ${given.join(' ')}`);
}

/** @returns what was not reached. */
function tellReached(results: readonly RunResult[]): string[] {
    const reached = mergeReached(results.map((result) => result.reached));
    console.log('reached:');
    for (const name of [...new Set([...TO_REACH, ...Object.keys(reached).sort()])]) {
        console.log(`  ${String(reached[name] ?? 'NEVER').padStart(9)}  ${name}`);
    }
    const unreached = TO_REACH.filter((name) => !reached[name]);
    if (unreached.length > 0) {
        console.log(`NOT REACHED: ${unreached.join(', ')}`);
    }
    return unreached;
}

/** How much of lake/flows the inputs reach, and how much work hostile chains are. @returns whether one is too much. */
async function countWork(seed: number): Promise<boolean> {
    const counted = await countSteps('lake/flows/', () =>
        runInputs({ seed, step: 1, secondEvery: 0, fixtures: readFixtures(), isDone: (inputs) => inputs >= COUNTED_INPUTS }),
    );
    tellBlocks(counted);
    const draw = drawFrom(seed);
    let most = 0;
    for (let chains = 0; chains < COUNTED_CHAINS; chains += 1) {
        const chain = makeChain(draw);
        const steps = await stepsPerByte(chain, CHAIN_BYTES);
        most = Math.max(most, steps);
        if (steps > MAX_STEPS_PER_BYTE) {
            console.log(`TOO MUCH WORK: ${steps.toFixed(0)} steps for each byte of ${JSON.stringify(chain)}`);
        }
    }
    console.log(`${COUNTED_CHAINS} hostile chains of ${CHAIN_BYTES} bytes: at most ${most.toFixed(1)} steps for each byte`);
    return most > MAX_STEPS_PER_BYTE;
}

function tellBlocks({ blocks }: Counted<unknown>): void {
    const unreached = blocks.filter(({ count }) => count === 0);
    const share = ((1 - unreached.length / blocks.length) * 100).toFixed(1);
    console.log(`lake/flows: ${COUNTED_INPUTS} inputs reach ${share} of a hundred blocks; not reached:`);
    for (const { file, startOffset } of unreached) {
        const path = new URL(file).pathname;
        const line = readFileSync(path, 'utf8').slice(0, startOffset).split('\n').length;
        console.log(`  ${path.slice(path.indexOf('lake/flows/'))}:${line}`);
    }
}

async function makeGolden(name: string): Promise<number> {
    const { 'date-order': dateOrder, 'duration-unit': durationUnit } = values;
    const options: PlainOptions = {
        ...((dateOrder === 'dmy' || dateOrder === 'mdy' || dateOrder === 'ymd') && { dateOrder }),
        ...((durationUnit === 'us' || durationUnit === 's' || durationUnit === 'ms' || durationUnit === 'ns') && { durationUnit }),
    };
    const folder = await writeGolden({ name, about: values.about, bytes: Buffer.from(values.bytes, 'base64'), options });
    console.log(`${folder}: look at its expected.json`);
    return 0;
}

function whole(option: string, text: string): number {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 0) {
        console.error(`fuzz: --${option} is a whole number from 0 on, not ${text}`);
        process.exit(2);
    }
    return value;
}
