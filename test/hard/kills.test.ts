/** The built program killed or interrupted at any moment, alone and several at once: whatever is finished afterwards is as if nothing had happened. */
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { collect, startFlowlake } from '#test/support/flowlake';
import { type Chance, drawText, openChance } from './support/flow-texts.ts';
import { openTextLake, type State, type TextLake } from './support/lake-of-texts.ts';

/** How many processes are killed while they work; `FLOWLAKE_KILLS=5000` for a night of them. */
const KILLS = Number(process.env.FLOWLAKE_KILLS ?? 200);
const SEED = Number(process.env.FLOWLAKE_SEED ?? Date.now() % 1_000_000);

const NAMES = ['a.csv', 'b.csv', 'c.csv', 'site=berlin/a.csv', 'site=berlin/d.csv', 'site=rome/e.csv'];

/** What one run of the program may do. */
interface Action {
    words: string[];
    /** What each name may come to by it. */
    outcomes: Map<string, State>;
}

test(
    `${KILLS} kills lose nothing and count nothing twice`,
    async () => {
        console.info(`kills: FLOWLAKE_SEED=${SEED}`);
        const chance = openChance(SEED);
        const lake = await openTextLake();
        const history: string[] = [];
        const killed = new Map<string, number>();
        /** What each name may be by now. */
        const possible = new Map<string, Set<State>>(NAMES.map((name) => [name, new Set<State>(['absent'])]));
        const first = await drawUpload(lake, chance, { words: ['upload'] });
        expect((await lake.run(first.words)).exitCode).toBe(0);
        settle(possible, await lake.states(NAMES), first);

        for (let kills = 0, checks = 0; kills < KILLS; checks += 1) {
            const bursts = 1 + chance.below(4);
            for (let burst = 0; burst < bursts; burst += 1) {
                const actions = await Promise.all(Array.from({ length: 1 + chance.below(3) }, () => drawAction(lake, chance)));
                for (const { outcomes } of actions) {
                    for (const [name, state] of outcomes) {
                        possible.get(name)?.add(state);
                    }
                }
                const ends = await Promise.all(actions.map((action) => runAndKill(lake, action, chance)));
                for (const [at, end] of ends.entries()) {
                    const words = actions[at]?.words ?? [];
                    history.push(`${words.join(' ')}: ${end}`);
                    if (end === 'killed') {
                        kills += 1;
                        killed.set(words[0] ?? '', (killed.get(words[0] ?? '') ?? 0) + 1);
                    }
                }
            }
            const next: Action =
                chance.below(2) === 0
                    ? { words: ['reconcile'], outcomes: new Map() }
                    : await drawUpload(lake, chance, { words: ['upload', '--replace'] });
            history.push(`${next.words.join(' ')}: to its end`);
            const { exitCode, stderr } = await lake.run(next.words);
            const story = (): string => `FLOWLAKE_SEED=${SEED}, in the end:\n${history.slice(-12).join('\n')}`;
            if (exitCode !== 0) {
                throw new Error(`exit code ${exitCode}: ${stderr}\n${story()}`);
            }
            try {
                settle(possible, await lake.states(NAMES), next);
                await lake.assertRight(NAMES, { isCopied: checks % 4 === 0 });
            } catch (error) {
                throw new Error(`${error instanceof Error ? error.message : error}\n${story()}`, { cause: error });
            }
        }
        console.info(`kills: ${[...killed].map(([word, count]) => `${count} of ${word}`).join(', ')}`);
        expect([...killed.keys()].sort()).toEqual(KILLS < 100 ? expect.anything() : ['prune', 'rebuild', 'reconcile', 'retract', 'upload']);
    },
    60_000 + 10_000 * KILLS,
);

/** Every name is something that it may be, and what the action was for, which ran to its end; from here on it is just that. */
function settle(possible: Map<string, Set<State>>, found: ReadonlyMap<string, State>, { outcomes }: Action): void {
    for (const [name, state] of found) {
        const wanted = outcomes.get(name);
        if (wanted === undefined ? !possible.get(name)?.has(state) : state !== wanted) {
            throw new Error(`${name} is ${state}, not ${wanted ?? [...(possible.get(name) ?? [])].join(' or ')}`);
        }
        possible.set(name, new Set([state]));
    }
}

async function drawAction(lake: TextLake, chance: Chance): Promise<Action> {
    const draw = chance.below(10);
    if (draw < 2) {
        return drawUpload(lake, chance, { words: ['upload'] });
    }
    if (draw < 5) {
        return drawUpload(lake, chance, { words: ['upload', '--replace'] });
    }
    if (draw < 7) {
        const name = chance.oneOf(NAMES);
        return { words: ['retract', `raw/${name}`], outcomes: new Map([[name, 'retracted']]) };
    }
    const words = [
        ['reconcile'],
        ['rebuild', '--from', '2026-01-13', '--to', '2026-01-28', '--anew'],
        ['prune', '--raw-before', '2026-01-19'],
    ];
    return { words: words[draw - 7] ?? [], outcomes: new Map() };
}

async function drawUpload(lake: TextLake, chance: Chance, { words }: { words: string[] }): Promise<Action> {
    const names = NAMES.filter(() => chance.below(3) === 0);
    const size = chance.oneOf([{ rows: 3 }, { rows: 200, days: 3 }, { rows: 4000, days: 10 }]);
    const texts = Object.fromEntries((names.length > 0 ? names : ['a.csv']).map((name) => [name, drawText(chance, size)]));
    const outcomes = new Map(Object.entries(texts).map(([name, text]) => [name, lake.digestOf(text)]));
    return { words: [...words, await lake.write(texts)], outcomes };
}

/** The exit code after Ctrl-C. */
const INTERRUPTED = 130;

/** How long each command took the last time that it came to its end, from its mark on where it sets one. */
const TOOK_MS = new Map<string, number>();

/** Kills it, or interrupts it as Ctrl-C does, at any moment of the time that it takes: most often after its mark says that it is at work, sometimes before. */
async function runAndKill(lake: TextLake, { words }: Action, chance: Chance): Promise<string> {
    const command = words[0] ?? '';
    const share = chance.below(1000) / 1000;
    const isFromMark = chance.below(5) > 0 && command !== 'prune';
    const isInterrupted = chance.below(5) === 0;
    const child = startFlowlake(['--lake', 'lake', ...words], { folder: lake.folder });
    const ran = collect(child);
    let isOver = false;
    void once(child, 'close').then(() => {
        isOver = true;
    });
    const running = join(lake.directory, '.flowlake/running');
    while (isFromMark && !isOver && !(await readdir(running)).some((name) => name.startsWith(`${child.pid}-`))) {
        await sleep(2);
    }
    const from = performance.now();
    await Promise.race([sleep(share * (TOOK_MS.get(command) ?? 500)), ran]);
    child.kill(isInterrupted ? 'SIGINT' : 'SIGKILL');
    const { exitCode, stderr } = await ran;
    if (exitCode === null) {
        return 'killed';
    }
    if (exitCode === INTERRUPTED) {
        return 'interrupted';
    }
    TOOK_MS.set(command, performance.now() - from);
    if (exitCode > 1) {
        throw new Error(`${words.join(' ')} ended with ${exitCode}: ${stderr}`);
    }
    return `was faster (exit code ${exitCode})${exitCode === 1 ? `: ${stderr.trim().split('\n').at(-1)}` : ''}`;
}
