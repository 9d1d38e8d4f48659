/** Random histories of a lake: everything that people, queues and crashes may do, interleaved at every call; the same for the same seed. */

import type { ReadingOptions } from '#lake/kind';
import { dayOfFlow, type SmallFile, type SmallFlow, smallFile, unusableFile } from '#test/support/small-files';
import { DERIVED_NAMES } from './derived-tables.ts';
import { QUEUE_KINDS } from './kinds.ts';
import { type History, type Move, Play } from './play-history.ts';
import type { Rule } from './without-rule.ts';
import { type DelayedBy, FATES, type Fate, type Worker } from './world.ts';

const KEYS = ['raw/a.csv', 'raw/site=berlin/b.csv'];
/** Days of either order; the last is the same in both. */
const DATES = ['01/02/2026', '02/01/2026', '02/02/2026'];
const DAYS = DATES.map((date) => dayOfFlow({ date, src: '', dst: '', durationUs: 0, packets: 0 }, {}));
const PAIRS = [
    { src: '10.0.0.1', dst: '10.0.0.2' },
    { src: '10.0.0.2', dst: '10.0.0.1' },
];
/** How long people are away: a day is more than any worker lives, three weeks more than a message does. */
const DAYS_AWAY = [2, 10, 21];
/** Half of all histories hold days back. */
const DELAYS: readonly DelayedBy[] = ['nothing', 'nothing', 'window', 'period'];
/** Seconds in which nothing else happens: less and more than SQS remembers an id. */
const PAUSES = [10, 60, 120, 240, 310];

export interface Drawn extends History {
    moves: Move[];
    /** What was not as promised; undefined where all was. */
    wrong: string | undefined;
}

/** Draws a history and plays it at once: what may come next depends on what has happened. */
export function drawHistory(seed: number, { broken }: { broken?: Rule | undefined } = {}): Promise<Drawn> {
    return new Drawer(seed, broken).draw();
}

class Drawer {
    readonly #random: () => number;
    readonly #play: Play;
    readonly #setting: { isOld: boolean; isFifo: boolean; delay: DelayedBy };
    readonly #files = new Map<string, SmallFile>();
    readonly #isOrdered: boolean;
    /** One source and two contents only, which meet all the more. */
    readonly #isNarrow: boolean;
    readonly #places = new WeakMap<Worker, number>();
    /** Half of all messages are delivered again while the first delivery is under way. */
    readonly #isRepeated: boolean;
    #actsLeft: number;
    /** How many calls may come out badly after the last act. */
    #mishapsLeft: number;
    #uploads = 0;

    constructor(seed: number, broken: Rule | undefined) {
        this.#random = randomOf(seed);
        const delay = DELAYS[this.#below(DELAYS.length)] ?? 'nothing';
        this.#setting = { isOld: this.#happens(0.15), isFifo: delay !== 'nothing' || this.#happens(0.5), delay };
        this.#play = new Play({ ...this.#setting, broken });
        this.#actsLeft = 2 + this.#below(7);
        this.#isOrdered = this.#happens(0.5);
        this.#isNarrow = this.#happens(0.5);
        this.#isRepeated = this.#happens(0.3);
        this.#mishapsLeft = this.#below(3);
    }

    async draw(): Promise<Drawn> {
        const { world } = this.#play;
        let wrong: string | undefined;
        try {
            while (this.#actsLeft > 0 || !world.isQuiet) {
                if (this.#actsLeft > 0 && this.#happens(0.1)) {
                    this.#actsLeft -= 1;
                    await this.#play.make(this.#act());
                }
                if (this.#play.outage && this.#happens(0.05)) {
                    await this.#play.make({ move: 'outage ends' });
                }
                if (this.#setting.delay !== 'nothing' && (this.#isHeldBack || this.#happens(0.03))) {
                    await this.#play.make({ move: 'seconds pass', seconds: PAUSES[this.#below(PAUSES.length)] ?? 60 });
                }
                await this.#deliver();
                const worker = this.#choose();
                if (worker) {
                    await this.#play.make({ move: 'step', worker: worker.name, fate: this.#fate() });
                }
            }
            wrong = await this.#play.finish();
        } catch (error) {
            wrong = error instanceof Error ? (error.stack ?? error.message) : String(error);
        }
        return { ...this.#setting, moves: this.#play.made, wrong };
    }

    /** True if nobody works and all that waits is held back. */
    get #isHeldBack(): boolean {
        const { world } = this.#play;
        return world.running.length === 0 && QUEUE_KINDS.every((kind) => world.queues[kind].receivable().length === 0);
    }

    async #deliver(): Promise<void> {
        const { world } = this.#play;
        for (const kind of QUEUE_KINDS) {
            const waiting = world.queues[kind].receivable();
            if (waiting.length > 0 && world.running.length < 5 && this.#happens(0.3)) {
                const message = waiting[this.#below(waiting.length)]?.name ?? '';
                const again = this.#mayGoWrong && this.#happens(this.#isRepeated ? 0.5 : 0.1);
                await this.#play.make({ move: 'deliver', kind, message, again });
            }
        }
    }

    /**
     * Who goes on: anyone, or in every other history the first in line, who falls back behind the others now and then: so a worker stands
     * still while others do all their work.
     */
    #choose(): Worker | undefined {
        const { running } = this.#play.world;
        if (!this.#isOrdered) {
            return running[this.#below(running.length)];
        }
        const inOrder = running.toSorted((a, b) => this.#placeOf(a) - this.#placeOf(b));
        const [first] = inOrder;
        if (first && this.#happens(0.05)) {
            this.#places.set(first, 1 + this.#random());
        }
        return inOrder[0];
    }

    #placeOf(worker: Worker): number {
        const place = this.#places.get(worker) ?? this.#random();
        this.#places.set(worker, place);
        return place;
    }

    get #mayGoWrong(): boolean {
        return this.#actsLeft > 0 || this.#mishapsLeft > 0;
    }

