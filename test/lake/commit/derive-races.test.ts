/** Races over derived days that random histories meet seldom, played move by move. */
import { describe, expect, test } from '@jest/globals';
import { findWrongDerived } from '#test/histories/derived-tables';
import type { Rule } from '#test/histories/without-rule';
import { type Worker, World } from '#test/histories/world';
import { type SmallFile, smallFile } from '#test/support/small-files';

const A = 'raw/a.csv';
const B = 'raw/b.csv';
const FIRST = '2026-02-01';
const SECOND = '2026-02-05';

/** A file with the pair's packets on these days, `<day of February>: packets`. */
function fileOf(packetsOf: Record<number, number>): SmallFile {
    return smallFile(
        Object.entries(packetsOf).map(([day, packets]) => ({
            src: '10.0.0.1',
            dst: '10.0.0.2',
            date: `0${day}/02/2026`,
            durationUs: 1,
            packets,
        })),
    );
}

/** Uploads the file and brings its days of `pair_days` up to it; what they tell waits. */
async function merge(world: World, key: string, file: SmallFile): Promise<void> {
    await world.upload(key, file);
    await world.finish(await world.start('summarize', key));
    await mergeTold(world);
}

async function mergeTold(world: World): Promise<void> {
    for (let [next] = world.queues.consolidate.receivable(); next; [next] = world.queues.consolidate.receivable()) {
        await world.finish(await world.deliver('consolidate', next));
    }
}

async function uploadAndDrain(world: World, key: string, file: SmallFile): Promise<void> {
    await world.upload(key, file);
    world.send('summarize', key);
    await world.drain();
}

/** Starts a worker of a derived day, which goes on to the next ones itself or not. */
function startDeriving(world: World, subject: string, { goesOn = false }: { goesOn?: boolean } = {}): Promise<Worker> {
    world.goesOn = () => goesOn;
    return world.start('derive', subject);
}

/** What is wrong once the race is over: undefined where every derived day is what the figures come to, and was so at every write. */
async function playRace(race: (world: World) => Promise<void>, broken?: Rule): Promise<string | undefined> {
    const world = new World({ broken });
    await race(world);
    return world.truth.faults[0] ?? (await findWrongDerived(world.store, world.truth.figures()));
}

