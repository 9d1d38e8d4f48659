/** The deployed Lambdas killed in the middle of their work, while files come, are corrected and taken back. */
import { expect, test } from '@jest/globals';
import { sourceMessage } from '#lake/work/messages';
import { type Chance, drawText, openChance } from '#test/hard/support/flow-texts';
import { makeFolder } from '#test/support/temporary';
import { bucket, flowlake, queueOf, until } from './support/deployed.ts';
import { batchesThatDied, whyNoProcesses } from './support/deployed-lambdas.ts';
import { drained, messagesThere } from './support/deployed-queues.ts';
import { openHardTimes } from './support/hard-times.ts';
import { openKiller } from './support/lambda-killer.ts';
import { type MonthOfTexts, onDay, openMonth } from './support/month-of-texts.ts';

/** How many processes are killed; `FLOWLAKE_KILLS=1000` for a night of them. */
const KILLS = Number(process.env.FLOWLAKE_KILLS ?? 40);
const SEED = Number(process.env.FLOWLAKE_SEED ?? Date.now() % 1_000_000);

const why = whyNoProcesses();
const orSkip = why === undefined ? test : test.skip;

orSkip(
    `${KILLS} kills of their processes lose nothing and count nothing twice, and nobody reconciles${why === undefined ? '' : ` (skipped: ${why})`}`,
    async () => {
        console.info(`kills of Lambdas: FLOWLAKE_SEED=${SEED}`);
        const chance = openChance(SEED);
        const folder = await makeFolder();
        const month = openMonth('2025-08');
        const killer = openKiller({ chance: openChance(SEED + 1), kills: KILLS });
        const died = batchesThatDied();
        await openHardTimes({ faultOf: killer.faultOf });

        let actions = 0;
        const people = openPeople(month, { chance, folder });
        while (killer.kills() < KILLS || actions < people.atLeast) {
            const kills = killer.kills();
            await people.act();
            actions += 1;
            await until(async () => killer.kills() !== kills || (await messagesThere()) === 0 || kills >= KILLS, `a kill after ${kills}`);
        }
        const redriven = await drained({ folder });
        const story = JSON.stringify(killer.story());
        console.info(`kills of Lambdas: ${actions} actions, ${redriven} dead letters brought back, ${story}`);
        await month.assertRight();
        console.info(`kills of Lambdas: ${batchesThatDied() - died} batches died with their worker`);
        expect(killer.kills()).toBeGreaterThanOrEqual(KILLS);
        // Kills that only hit the idle would prove nothing.
        expect(killer.killsAtWork()).toBeGreaterThanOrEqual(KILLS / 2);
        expect(batchesThatDied() - died).toBeGreaterThanOrEqual(KILLS / 2);
        expect(Object.keys(killer.story().job ?? {}).sort()).toEqual(['consolidate', 'summarize']);
    },
    180_000 + 3_000 * KILLS,
);

/** What people do to the lake while its workers die. */
function openPeople(month: MonthOfTexts, { chance, folder }: { chance: Chance; folder: string }) {
    const texts = new Map<string, string>();
    const gone = new Set<string>();
    const names = Array.from({ length: 24 }, (_, at) => `${at}.csv`);

    async function put(name: string): Promise<void> {
        const drawn = drawText(chance, chance.oneOf([{ rows: 30 }, { rows: 200, days: 3 }, { rows: 1000, days: 6 }]));
        // Half of them on a day of their own: news of it that is lost is made up for by no other file.
        const text = chance.below(2) === 0 ? drawn : onDay(drawn, 1 + names.indexOf(name));
        texts.set(name, text);
        gone.delete(name);
        await month.put(name, text);
    }

    async function retract(name: string): Promise<void> {
        // There is a record of it as soon as one worker has lived through the file; then it may be taken back at any moment.
        await until(
            async () =>
                month.record(name).then(
                    () => true,
                    () => false,
                ),
            `${name} is known`,
        );
        const { exitCode, stderr } = await flowlake(['retract', month.keyOf(name)], { folder });
        if (exitCode !== 0) {
            throw new Error(`retract ended with ${exitCode}: ${stderr}`);
        }
        month.retracted(name);
        gone.add(name);
    }

    async function sendAgain(): Promise<void> {
        const key = month.keyOf(chance.oneOf([...texts.keys()]));
        await (await queueOf('summarizeQueue')).send([{ body: sourceMessage({ bucket, key, uploadedAt: new Date() }) }]);
    }

    return {
        /** Actions after which there is something of everything. */
        atLeast: 45,
        async act(): Promise<void> {
            const next = names[texts.size];
            const draw = chance.below(10);
            if (next !== undefined && (texts.size < 5 || draw < 5)) {
                return put(next);
            }
            if (draw < 8) {
                return put(chance.oneOf([...texts.keys()]));
            }
            const present = [...texts.keys()].filter((name) => !gone.has(name));
            return draw === 8 && present.length > 3 && gone.size < 6 ? retract(chance.oneOf(present)) : sendAgain();
        },
    };
}
