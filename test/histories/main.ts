/**
 * `npm run histories`: plays random histories of a lake on every core and stops at the first that breaks a promise, with its seed and the
 * shortest one that does so too. `-- --minutes N` (1), `--count N` histories instead of minutes, `--seed S`, `--without RULE` with one rule
 * of the commit rules taken out. `-- --cuts` cuts two histories of everything at every call and in every way instead, and counts the cuts.
 */
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { type CutOf, cutForGood, cutHistory } from './cut-history.ts';
import type { News, ThreadTask } from './thread.ts';
import { RULES, type Rule } from './without-rule.ts';
import { FATES } from './world.ts';

/** Every kind of move must come about, or the histories say less than they seem to. */
const TO_REACH = [
    'upload',
    'late duplicate',
    'raw object is deleted',
    'days pass',
    'seconds pass',
    'messages are lost',
    'redrive',
    'upgrade',
    'outage',
    'deliver',
    ...['retract', 'reconcile', 'rebuild', 'rebuild anew', 'prune', 'publish'].map((kind) => `command: ${kind}`),
    ...FATES.map((fate) => `a call ${fate}`),
];
/** Fewer may miss one by chance. */
const ENOUGH_TO_REACH_ALL = 1000;
const TELL_EVERY_MS = 30_000;

process.exit(await main());

async function main(): Promise<number> {
    const { values } = parseArgs({
        options: {
            minutes: { type: 'string', default: '1' },
            count: { type: 'string' },
            seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
            without: { type: 'string' },
            cuts: { type: 'boolean', default: false },
        },
    });
    if (values.cuts) {
        return Math.max(await cutEverywhere('sources'), await cutEverywhere('derived'));
    }
    const broken = RULES.find((rule) => rule === values.without);
    if (values.without !== undefined && broken === undefined) {
        console.error(`histories: there is no rule ${values.without}; --without takes one of ${RULES.join(', ')}`);
        return 2;
    }
    const seed = whole('seed', values.seed);
    const count = values.count === undefined ? Number.POSITIVE_INFINITY : whole('count', values.count);
    const minutes = values.count === undefined ? whole('minutes', values.minutes) : Number.POSITIVE_INFINITY;
    const threads = Math.min(availableParallelism(), count);
    console.log(`seed ${seed}, ${minutes < count ? `${minutes} minutes` : `${count} histories`}, ${threads} threads`);
    const startedAtMs = Date.now();
    const tasks = Array.from({ length: threads }, (_, thread) => ({
        seed: seed + thread,
        step: threads,
        maxHistories: Math.ceil((count - thread) / threads),
        until: startedAtMs + minutes * 60_000,
        broken,
    }));
    const { played, moves, isWrong } = await play(tasks);
    const seconds = (Date.now() - startedAtMs) / 1000;
    console.log(`${played} histories in ${seconds.toFixed(0)} s, ${(played / seconds).toFixed(0)} a second; their moves:`);
    for (const name of new Set([...TO_REACH, ...Object.keys(moves).sort()])) {
        console.log(`  ${String(moves[name] ?? 'NEVER').padStart(9)}  ${name}`);
    }
    const unreached = TO_REACH.filter((name) => !moves[name]);
    if (!isWrong && unreached.length > 0 && played >= ENOUGH_TO_REACH_ALL) {
        console.log(`NOT REACHED: ${unreached.join(', ')}`);
        return 1;
    }
    console.log(isWrong ? 'a promise was broken' : 'no promise was broken');
    return isWrong ? 1 : 0;
}

/** Plays on all threads until they are done, or one has found what is wrong. */
async function play(tasks: readonly ThreadTask[]): Promise<{ played: number; moves: Record<string, number>; isWrong: boolean }> {
    const total = { played: 0, moves: {} as Record<string, number>, isWrong: false };
    let toldAtMs = Date.now();
    const workers = tasks.map((workerData) => new Worker(new URL('./thread.ts', import.meta.url), { workerData }));
    await Promise.all(
        workers.map(
            (worker) =>
                new Promise<void>((resolve, reject) => {
                    worker.on('message', (news: News) => {
                        if (news.wrong) {
                            total.isWrong = true;
                            tellWrong(news.wrong, { broken: tasks[0]?.broken });
                            for (const other of workers) {
                                void other.terminate();
                            }
                            return;
                        }
                        total.played += news.played;
                        for (const [name, times] of Object.entries(news.moves)) {
                            total.moves[name] = (total.moves[name] ?? 0) + times;
                        }
                        if (Date.now() - toldAtMs > TELL_EVERY_MS) {
                            toldAtMs = Date.now();
                            console.log(`  ${total.played} histories`);
                        }
                    });
                    worker.once('error', reject);
                    worker.once('exit', () => resolve());
                }),
        ),
    );
    return total;
}

function tellWrong({ seed, story, wrong, before }: NonNullable<News['wrong']>, { broken }: { broken: Rule | undefined }): void {
    console.log(`\nWRONG with seed ${seed}: ${before}`);
    console.log(`The shortest history found that is wrong too:\n  ${story.join('\n  ')}\n${wrong}`);
    console.log(`Again: npm run histories -- --count 1 --seed ${seed}${broken ? ` --without ${broken}` : ''}\n`);
}

/** Every call of the history, in every way that a call can fail; and the last call of all, after which only `reconcile` comes. */
async function cutEverywhere(of: CutOf): Promise<number> {
    console.log(`a history of ${of}`);
    const { calls, wrong } = await cutHistory({ of, place: 0, fate: 'works' });
    const wrongs = wrong === undefined ? [] : [`uncut: ${wrong}`];
    let total = 0;
    for (const fate of FATES.slice(1)) {
        let cuts = 0;
        for (const [at, { what, isConditional }] of calls.entries()) {
            if (isConditional || fate !== 'loses its answer') {
                const cut = await cutHistory({ of, place: at + 1, fate });
                wrongs.push(...(cut.wrong === undefined ? [] : [`call ${at + 1} (${what}) ${fate}: ${cut.wrong}`]));
                cuts += 1;
            }
        }
        console.log(`${String(cuts).padStart(6)} cuts: a call ${fate}`);
        total += cuts;
    }
    let forGood = 0;
    for (let cut = await cutForGood(of, 1); cut; cut = await cutForGood(of, forGood + 1)) {
        forGood += 1;
        wrongs.push(...(cut.wrong === undefined ? [] : [`call ${forGood} was the last of all: ${cut.wrong}`]));
    }
    console.log(`${String(forGood).padStart(6)} cuts: a call was the last of all, every message is lost, and reconcile follows`);
    for (const one of wrongs) {
        console.log(`WRONG: ${one}`);
    }
    console.log(`${total + forGood} cuts of a history of ${calls.length} calls, ${wrongs.length} of them wrong`);
    return wrongs.length > 0 ? 1 : 0;
}

function whole(option: string, text: string): number {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < (option === 'seed' ? 0 : 1)) {
        console.error(`histories: --${option} is a whole number from ${option === 'seed' ? 0 : 1} on, not ${text}`);
        process.exit(2);
    }
    return value;
}