describe('each race ends with the right days', () => {
    const races: { name: string; race: (world: World) => Promise<void>; rule?: Rule }[] = [
        {
            name: 'a worker writes a day that closes otherwise, and dies before it looks at the next one',
            async race(world) {
                await uploadAndDrain(world, A, fileOf({ 1: 9, 5: 1 }));
                await merge(world, A, fileOf({ 1: 1, 5: 1 }));
                world.queues.derive.lose();
                const worker = await startDeriving(world, `pair_spells ${FIRST}`);
                await world.runUntil(worker, 'put pair_spells/');
                await world.advance(worker, 'dies after');
                await world.drain();
            },
        },
        {
            name: 'a worker goes on to the next day itself, and dies before it looks at the day behind that',
            rule: 'walker-tells',
            async race(world) {
                await uploadAndDrain(world, A, fileOf({ 1: 9, 5: 9, 9: 1 }));
                await merge(world, A, fileOf({ 1: 1, 5: 9, 9: 1 }));
                world.queues.derive.lose();
                const walker = await startDeriving(world, `pair_spells ${FIRST}`, { goesOn: true });
                await world.runUntil(walker, `put pair_spells/day=${SECOND}`);
                await world.advance(walker, 'dies after');
                await world.drain();
            },
        },
        {
            name: 'the first reading of a day between comes late, and the days before it had none',
            async race(world) {
                await uploadAndDrain(world, A, fileOf({ 1: 9, 9: 1 }));
                await uploadAndDrain(world, B, fileOf({ 5: 1 }));
                await uploadAndDrain(world, B, fileOf({}));
            },
        },
        {
            name: 'a day goes to another state and back while the next one is derived from the other',
            async race(world) {
                // Closes high, and the next day ends the spell: which is of another source, so that its own object stays as it is.
                await uploadAndDrain(world, A, fileOf({ 1: 9 }));
                await uploadAndDrain(world, B, fileOf({ 5: 1 }));
                await merge(world, A, fileOf({ 1: 1 }));
                world.queues.derive.lose();
                const other = await startDeriving(world, `pair_spells ${FIRST}`);
                await world.runUntil(other, 'put pair_spells/');
                await world.advance(other, 'works');
                // The next day is read with the other state, and waits before its write.
                await world.finish(other);
                const slow = await startDeriving(world, `pair_spells ${SECOND}`);
                await world.runUntil(slow, 'put pair_spells/');
                world.queues.derive.lose();
                // Back again: the next day's object still names the first state, so nobody is told.
                await merge(world, A, fileOf({ 1: 9 }));
                world.queues.derive.lose();
                await world.finish(await startDeriving(world, `pair_spells ${FIRST}`));
                world.queues.derive.lose();
                world.send('derive', `pair_notes ${FIRST}`);
                await world.finish(slow);
                await world.drain();
            },
        },
        {
            name: 'rows come and go between a look at a day and its reading, and its etag is the old one again',
            async race(world) {
                await uploadAndDrain(world, A, fileOf({ 1: 9 }));
                await merge(world, A, fileOf({}));
                await world.drain();
                // All derived days are gone; the merged one is empty.
                for (const table of ['pair_notes', 'pair_spells']) {
                    await world.store.delete(`${table}/day=${FIRST}/part-00.parquet`);
                }
                const slow = await startDeriving(world, `pair_notes ${FIRST}`);
                await world.runUntil(slow, `list pair_days/day=${FIRST}`);
                await world.advance(slow, 'works');
                await merge(world, A, fileOf({ 1: 9 }));
                await world.runUntil(slow, 'put pair_notes/');
                await merge(world, A, fileOf({}));
                await world.advance(slow, 'works');
                await world.finish(slow);
                await world.drain();
            },
        },
        {
            name: 'a message comes twice, and the slower worker writes what it read before, and dies',
            async race(world) {
                await merge(world, A, fileOf({ 1: 9 }));
                world.queues.derive.lose();
                const subject = `pair_notes ${FIRST}`;
                const message = world.queues.derive.send(subject, { sentAt: world.now });
                const slow = await world.deliver('derive', message, { stays: true });
                await world.runUntil(slow, 'put pair_notes/');
                await merge(world, A, fileOf({ 1: 9, 5: 9 }));
                await merge(world, B, fileOf({ 1: 5 }));
                await world.finish(await world.deliver('derive', message));
                world.queues.derive.lose();
                await world.advance(slow, 'dies after');
                world.send('derive', `pair_notes ${SECOND}`, `pair_spells ${FIRST}`, `pair_spells ${SECOND}`);
                await world.drain();
            },
        },
        {
            name: 'another limit is published while a day is written by the one before',
            async race(world) {
                await merge(world, A, fileOf({ 1: 9, 5: 9 }));
                const slow = await startDeriving(world, `pair_notes ${FIRST}`);
                await world.runUntil(slow, 'put pair_notes/');
                const publishing = await world.start('publish', '');
                await world.finish(publishing);
                world.queues.derive.lose();
                await world.finish(slow);
                world.send('derive', `pair_notes ${SECOND}`, `pair_spells ${FIRST}`, `pair_spells ${SECOND}`);
                await world.drain();
            },
        },
    ];

    test.each(races)('$name', async ({ race }) => {
        await expect(playRace(race)).resolves.toBeUndefined();
    });

    test.each(races.filter(({ rule }) => rule))('and not without the rule $rule', async ({ race, rule }) => {
        await expect(playRace(race, rule)).resolves.toBeDefined();
    });
});
