/**
 * `npm run histories:stream`: plays random histories of a stream through the functions `chain` and `given-up`, and stops at the first that does not end with each
 * message in the lake once. `-- --count N` histories (3,000), `--seed S` the first of them.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { playHistory } from './play.ts';

/** Everything that must come about, or the histories say less than they seem to. */
const TO_REACH = ['chain object', 'side object', 'no answer', 'death', 'reshard', 'given up', 'given up by another', 'pruned', 'lost'];

process.exit(await main());

async function main(): Promise<number> {
    const { values } = parseArgs({ options: { count: { type: 'string', default: '3000' }, seed: { type: 'string', default: '1' } } });
    const [count, first] = [Number(values.count), Number(values.seed)];
    if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(first) || first < 0) {
        console.error('histories: --count is a whole number from 1 on, --seed one from 0 on');
        return 2;
    }
    const reached = Object.fromEntries(TO_REACH.map((name) => [name, 0]));
    const note = (name: string): void => {
        reached[name] = (reached[name] ?? 0) + 1;
    };
    for (let seed = first; seed < first + count; seed += 1) {
        const wrong = await playHistory(seed, { note });
        if (wrong !== undefined) {
            console.log(`WRONG with seed ${seed}:\n${wrong}`);
            return 1;
        }
    }
    console.log(`${count} histories from seed ${first} on, each message in the lake once or told as lost; what came about in them:`);
    for (const [name, times] of Object.entries(reached)) {
        console.log(`  ${String(times || 'NEVER').padStart(9)}  ${name}`);
    }
    return count >= 1_000 && Object.values(reached).includes(0) ? 1 : 0;
}
