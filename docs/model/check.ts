/**
 * `npm run check:model`: has spin try every interleaving of commit-rules.pml and derived-tables.pml within bounds, as the rules stand and with one of them taken out at a
 * time. Ends with 1 where a promise is broken, a rule that is taken out is not missed, or something never happens. `-- --deep` tries larger
 * bounds too; `-- --trace <variant>` prints the shortest history that breaks a promise without that rule.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import pMap from 'p-map';
import type { Bounds, Model, Variant } from './model.ts';
import { MODELS } from './runs.ts';
import { type Found, missingPrograms, openSearches } from './spin.ts';
import { inWords } from './trace.ts';

const MISUSE = 2;
const SMALL_MEGABYTES = 3000;
const DEEP_MEGABYTES = 6000;

const { deep, trace } = readArguments();
const variants = MODELS.flatMap((model) => model.variants.map((variant) => ({ model, variant })));
const traced = variants.filter(({ variant }) => variant.name === trace);
if (trace !== undefined && traced.length === 0) {
    stop(`There is no variant ${trace}; there are: ${variants.map(({ variant }) => variant.name).join(', ')}`, MISUSE);
}
const missing = missingPrograms();
if (missing.length > 0) {
    stop(`check:model needs ${missing.join(' and ')}, which this machine lacks: apt-get install ${missing.join(' ')}`, 1);
}

const searches = openSearches();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
        searches.close();
        process.exit(130);
    });
}
try {
    process.exitCode = (await (trace === undefined ? checkAll() : printTrace())) ? 0 : 1;
} catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
} finally {
    searches.close();
}

function readArguments(): { deep: boolean; trace: string | undefined } {
    try {
        const { values } = parseArgs({ options: { deep: { type: 'boolean', default: false }, trace: { type: 'string' } } });
        return { deep: values.deep, trace: values.trace };
    } catch (error) {
        stop(`${error instanceof Error ? error.message : error}\nOptions: --deep, --trace <variant>`, MISUSE);
    }
}

function stop(message: string, code: number): never {
    console.error(message);
    process.exit(code);
}

async function checkAll(): Promise<boolean> {
    const results: boolean[] = [];
    for (const model of MODELS) {
        console.log(`${results.length === 0 ? '' : '\n'}${model.file}: ${model.of} as they stand hold, every interleaving:`);
        const small = model.bounds.filter(({ isDeep }) => !isDeep);
        const concurrency = availableParallelism();
        results.push(...(await pMap(small, (bounds) => checkBounds(model, bounds), { concurrency })));
        // One at a time: each may take all the memory that there is.
        for (const bounds of deep ? model.bounds.filter(({ isDeep }) => isDeep) : []) {
            results.push(await checkBounds(model, bounds));
        }
        console.log('\nWhat must happen at all:');
        results.push(...(await pMap(Object.keys(model.goals), (goal) => checkGoal(model, goal), { concurrency })));
        console.log('\nWithout one rule, which promise breaks, and after how many steps:');
        results.push(...(await pMap(model.variants, (variant) => checkVariant(model, variant), { concurrency })));
    }
    const wrong = results.filter((isRight) => !isRight).length;
    console.log(`\n${results.length - wrong} of ${results.length} are as they must be`);
    return wrong === 0;
}

async function checkBounds({ file }: Model, { name, defines, isDeep = false }: Bounds): Promise<boolean> {
    const found = await searches.search({ file, defines, isShortest: false, maxMegabytes: isDeep ? DEEP_MEGABYTES : SMALL_MEGABYTES });
    if (found.history) {
        console.log(`WRONG ${name}: ${found.history.at(-1)}. One history that does it, not the shortest:\n${inWords(found.history)}`);
        return false;
    }
    console.log(`  ${name.padEnd(54)} ${countsOf(found)}`);
    return true;
}

async function checkGoal({ file, goals }: Model, goal: string): Promise<boolean> {
    const found = await searches.search({
        file,
        defines: [`GOAL=${goal}`, ...(goals[goal] ?? [])],
        isShortest: true,
        maxMegabytes: SMALL_MEGABYTES,
    });
    const isReached = found.history?.at(-1) === `reached: ${goal}`;
    console.log(`${isReached ? ' ' : 'WRONG'} ${goal.padEnd(54)} ${isReached ? `after ${found.history?.length} steps` : 'never happens'}`);
    return isReached;
}

async function checkVariant({ file }: Model, { name, text, defines, breaks }: Variant): Promise<boolean> {
    const { history } = await searches.search({ file, defines, isShortest: true, maxMegabytes: SMALL_MEGABYTES });
    const promise = promiseOf(history);
    const result =
        promise === undefined ? 'holds: the rule is not missed within these bounds' : `breaks ${promise} after ${history?.length} steps`;
    console.log(`${promise === breaks ? ' ' : 'WRONG'} ${name.padEnd(24)} ${result}: ${text}`);
    return promise === breaks;
}

async function printTrace(): Promise<boolean> {
    for (const { model, variant } of traced) {
        const { file, promises } = model;
        const { history } = await searches.search({ file, defines: variant.defines, isShortest: true, maxMegabytes: SMALL_MEGABYTES });
        const promise = promiseOf(history);
        const broken = promise === undefined ? 'No promise breaks.' : `Breaks ${promise}: ${promises[promise]}.`;
        console.log(`${variant.name}: ${variant.text}. ${broken}`);
        console.log(inWords(history ?? []));
        return promise !== undefined;
    }
    return false;
}

function promiseOf(history: string[] | undefined): string | undefined {
    return history?.at(-1)?.replace('broken promise: ', '');
}

function countsOf({ states, depth, megabytes, seconds }: Found): string {
    return `${states.toLocaleString('en-US')} states, ${depth.toLocaleString('en-US')} steps deep, ${seconds.toFixed(1)} s, ${megabytes.toFixed(0)} MB`;
}
