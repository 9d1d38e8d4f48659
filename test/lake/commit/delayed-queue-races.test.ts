/** A period that is held back and told again and again, played move by move: what each rule of the delayed queue is there for. */
import { expect, test } from '@jest/globals';
import { HOURS_DELAY_SECONDS } from '#lake/deployment';
import type { Rule } from '#test/histories/without-rule';
import { World } from '#test/histories/world';
import { readFigures, type SmallFile, smallFile } from '#test/support/small-files';

const A = 'raw/a.csv';
const DAY = '2026-02-01';
const X = fileOf(1);
const Y = fileOf(2);

function fileOf(durationUs: number): SmallFile {
    return smallFile([{ src: '10.0.0.1', dst: '10.0.0.2', date: '01/02/2026', durationUs, packets: 1 }]);
}

/** Uploads the file and tells of its day. */
async function tell(world: World, file: SmallFile): Promise<void> {
    await world.upload(A, file);
    await world.finish(await world.start('summarize', A));
}

function pass(world: World, seconds: number): void {
    world.now = new Date(world.now.getTime() + seconds * 1000);
}

/** Delivers what is not held back; `fails`: each delivery dies at its first call. */
async function deliver(world: World, { fails = false } = {}): Promise<void> {
    for (const message of world.queues.consolidate.receivable()) {
        const worker = await world.deliver('consolidate', message);
        await (fails ? world.advance(worker, 'dies before') : world.finish(worker));
    }
}

/** Plays the history and lets everybody finish. @returns whether the figures are those of the last upload */
async function isRight(play: (world: World) => Promise<void>, broken?: Rule): Promise<boolean> {
    const world = new World({ broken, isFifo: true, delay: 'period', isDerived: false });
    await play(world);
    await world.drain();
    const [found, wanted] = [await readFigures(world.store), world.truth.figures()];
    return world.truth.faults.length === 0 && JSON.stringify([...found]) === JSON.stringify([...wanted]);
}

test('a message is held back for longer than SQS remembers its id: else a send is dropped behind one that was worked on', async () => {
    const play = async (world: World): Promise<void> => {
        await tell(world, X);
        pass(world, 245);
        await deliver(world);
        await tell(world, Y);
    };
    expect(await isRight(play)).toBe(true);
    expect(await isRight(play, 'delay-outlasts-interval')).toBe(false);
});

test('what comes from the dead letters is a message of its own, held back: else a send is dropped behind it', async () => {
    const play = async (world: World): Promise<void> => {
        await tell(world, X);
        pass(world, HOURS_DELAY_SECONDS);
        while (world.queues.consolidate.deadLetters.length === 0) {
            await deliver(world, { fails: true });
        }
        pass(world, 3600);
        world.redrive();
        await deliver(world);
        pass(world, 10);
        await tell(world, Y);
    };
    expect(await isRight(play)).toBe(true);
    expect(await isRight(play, 'redrive-anew')).toBe(false);
});

test('the delay of a queue is never lowered in place: that holds for messages that are in it already', async () => {
    const play =
        ({ isLowered }: { isLowered: boolean }) =>
        async (world: World): Promise<void> => {
            await tell(world, X);
            pass(world, 200);
            if (isLowered) {
                world.queues.consolidate.changeDelay(0);
            }
            await deliver(world);
            await tell(world, Y);
        };
    expect(await isRight(play({ isLowered: false }))).toBe(true);
    expect(await isRight(play({ isLowered: true }))).toBe(false);
});

test('a day that is told in each of many minutes is worked on once for each time that it is held back', async () => {
    const world = new World({ isFifo: true, delay: 'period', isDerived: false });
    let deliveries = 0;
    for (let minute = 0; minute < 60; minute += 1) {
        await tell(world, fileOf(minute));
        pass(world, 60);
        deliveries += world.queues.consolidate.receivable().length;
        await deliver(world);
    }
    await world.drain();
    expect(deliveries).toBe(11);
    expect([...(await readFigures(world.store))]).toEqual([...world.truth.figures()]);
    expect([...(await readFigures(world.store)).keys()]).toEqual([`${DAY} main 10.0.0.1 10.0.0.2`]);
});
