/** Histories of everything that people do, cut at one call: whoever makes it dies there or fails, and what follows must mend it. */
import { isDeepStrictEqual } from 'node:util';
import { findWrongAccounts } from '#test/support/accounts';
import { readFigures, type SmallFile, smallFile } from '#test/support/small-files';
import { findWrongDerived } from './derived-tables.ts';
import { type CommandKind, QUEUE_KINDS } from './kinds.ts';
import { type Fate, type Worker, World } from './world.ts';

const A = 'raw/a.csv';
const B = 'raw/site=berlin/b.csv';
const A_DAY_MS = 24 * 60 * 60 * 1000;

function fileOf(dates: readonly string[], durationUs: number, rejects = 0): SmallFile {
    const flows = dates.map((date, packets) => ({ src: '10.0.0.1', dst: '10.0.0.2', date, durationUs, packets }));
    return smallFile(flows, { rejects });
}

const FIRST = fileOf(['01/02/2026', '02/02/2026', '02/02/2026'], 10, 2);
const CORRECTED = fileOf(['02/02/2026', '03/02/2026'], 20, 1);
const OTHER = fileOf(['02/02/2026'], 30);

interface Phase {
    name: string;
    act: (world: World) => Promise<void>;
    /** Nobody repeats a command that was cut but the person who gave it. */
    isCommand?: boolean;
}

/** What people do, in turn; each waits until the figures are there. Nobody is told of derived tables. */
const PHASES: readonly Phase[] = [
    { name: 'upload, in the release before', act: (world) => upload(world, A, FIRST) },
    { name: 'another source, in the release before', act: (world) => upload(world, B, OTHER) },
    { name: 'reconcile after an upgrade', act: (world) => command(world, 'reconcile', ''), isCommand: true },
    { name: 'correction', act: (world) => upload(world, A, CORRECTED) },
    { name: 'rebuild', act: (world) => command(world, 'rebuild anew', '2026-02-02'), isCommand: true },
    { name: 'retraction', act: (world) => command(world, 'retract', A), isCommand: true },
    { name: 'return of the first bytes', act: (world) => upload(world, A, FIRST) },
    { name: 'a correction that takes all rows away', act: (world) => upload(world, B, fileOf([], 0)) },
    { name: 'prune', act: (world) => command(world, 'prune', ''), isCommand: true },
];

/** Days that come before others and go again: what is behind them in a chained table changes. */
const DERIVED_PHASES: readonly Phase[] = [
    { name: 'upload', act: (world) => upload(world, A, fileOf(['01/02/2026', '05/02/2026'], 10)) },
    { name: 'publish', act: (world) => command(world, 'publish', ''), isCommand: true },
    { name: 'a correction that takes the first day away', act: (world) => upload(world, A, fileOf(['05/02/2026'], 10)) },
    { name: 'a day between', act: (world) => upload(world, A, fileOf(['02/02/2026', '05/02/2026'], 10)) },
];

/** Which history is cut. */
export type CutOf = 'sources' | 'derived';

const HISTORIES: Readonly<Record<CutOf, { phases: readonly Phase[]; isOld: boolean }>> = {
    sources: { phases: PHASES, isOld: true },
    derived: { phases: DERIVED_PHASES, isOld: false },
};

function worldOf(of: CutOf): World {
    return new World({ isOld: HISTORIES[of].isOld, isFifo: true, isDerived: of === 'derived' });
}

async function upload(world: World, key: string, file: SmallFile): Promise<void> {
    await world.upload(key, file);
    world.send('summarize', key);
}

async function command(world: World, kind: CommandKind, subject: string): Promise<void> {
    world.upgrade();
    world.needsReconcile = false;
    await world.start(kind, subject);
}

export interface CallMade {
    what: string;
    isConditional: boolean;
}

export interface CutHistory {
    calls: CallMade[];
    /** What was not as promised after what; undefined where all was. */
    wrong: string | undefined;
}

/** Plays all phases; `fate` strikes the call at `place`, from 1. Messages come again, and a command is given again. */
export async function cutHistory({ of, place, fate }: { of: CutOf; place: number; fate: Fate }): Promise<CutHistory> {
    const world = worldOf(of);
    const calls: CallMade[] = [];
    const fateOf = ({ name, call }: Worker): Fate => {
        const isStruck = calls.push({ what: `${name}: ${call?.what}`, isConditional: call?.isConditional ?? false }) === place;
        return isStruck ? fate : 'works';
    };
    for (const { name, act, isCommand = false } of HISTORIES[of].phases) {
        await act(world);
        await world.drain(fateOf);
        if (isCommand && world.needsReconcile) {
            await act(world);
            await world.drain();
        }
        const wrong = world.isOld ? world.truth.faults[0] : await findWrong(world, of);
        if (wrong !== undefined) {
            return { calls, wrong: `after ${name}: ${wrong}` };
        }
    }
    world.now = new Date(world.now.getTime() + 2 * A_DAY_MS);
    await world.start('reconcile', '');
    await world.drain();
    return { calls, wrong: (await findWrong(world, of)) ?? (await findWrongAccounts(world.store)) };
}

/** Loses all messages at the cut, lets nothing follow, and has `reconcile` alone mend it. Undefined past the last call. */
export async function cutForGood(of: CutOf, place: number): Promise<{ wrong: string | undefined } | undefined> {
    const world = worldOf(of);
    let calls = 0;
    for (const { name, act, isCommand } of HISTORIES[of].phases) {
        await act(world);
        await world.drain(() => {
            calls += 1;
            return calls === place ? 'dies after' : 'works';
        });
        // Nobody can say of a command that was cut whether it took effect.
        if (calls >= place && !isCommand) {
            for (const kind of QUEUE_KINDS) {
                world.queues[kind].lose();
            }
            await command(world, 'reconcile', '');
            await world.drain();
            const wrong = await findWrong(world, of);
            return { wrong: wrong && `after ${name}: ${wrong}` };
        }
    }
    return calls >= place ? { wrong: await findWrong(world, of) } : undefined;
}

async function findWrong(world: World, of: CutOf): Promise<string | undefined> {
    const [found, wanted] = [await readFigures(world.store), world.truth.figures()];
    const wrong = world.truth.faults[0] ?? (isDeepStrictEqual(found, wanted) ? undefined : `found ${[...found]}, wanted ${[...wanted]}`);
    return wrong ?? (of === 'derived' ? findWrongDerived(world.store, wanted) : undefined);
}
