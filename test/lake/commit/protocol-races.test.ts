/** Races that random histories meet seldom, played move by move; and what happens without the rule that is there for them. */
import { describe, expect, test } from '@jest/globals';
import { listLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import type { Rule } from '#test/histories/without-rule';
import { World } from '#test/histories/world';
import { findWrongAccounts } from '#test/support/accounts';
import { readFigures, type SmallFile, smallFile } from '#test/support/small-files';

const A = 'raw/a.csv';
const LEDGER_OF_A = `ledger/${sourceId(A)}.json`;
const B = 'raw/b.csv';
const DAY = '2026-02-01';
const PAIR_DAYS = `pair_days/day=${DAY}/part-00.parquet`;
const X = fileOf('01/02/2026', 1);
const Y = fileOf('01/02/2026', 2);
const ELSEWHERE = fileOf('02/02/2026', 3);

function fileOf(date: string, durationUs: number): SmallFile {
    return smallFile([{ src: '10.0.0.1', dst: '10.0.0.2', date, durationUs, packets: 1 }]);
}

/** Plays the race with all rules and without one; says whether the figures are right and nothing was seen that may not be. */
async function isRight(race: (world: World) => Promise<void>, broken?: Rule): Promise<boolean> {
    const world = new World({ broken });
    await race(world);
    const [found, wanted] = [await readFigures(world.store), world.truth.figures()];
    return world.truth.faults.length === 0 && JSON.stringify([...found]) === JSON.stringify([...wanted]);
}

async function uploadAndDrain(world: World, file: SmallFile): Promise<void> {
    await world.upload(A, file);
    world.send('summarize', A);
    await world.drain();
}

/** Uploads a file while other workers stand still. */
async function uploadBeside(world: World, file: SmallFile): Promise<void> {
    await world.upload(A, file);
    await world.finish(await world.start('summarize', A));
    for (const message of world.queues.consolidate.receivable()) {
        await world.finish(await world.deliver('consolidate', message));
    }
}

describe('each race ends with the right figures, and only with the rule that is there for it', () => {
    const races: { name: string; rule: Rule; race: (world: World) => Promise<void> }[] = [
        {
            name: 'a slow consolidator writes what was listed before it was superseded',
            rule: 'look-again-day',
            async race(world) {
                await world.upload(A, X);
                await world.finish(await world.start('summarize', A));
                world.queues.consolidate.lose();
                const slow = await world.start('consolidate', DAY);
                await world.runUntil(slow, `put ${PAIR_DAYS}`);
                await uploadBeside(world, ELSEWHERE);
                await world.finish(slow);
                await world.drain();
            },
        },
        {
            name: 'a slow consolidator has listed a day to which another one adds a file meanwhile, writes it, and dies',
            rule: 'day-condition',
            async race(world) {
                await world.upload(A, X);
                await world.finish(await world.start('summarize', A));
                world.queues.consolidate.lose();
                const slow = await world.start('consolidate', DAY);
                await world.runUntil(slow, 'get summaries/');
                await world.upload(B, Y);
                await world.finish(await world.start('summarize', B));
                for (const message of world.queues.consolidate.receivable()) {
                    await world.finish(await world.deliver('consolidate', message));
                }
                await world.runUntil(slow, `put ${PAIR_DAYS}`);
                await world.advance(slow, 'dies after');
                await world.drain();
            },
        },
        {
            name: 'a worker that has read the last bytes comes too late, by one that has read those before',
            rule: 'look-again-source',
            async race(world) {
                await world.upload(A, X);
                const slow = await world.start('summarize', A);
                await world.runUntil(slow, `put ${LEDGER_OF_A}`);
                await world.upload(A, Y);
                const last = await world.start('summarize', A);
                await world.runUntil(last, `put ${LEDGER_OF_A}`);
                await world.finish(slow);
                await world.finish(last);
                await world.drain();
            },
        },
        {
            name: 'the raw object changes between a look at it and its reading',
            rule: 'pinned-reading',
            async race(world) {
                await world.upload(A, X);
                const worker = await world.start('summarize', A);
                await world.runUntil(worker, `open ${A}`);
                await world.upload(A, Y);
                await world.runUntil(worker, `put ${LEDGER_OF_A}`);
                await world.upload(A, X);
                await world.finish(worker);
                await world.drain();
            },
        },
        {
            name: 'reconcile comes while a worker has written its summaries and not committed yet',
            rule: 'commit-number',
            async race(world) {
                await uploadAndDrain(world, X);
                await world.upload(A, Y);
                const slow = await world.start('summarize', A);
                await world.runUntil(slow, `put ${LEDGER_OF_A}`);
                const reconcile = await world.start('reconcile', '');
                world.queues.summarize.lose();
                await world.finish(reconcile);
                world.queues.summarize.lose();
                await world.finish(slow);
                await world.drain();
            },
        },
        ...(['correction', 'retraction'] as const).map((kind) => ({
            name: `a message is delivered twice, and the slower worker writes what a ${kind} has deleted meanwhile, and dies`,
            rule: 'own-keys' as const,
            async race(world: World) {
                await world.upload(A, X);
                const message = world.queues.summarize.send(A, { sentAt: world.now });
                const slow = await world.deliver('summarize', message, { stays: true });
                await world.runUntil(slow, 'put summaries/');
                await world.finish(await world.deliver('summarize', message));
                for (const day of world.queues.consolidate.receivable()) {
                    await world.finish(await world.deliver('consolidate', day));
                }
                if (kind === 'correction') {
                    await world.upload(A, ELSEWHERE);
                    await world.finish(await world.start('summarize', A));
                } else {
                    await world.finish(await world.start('retract', A));
                }
                await world.advance(slow, 'dies after');
                await world.drain();
            },
        })),
        {
            name: 'two workers commit, the slower one of bytes that have come back meanwhile',
            rule: 'ledger-condition',
            async race(world) {
                await world.upload(A, X);
                const slow = await world.start('summarize', A);
                await world.runUntil(slow, `put ${LEDGER_OF_A}`);
                await uploadBeside(world, ELSEWHERE);
                await world.upload(A, X);
                await world.finish(slow);
                await world.drain();
            },
        },
        {
            name: 'a day is consolidated while a worker has not committed yet',
            rule: 'ledger-check',
            async race(world) {
                await world.upload(A, X);
                const slow = await world.start('summarize', A);
                await world.runUntil(slow, `put ${LEDGER_OF_A}`);
                await uploadBeside(world, Y);
                await world.advance(slow, 'dies before');
                await world.drain();
            },
        },
        {
            name: 'a message is delivered twice: one delivery finds nothing to do, the other commits what it read long ago, and dies',
            rule: 'fence',
            async race(world) {
                await uploadAndDrain(world, X);
                await world.upload(A, Y);
                const message = world.queues.summarize.send(A, { sentAt: world.now });
                const slow = await world.deliver('summarize', message, { stays: true });
                await world.runUntil(slow, `put ${LEDGER_OF_A}`);
                await uploadBeside(world, X);
                await world.finish(await world.deliver('summarize', message));
                await world.advance(slow, 'dies after');
                expect(world.queues.summarize.isEmpty).toBe(true);
                await world.drain();
            },
        },
        {
            name: 'a raw object is pruned while a worker has read the bytes before it and not committed them',
            rule: 'fence',
            async race(world) {
                await uploadAndDrain(world, X);
                await world.upload(A, Y);
                const slow = await world.start('summarize', A);
                await world.runUntil(slow, `put ${LEDGER_OF_A}`);
                await world.upload(A, X);
                await world.finish(await world.start('prune', ''));
                expect(await world.store.head(A)).toBeUndefined();
                await world.finish(slow);
                world.send('summarize', A);
                await world.drain();
            },
        },
        {
            name: 'a worker of the release before is still at work after an upgrade',
            rule: 'newer-format',
            async race(world) {
                world.isOld = true;
                await world.upload(A, X);
                const slow = await world.start('summarize', A);
                await world.runUntil(slow, `put ${LEDGER_OF_A}`);
                world.upgrade();
                await world.finish(await world.start('reconcile', ''));
                for (const message of world.queues.summarize.receivable()) {
                    await world.finish(await world.deliver('summarize', message));
                }
                await world.finish(slow);
                await world.drain();
            },
        },
    ];

    test.each(races)('$name', async ({ race, rule }) => {
        expect(await isRight(race)).toBe(true);
        expect(await isRight(race, rule)).toBe(false);
    });
});

describe('a retraction', () => {
    test.each([
        ['bytes that are live', X],
        ['other bytes', Y],
    ])('is undone by an upload of %s that comes while it runs, with no help of reconcile', async (_, file) => {
        const world = new World();
        await uploadAndDrain(world, X);
        const retraction = await world.start('retract', A);
        await world.runUntil(retraction, `put ${LEDGER_OF_A}`);
        await uploadBeside(world, file);
        await world.finish(retraction);
        await world.drain();
        expect(await readFigures(world.store)).toEqual(world.truth.figures());
        expect(world.truth.figures().size).toBe(1);
    });

    test('holds against a slower one that was asked for earlier', async () => {
        const world = new World();
        await uploadAndDrain(world, X);
        const slow = await world.start('retract', A);
        await world.runUntil(slow, `put ${LEDGER_OF_A}`);
        await uploadBeside(world, Y);
        await world.finish(await world.start('retract', A));
        await world.finish(slow);
        world.send('summarize', A);
        await world.drain();
        expect(await readFigures(world.store)).toEqual(new Map());
    });

    test('holds against late messages, and until the next upload', async () => {
        const world = new World();
        await uploadAndDrain(world, X);
        await world.finish(await world.start('retract', A));
        world.send('summarize', A, A);
        await world.drain();
        expect(await readFigures(world.store)).toEqual(new Map());
        expect(await recordOf(world)).toMatchObject({ state: 'retracted', version: null, rows_kept: 0, first_day: null, pairs: 0 });
        await uploadAndDrain(world, X);
        expect(await readFigures(world.store)).toEqual(world.truth.figures());
        expect(world.truth.figures().size).toBe(1);
        // An upload, the retraction, a number used up by each late message, an upload.
        expect(await recordOf(world)).toMatchObject({ state: 'done', retracted_generation: null, commits: 5 });
    });

    test('takes out a source whose raw object is gone', async () => {
        const world = new World();
        await uploadAndDrain(world, X);
        await world.store.delete(A);
        world.send('summarize', A);
        await world.drain();
        expect(await readFigures(world.store)).toEqual(world.truth.figures());
        await world.finish(await world.start('retract', A));
        await world.drain();
        expect(await readFigures(world.store)).toEqual(new Map());
    });
});

describe('a reader of pair_days', () => {
    test('never sees a source twice, when its correction is committed and what it supersedes is not yet deleted', async () => {
        const world = new World();
        await uploadAndDrain(world, X);
        await world.upload(A, Y);
        const slow = await world.start('summarize', A);
        await world.runUntil(slow, 'delete summaries/');
        await world.finish(await world.start('consolidate', DAY));
        expect(await readFigures(world.store)).toEqual(world.truth.figures());
        await world.finish(slow);
        await world.drain();
        expect(await readFigures(world.store)).toEqual(world.truth.figures());
        expect(world.truth.faults).toEqual([]);
    });
});

describe('reconcile', () => {
    const TWO_DAYS_MS = 2 * 24 * 60 * 60 * 1000;

    /** A worker that dies when its summary of `file` is written, two days ago. */
    async function leaveSummary(world: World, file: SmallFile): Promise<void> {
        await world.upload(A, file);
        const dying = await world.start('summarize', A);
        await world.runUntil(dying, `put ${LEDGER_OF_A}`);
        await world.advance(dying, 'dies before');
        world.queues.summarize.lose();
        world.now = new Date(world.now.getTime() + TWO_DAYS_MS);
    }

    test.each([false, true])('never deletes the old summary that a worker has just written anew (ledger there: %s)', async (isKnown) => {
        // Whatever reconcile is about to do, that is when the worker comes.
        for (let calls = 0, isOver = false; !isOver; calls += 1) {
            const world = new World();
            if (isKnown) {
                await uploadAndDrain(world, X);
            }
            await leaveSummary(world, Y);
            const reconcile = await world.start('reconcile', '');
            for (let call = 0; call < calls && reconcile.call; call += 1) {
                await world.advance(reconcile, 'works');
            }
            isOver = reconcile.call === undefined;
            await uploadBeside(world, Y);
            await world.finish(reconcile);
            await world.drain();
            expect({ calls, figures: await readFigures(world.store) }).toEqual({ calls, figures: world.truth.figures() });
            expect(world.truth.figures().size).toBe(1);
        }
    });

    test('deletes what a dead worker left, once it is old, and not before', async () => {
        const world = new World();
        await uploadAndDrain(world, X);
        await leaveSummary(world, ELSEWHERE);
        await world.upload(A, X);
        world.now = new Date(world.now.getTime() - TWO_DAYS_MS);
        await world.start('reconcile', '');
        await world.drain();
        expect(await findWrongAccounts(world.store)).toMatch(/^dead objects summaries\/day=2026-02-02\/\S+, missing objects $/);
        world.now = new Date(world.now.getTime() + TWO_DAYS_MS);
        await world.start('reconcile', '');
        await world.drain();
        expect(await findWrongAccounts(world.store)).toBeUndefined();
        expect(await readFigures(world.store)).toEqual(world.truth.figures());
        // The commit's number is used up: nobody who was about to use it can.
        await uploadAndDrain(world, ELSEWHERE);
        expect(await recordOf(world)).toMatchObject({ version: expect.stringMatching(/^3-/), commits: 3 });
        expect(await readFigures(world.store)).toEqual(world.truth.figures());
    });
});

async function recordOf(world: World) {
    for await (const record of listLedger(world.store)) {
        return record;
    }
    return undefined;
}
