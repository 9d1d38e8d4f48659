/** The shortest history that breaks a promise as a longer one did. */
import { minimizeList } from '#test/support/minimize-list';
import { smallFile } from '#test/support/small-files';
import { type History, type Move, type Played, playHistory } from './play-history.ts';
import type { Rule } from './without-rule.ts';

/**
 * Takes away moves and flows as long as something is still wrong in the end. `history` must be a wrong one; some `tries` others are
 * played at most.
 */
export async function shortenHistory(
    history: History,
    { broken, tries = 3000 }: { broken?: Rule | undefined; tries?: number } = {},
): Promise<History & Played> {
    const budget = { tries };
    let best = history;
    const isWrong = async (other: History): Promise<boolean> => (await playHistory(other, { broken })).wrong !== undefined;
    const keepIfWrong = async (other: History): Promise<void> => {
        budget.tries -= 1;
        best = budget.tries > 0 && (await isWrong(other)) ? other : best;
    };
    const takeMovesAway = async (): Promise<void> => {
        for (let before = Number.POSITIVE_INFINITY; best.moves.length < before && budget.tries > 0; ) {
            before = best.moves.length;
            best = { ...best, moves: await minimizeList(best.moves, (moves) => isWrong({ ...best, moves }), budget) };
        }
    };
    await takeMovesAway();
    // Steps are counted, runs go up to a call: only with these a file may become simpler.
    await keepIfWrong({ ...best, moves: await asRuns(best, broken) });
    for (const [at, move] of best.moves.entries()) {
        for (const simpler of simplerMoves(move)) {
            await keepIfWrong({ ...best, moves: best.moves.with(at, simpler) });
        }
    }
    await takeMovesAway();
    await keepIfWrong({ ...best, isOld: false });
    await keepIfWrong({ ...best, isFifo: true });
    return { ...best, ...(await playHistory(best, { broken })) };
}

/** The moves, with steps of one worker that follow each other and work made one run. */
async function asRuns(history: History, broken: Rule | undefined): Promise<Move[]> {
    const runs: Move[] = [];
    let met: string[] = [];
    await playHistory(history, {
        broken,
        onMove(move, world) {
            const last = runs.at(-1);
            if (move.move !== 'step' || move.fate !== 'works') {
                runs.push(move);
                met = [];
                return;
            }
            const call = world.running.find(({ name }) => name === move.worker)?.call?.what;
            const begins = call === undefined ? '' : (/^\w+ \w*/.exec(call)?.[0] ?? '');
            const follows = last?.move === 'run' && last.worker === move.worker;
            met = follows ? [...met, begins] : [begins];
            const times = met.filter((one) => one === begins).length;
            const run: Move = { move: 'run', worker: move.worker, until: call === undefined ? undefined : { call: begins, times } };
            runs.splice(follows ? -1 : runs.length, follows ? 1 : 0, run);
        },
    });
    return runs;
}

/** Simplest last. */
function simplerMoves(move: Move): Move[] {
    if (move.move === 'deliver') {
        return move.again ? [{ ...move, again: false }] : [];
    }
    if (move.move === 'step') {
        return move.fate === 'works' ? [] : [{ ...move, fate: 'works' }];
    }
    if (move.move !== 'upload' || !move.file.isUsable || move.file.flows.length + move.file.rejects < 2) {
        return [];
    }
    const { flows } = move.file;
    const days = [...new Map(flows.map((flow) => [flow.date, flow])).values()];
    return [days, ...days.map((flow) => [flow])].map((some) => ({ ...move, file: smallFile(some) }));
}
