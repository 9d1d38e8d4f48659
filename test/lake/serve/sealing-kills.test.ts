/** A process with an inbox that is killed (kill -9) anywhere: what it has answered is in the tables once, and nothing is there twice. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { findUndoneWork } from '#lake/commit/reconcile';
import { readingsOf } from '#test/support/readings-of';
import { newLake, serveLake } from '#test/support/served-lake';

const APPEND_AND_SEAL = fileURLToPath(new URL('../../support/append-and-seal.ts', import.meta.url));
const DIE_AT_STEP = fileURLToPath(new URL('../../support/die-at-step.js', import.meta.url));

/** `FLOWLAKE_TEST_RUNS=20` kills twenty times as often; from there on at every single step. */
const RUNS = Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);

interface Ran {
    /** Numbers of the messages that were answered. */
    answered: number[];
    exitCode: number | null;
}

/** Runs the process to its end, or until it is killed `killAfterMs` after its first answer. */
async function run(
    argv: readonly [directory: string, ...more: string[]],
    { environment = {}, killAfterMs }: { environment?: NodeJS.ProcessEnv; killAfterMs?: number } = {},
): Promise<Ran> {
    const answers = `${argv[0]}.answers`;
    writeFileSync(answers, '');
    const child = spawn(process.execPath, [APPEND_AND_SEAL, ...argv, answers], {
        stdio: 'inherit',
        env: { ...process.env, ...environment },
    });
    const ended = once(child, 'close');
    if (killAfterMs !== undefined) {
        while (child.exitCode === null && statSync(answers).size === 0) {
            await sleep(5);
        }
        await sleep(killAfterMs);
        child.kill('SIGKILL');
    }
    const [exitCode] = await ended;
    const lines = readFileSync(answers, 'utf8').split('\n').slice(0, -1);
    return { answered: lines.map(Number), exitCode };
}

/** Opens the lake again and seals what is left. */
async function expectRight(directory: string, { answered, at }: { answered: readonly number[]; at: string }): Promise<number[]> {
    const { store, sealer, inbox, close } = await serveLake(directory);
    const { faults } = await sealer.sealNow();
    const found = await readingsOf(store);
    const missing = answered.filter((n) => !found.includes(n));
    const twice = found.filter((n, place) => n === found[place - 1]);
    expect({ at, faults, missing, twice }).toEqual({ at, faults: [], missing: [], twice: [] });
    expect(inbox.discardedTo()).toBe(inbox.last());
    await close();
    const undone = await findUndoneWork(store, { now: new Date() });
    expect({ at, undone, marks: await readdir(join(directory, '.flowlake/running')) }).toEqual({
        at,
        undone: { sources: [], deadObjects: [], periods: [], derived: [] },
        marks: [],
    });
    return found;
}

test('before any step of its own, or around any call of its database', async () => {
    const stride = Math.max(1, Math.round(17 / RUNS));
    for (let step = 1; ; step += stride) {
        const directory = await newLake();
        const { answered, exitCode } = await run([directory, '1', '3', '2'], {
            environment: {
                NODE_OPTIONS: `--import=${DIE_AT_STEP}`,
                FLOWLAKE_TEST_DIE_AT: String(step),
                FLOWLAKE_TEST_DIE_AT_COMMITS: 'true',
                FLOWLAKE_TEST_DIE_IN: directory,
                FLOWLAKE_TEST_STEPS: join(directory, '../steps'),
            },
        });
        await expectRight(directory, { answered, at: `step ${step}` });
        if (exitCode !== null) {
            expect({ step, exitCode, answered }).toEqual({ step, exitCode: 0, answered: [1, 2, 3, 4, 5, 6] });
            expect(step).toBeGreaterThan(60);
            return;
        }
    }
}, 600_000);

test('under load, again and again in one lake', async () => {
    const directory = await newLake();
    const answered: number[] = [];
    for (let kill = 0; kill < 3 * RUNS; kill += 1) {
        const first = (answered.at(-1) ?? 0) + 10_000;
        const ran = await run([directory, String(first), '20', 'Infinity'], { killAfterMs: Math.random() * 600 });
        expect(ran.exitCode).toBeNull();
        answered.push(...ran.answered.sort((a, b) => a - b));
    }
    expect(answered.length).toBeGreaterThan(20);
    await expectRight(directory, { answered, at: 'the end' });
}, 600_000);
