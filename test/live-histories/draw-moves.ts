/** Draws random histories of a small fleet: what its devices send, what time does, and when the program of latest state dies. */

/** What happens, one after the other. */
export type Move =
    /** A message comes in. */
    | {
          move: 'message';
          device: string | undefined;
          profile: string | undefined;
          site: string;
          refused: string | undefined;
          payload: string;
      }
    /** Time passes: both clocks go on. */
    | { move: 'pass'; ms: number }
    /** The machine's clock is set. */
    | { move: 'jump'; ms: number }
    /** All that came is taken, and the watch looks. */
    | { move: 'tick' }
    /** The program ends and begins again. */
    | { move: 'restart' };

/** How the program fares while it works a history off. */
export interface Luck {
    /** Messages that the inbox hands out at once. */
    batch(): number;
    /** What becomes of a call to the store. */
    fate(): 'works' | 'dies before' | 'dies behind' | 'another is faster';
}

/** Numbers below 1, the same for the same seed: mulberry32. */
function randomOf(seed: number): () => number {
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let t = Math.imul(state ^ (state >>> 15), state | 1);
        t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    };
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 86_400 * SECOND;

/** The machine's clock at the beginning. */
export const BEGIN_MS = Date.UTC(2026, 0, 5, 10);

/**
 * Profiles of a made-up sensor. `a` has an interval, and alerts of all kinds that one device can have; `b` reads the same messages, with other bounds and without
 * an interval of its own.
 */
export const PROFILES = ['a', 'b'].map((name) => ({
    name,
    device: [{ path: 'dev' }, { from: 'certificate' }],
    time: [{ path: 't', unit: 'ms' }, 'arrival'],
    identity: [{ path: 'n' }],
    metrics: [
        { path: 'x', name: 'x', digits: 1, historical: { path: 'old', is: 1 } },
        { path: 'y', name: 'y', digits: 0 },
        { path: 's', name: 's', kind: 'text' },
    ],
    ignore: ['dev', 'old'],
    gapLimit: '3m',
    ...(name === 'a' ? { dueEvery: '30s', grace: '15s' } : {}),
    alerts: [
        { rule: 'hot', severity: 'warning', message: 'hot', metric: 'x', above: { raise: name === 'a' ? 7 : 5, clear: 3 } },
        { rule: 'held', severity: 'critical', message: 'held', metric: 'x', above: { raise: 5, clear: 4 }, holdFor: '20s' },
        { rule: 'low', severity: 'info', message: 'low', metric: 'y', below: { raise: -2, clear: 0 } },
        { rule: 'no-y', severity: 'info', message: 'no y', metric: 'y', missingFor: '2m' },
        ...(name === 'a' ? [] : [{ rule: 'quiet', severity: 'warning', message: 'quiet', silentFor: '1m' }]),
    ],
}));

/** The moves of one seed. */
export function drawMoves(seed: number): Move[] {
    const random = randomOf(seed);
    const below = (limit: number): number => Math.floor(random() * limit);
    const oneOf = <T>(all: readonly T[]): T => all[below(all.length)] as T;
    const isOne = (in100: number): boolean => random() * 100 < in100;
    const devices = ['d1', 'd2', 'd3'].slice(0, 1 + below(3));
    // Most histories have no set clock: what is latest then can be told without following the order.
    const hasJumps = isOne(25);
    const hasMoves = isOne(30);
    const moves: Move[] = [];
    const sent: Move[] = [];
    let nowMs = BEGIN_MS;
    const length = 5 + below(45);
    let [profile, site] = [oneOf(['a', 'b']), 'main'];
    while (moves.length < length) {
        const drawn = below(100);
        if (drawn < 22) {
            const ms = oneOf([1, SECOND, 5 * SECOND, 10 * SECOND, 31 * SECOND, 50 * SECOND, 4 * MINUTE]);
            nowMs += ms;
            moves.push({ move: 'pass', ms });
        } else if (drawn < 32) {
            moves.push({ move: 'tick' });
        } else if (drawn < 34) {
            moves.push({ move: 'restart' });
        } else if (drawn < 37 && hasJumps) {
            const ms = oneOf([DAY, -DAY, 8 * MINUTE, -8 * MINUTE, 20 * MINUTE, -20 * MINUTE]);
            nowMs += ms;
            moves.push({ move: 'jump', ms });
        } else if (drawn < 45 && sent.length > 0) {
            moves.push(oneOf(sent));
        } else {
            if (hasMoves && isOne(10)) {
                [profile, site] = [oneOf(['a', 'b']), oneOf(['main', 'shed'])];
            }
            const message: Move = {
                move: 'message',
                device: isOne(3) ? undefined : oneOf(devices),
                profile: isOne(2) ? oneOf([undefined, 'none']) : profile,
                site: isOne(1) ? '../x' : site,
                refused: isOne(2) ? 'not its own topic' : undefined,
                payload: payloadOf(),
            };
            sent.push(message);
            moves.push(message);
        }
    }
    return [...moves, { move: 'tick' }];

    function payloadOf(): string {
        if (isOne(3)) {
            return oneOf(['', 'no json', '{}', '{"z":1}', '[1,2]']);
        }
        const late = oneOf([0, 0, 0, 0, 1, SECOND, 3 * SECOND, 10 * SECOND, 40 * SECOND, 3 * MINUTE, 2 * DAY]);
        const t = isOne(4) ? oneOf([0, 86_400_000, nowMs + 10 * DAY, nowMs + 6 * MINUTE]) : nowMs - late + (isOne(5) ? 4 * MINUTE : 0);
        const fields: Record<string, unknown> = { n: isOne(15) ? below(4) : moves.length + below(2), ...(isOne(6) ? {} : { t }) };
        if (isOne(80)) {
            fields.x = oneOf([0, 2.5, 3, 3.5, 4, 5, 5.5, 7, 7.5, 9]);
        }
        if (isOne(40)) {
            fields.y = oneOf([-5, -2, -1, 0, 3]);
        }
        if (isOne(15)) {
            fields.s = oneOf(['open', 'shut']);
        }
        if (isOne(3)) {
            fields.old = 1;
        }
        if (isOne(5)) {
            fields.dev = oneOf(devices);
        }
        return JSON.stringify(fields);
    }
}

/** Luck of one seed; every third history goes without a fault. */
export function drawLuck(seed: number): Luck {
    const random = randomOf(seed ^ 0x5eed);
    const isCalm = seed % 3 === 0;
    const largest = [1, 2, 5, 100][seed % 4] ?? 1;
    return {
        batch: () => 1 + Math.floor(random() * largest),
        fate() {
            const drawn = random() * 100;
            return isCalm || drawn >= 30 ? 'works' : drawn < 10 ? 'dies before' : drawn < 20 ? 'dies behind' : 'another is faster';
        },
    };
}
