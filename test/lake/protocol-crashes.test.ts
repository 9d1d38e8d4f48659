/** One scenario of uploads, a correction, a retraction and a return, cut at every single call in turn, and tried again. */
import { describe, expect, test } from '@jest/globals';
import { FATES, type Fate, type Worker, World } from '#test/histories/world';
import { findWrongAccounts } from '#test/support/accounts';
import { readFigures, type SmallFile, smallFile } from '#test/support/small-files';

/** `FLOWLAKE_TEST_RUNS` above 1 tries all ways in which a call can fail, and all calls. */
const RUNS = Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);

const A = 'raw/a.csv';
const B = 'raw/site=berlin/b.csv';

function fileOf(dates: readonly string[], durationUs: number, rejects = 0): SmallFile {
    const flows = dates.map((date, packets) => ({ src: '10.0.0.1', dst: '10.0.0.2', date, durationUs, packets }));
    return smallFile(flows, { rejects });
}

const FIRST = fileOf(['01/02/2026', '02/02/2026', '02/02/2026'], 10, 2);
const CORRECTED = fileOf(['02/02/2026', '03/02/2026'], 20, 1);
const OTHER = fileOf(['02/02/2026'], 30);

/** What people do, in turn; each waits until the figures are there. */
const PHASES: { name: string; act: (world: World) => Promise<void>; isCommand?: boolean }[] = [
    { name: 'upload', act: (world) => send(world, A, FIRST) },
    { name: 'another source', act: (world) => send(world, B, OTHER) },
    { name: 'correction', act: (world) => send(world, A, CORRECTED) },
    { name: 'retraction', act: async (world) => void (await world.start('retract', A)), isCommand: true },
    { name: 'return of the first bytes', act: (world) => send(world, A, FIRST) },
];

async function send(world: World, key: string, file: SmallFile): Promise<void> {
    await world.upload(key, file);
    world.send('summarize', key);
}

interface CallMade {
    what: string;
    isConditional: boolean;
}

/** Plays all phases and returns the calls that it took; `fate` strikes the call at `place`, from 1. */
async function play({ place, fate }: { place: number; fate: Fate }): Promise<CallMade[]> {
    const world = new World();
    const calls: CallMade[] = [];
    const fateOf = ({ kind, call }: Worker): Fate => {
        const isStruck = calls.push({ what: `${kind}: ${call?.what}`, isConditional: call?.isConditional ?? false }) === place;
        return isStruck ? fate : 'works';
    };
    for (const { name, act, isCommand = false } of PHASES) {
        await act(world);
        await world.drain(fateOf);
        if (isCommand && world.needsReconcile) {
            // The command was cut off: its user runs it again.
            world.needsReconcile = false;
            await act(world);
            await world.drain();
        }
        const at = `call ${place} ${fate} (${calls[place - 1]?.what}), after ${name}`;
        expect({ at, faults: world.truth.faults, figures: await readFigures(world.store) }).toEqual({
            at,
            faults: [],
            figures: world.truth.figures(),
        });
    }
    world.now = new Date(world.now.getTime() + 2 * 24 * 60 * 60 * 1000);
    await world.start('reconcile', '');
    await world.drain();
    const figures = await readFigures(world.store);
    const wrongAccounts = await findWrongAccounts(world.store);
    expect({ place, figures, wrongAccounts }).toEqual({ place, figures: world.truth.figures(), wrongAccounts: undefined });
    return calls;
}

describe('figures are right after a second try', () => {
    test.each(RUNS > 1 ? FATES : (['dies after', 'loses its answer'] as const))(
        'when any one call %s',
        async (fate) => {
            const calls = await play({ place: 0, fate });
            expect(calls.length).toBeGreaterThan(80);
            for (const [at, { isConditional }] of calls.entries()) {
                if (isConditional || fate !== 'loses its answer') {
                    await play({ place: at + 1, fate });
                }
            }
        },
        120_000,
    );
});

describe('reconcile alone brings the figures back', () => {
    test('when any one call was the last of all, and every message with it', async () => {
        for (let place = 1; ; place += RUNS > 1 ? 1 : 2) {
            const world = new World();
            let calls = 0;
            let isCut = false;
            for (const { act, isCommand } of PHASES) {
                await act(world);
                await world.drain(() => {
                    calls += 1;
                    isCut ||= calls === place;
                    return calls === place ? 'dies after' : 'works';
                });
                if (isCut && !isCommand) {
                    break;
                }
            }
            if (!isCut) {
                expect(place).toBeGreaterThan(80);
                return;
            }
            world.queues.summarize.lose();
            world.queues.consolidate.lose();
            await world.start('reconcile', '');
            await world.drain();
            expect({ place, figures: await readFigures(world.store) }).toEqual({ place, figures: world.truth.figures() });
        }
    }, 120_000);
});