    #fate(): Fate {
        const isBad = this.#mayGoWrong && this.#happens(0.05);
        this.#mishapsLeft -= isBad && this.#actsLeft === 0 ? 1 : 0;
        return isBad ? (FATES[1 + this.#below(FATES.length - 1)] ?? 'works') : 'works';
    }

    #act(): Move {
        const key = KEYS[this.#isNarrow ? 0 : this.#below(KEYS.length)] ?? '';
        const day = DAYS[this.#below(DAYS.length)] ?? '';
        const acts: [chance: number, act: () => Move][] = [
            [0.45, () => this.#upload(key)],
            [0.09, () => ({ move: 'late duplicate', kind: 'summarize', subject: key })],
            [0.03, () => ({ move: 'late duplicate', kind: 'consolidate', subject: day })],
            [
                0.02,
                () => ({ move: 'late duplicate', kind: 'derive', subject: `${DERIVED_NAMES[this.#below(DERIVED_NAMES.length)]} ${day}` }),
            ],
            [0.03, () => ({ move: 'command', kind: 'publish', subject: '' })],
            [0.03, () => ({ move: 'raw object is deleted', key })],
            [0.04, () => ({ move: 'command', kind: 'prune', subject: '' })],
            [0.05, () => ({ move: 'command', kind: 'reconcile', subject: '' })],
            [0.04, () => ({ move: 'command', kind: this.#happens(0.5) ? 'rebuild' : 'rebuild anew', subject: day })],
            [0.04, () => ({ move: 'days pass', days: DAYS_AWAY[this.#below(DAYS_AWAY.length)] ?? 2 })],
            [0.02, () => ({ move: 'messages are lost' })],
            [0.03, () => ({ move: 'redrive' })],
            [0.03, () => ({ move: 'outage', kind: QUEUE_KINDS[this.#below(QUEUE_KINDS.length)] ?? 'summarize' })],
            [this.#play.world.isOld ? 0.2 : 0, () => ({ move: 'upgrade' })],
        ];
        let dice = this.#random() * (1 + (this.#play.world.isOld ? 0.2 : 0));
        for (const [chance, act] of acts) {
            dice -= chance;
            if (dice < 0) {
                return act();
            }
        }
        return { move: 'command', kind: 'retract', subject: key };
    }

    #upload(key: string): Move {
        this.#uploads += 1;
        // Equal bytes may come back, with other options too.
        const content = ['x', 'y', 'z', `n${this.#uploads}`][this.#below(this.#isNarrow ? 2 : 4)] ?? '';
        const file = this.#files.get(key + content) ?? this.#makeFile(key);
        this.#files.set(key + content, file);
        const options: ReadingOptions = this.#happens(0.3) ? { dateOrder: 'mdy' } : {};
        return { move: 'upload', key, content, file, options };
    }

    #makeFile(key: string): SmallFile {
        if (this.#happens(0.08)) {
            return unusableFile(`no flows at all ${this.#uploads}`);
        }
        const last = this.#play.world.truth.latest(key)?.file;
        const rejects = this.#happens(0.2) ? 1 + this.#below(2) : 0;
        if (last?.isUsable && this.#happens(0.2)) {
            // A correction that only takes rows away, often all.
            return smallFile(last.flows.slice(0, this.#below(last.flows.length)), { rejects });
        }
        const flows: SmallFlow[] = DATES.filter(() => this.#happens(0.5)).flatMap((date) =>
            Array.from({ length: 1 + this.#below(3) }, () => ({
                date,
                ...(PAIRS[this.#below(PAIRS.length)] as (typeof PAIRS)[0]),
                durationUs: this.#below(1000),
                packets: this.#below(10),
            })),
        );
        return smallFile(flows, { rejects });
    }

    #happens(probability: number): boolean {
        return this.#random() < probability;
    }

    #below(limit: number): number {
        return Math.floor(this.#random() * limit);
    }
}

/** Mulberry32: numbers from 0 to below 1, the same for the same seed. */
function randomOf(seed: number): () => number {
    let state = seed | 0;
    return () => {
        state = (state + 0x6d2b79f5) | 0;
        let mixed = Math.imul(state ^ (state >>> 15), state | 1);
        mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
}
