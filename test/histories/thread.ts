/** One thread of `npm run histories`. */
import { parentPort, workerData } from 'node:worker_threads';
import { drawHistory } from './draw-history.ts';
import { shortenHistory } from './shorten-history.ts';
import type { Rule } from './without-rule.ts';

export interface ThreadTask {
    /** Histories have the seeds `seed`, `seed + step`, ... */
    seed: number;
    step: number;
    maxHistories: number;
    /** Time to stop, in milliseconds since 1970. */
    until: number;
    broken: Rule | undefined;
}

/** What it tells the main thread: the first that is wrong, or what was played since it told last. */
export type News =
    | { wrong: { seed: number; story: string[]; wrong: string; before: string }; played?: never }
    | { played: number; moves: Record<string, number>; wrong?: never };

const TELL_EVERY = 50;
const { seed, step, maxHistories, until, broken }: ThreadTask = workerData;

let played = 0;
let moves: Record<string, number> = {};

function tell(): void {
    parentPort?.postMessage({ played, moves } satisfies News);
    played = 0;
    moves = {};
}

for (let next = seed; next < seed + step * maxHistories && Date.now() < until; next += step) {
    const history = await drawHistory(next, { broken });
    played += 1;
    for (const move of history.moves) {
        const name = move.move === 'step' ? `a call ${move.fate}` : move.move === 'command' ? `command: ${move.kind}` : move.move;
        moves[name] = (moves[name] ?? 0) + 1;
    }
    if (history.wrong !== undefined) {
        tell();
        const { story, wrong = 'nothing, when it was played again' } = await shortenHistory(history, { broken });
        parentPort?.postMessage({ wrong: { seed: next, story, wrong, before: history.wrong } } satisfies News);
        break;
    }
    if (played >= TELL_EVERY) {
        tell();
    }
}
tell();
