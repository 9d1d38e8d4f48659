/**
 * `npm run histories:live`: plays random histories of latest state and live alerts, and stops at the first that does not end as a plain recompute says, with its
 * seed and the shortest one that is wrong too. `-- --count N` histories (10,000), `--seed S` the first of them.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { minimizeList } from '#test/support/minimize-list';
import { drawLuck, drawMoves, type Move } from './draw-moves.ts';
import { memoryWorld, play } from './play.ts';

/** Every kind of move and fate must come about, or the histories say less than they seem to. */
const TO_REACH = [
    'message',
    'pass',
    'jump',
    'tick',
    'restart',
    'works',
    'dies before',
    'dies behind',
    'another is faster',
    'raised',
    'cleared',
];

process.exit(await main());

async function main(): Promise<number> {
    const { values } = parseArgs({ options: { count: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } } });
    const [count, first] = [Number(values.count), Number(values.seed)];
    if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(first) || first < 0) {
        console.error('histories: --count is a whole number from 1 on, --seed one from 0 on');
        return 2;
    }
    const reached: Record<string, number> = Object.fromEntries(TO_REACH.map((name) => [name, 0]));
    const note = (name: string): void => {
        reached[name] = (reached[name] ?? 0) + 1;
    };
    for (let seed = first; seed < first + count; seed += 1) {
        const moves = drawMoves(seed);
        const luck = drawLuck(seed);
        const world = memoryWorld();
        const fate = (): ReturnType<typeof luck.fate> => {
            const drawn = luck.fate();
            note(drawn);
            return drawn;
        };
        const wrong = await play(moves, { ...luck, fate }, world);
        if (wrong !== undefined) {
            const playSome = (some: readonly Move[]) => play([...some, { move: 'tick' }], drawLuck(seed), memoryWorld());
            const story = await minimizeList(moves, async (some) => (await playSome(some)) !== undefined, { tries: 2_000 });
            console.log(
                `WRONG with seed ${seed}. The shortest history found that is wrong too:\n${story.map((move) => `  ${JSON.stringify(move)}`).join('\n')}`,
            );
            console.log((await playSome(story)) ?? wrong);
            return 1;
        }
        for (const { move } of moves) {
            note(move);
        }
        for (const { kind } of world.events()) {
            note(kind);
        }
    }
    console.log(`${count} histories from seed ${first} on, each as a plain recompute says; what came about in them:`);
    for (const [name, times] of Object.entries(reached)) {
        console.log(`  ${String(times || 'NEVER').padStart(9)}  ${name}`);
    }
    return count >= 1_000 && Object.values(reached).includes(0) ? 1 : 0;
}
