/** Random histories of a lake: everything that people, queues and crashes may do, interleaved at every call; the same for the same seed. */
import type { ReadingOptions } from '#lake/ledger';
import { findWrongAccounts } from '#test/support/accounts';
import type { Rule } from '#test/support/protocol-broken';
import { type Message, messageOf } from '#test/support/protocol-message';
import { FATES, type Fate, type Worker, World } from '#test/support/protocol-world';
import { dayOfFlow, readFigures, type SmallFile, type SmallFlow, smallFile, unusableFile } from '#test/support/small-files';

const KEYS = ['raw/a.csv', 'raw/site=berlin/b.csv'];
/** Days of either order; the last is the same in both. */
const DATES = ['01/02/2026', '02/01/2026', '02/02/2026'];
const PAIRS = [
    { src: '10.0.0.1', dst: '10.0.0.2' },
    { src: '10.0.0.2', dst: '10.0.0.1' },
];
const MAX_STEPS = 20_000;
const A_DAY_MS = 24 * 60 * 60 * 1000;

export interface HistoryResult {
    /** What people and fate did, in order. */
    log: string[];
    /** What was not as promised; undefined where all was. */
    wrong: string | undefined;
}

export async function runHistory(seed: number, { broken }: { broken?: Rule } = {}): Promise<HistoryResult> {
    const history = new History(seed, broken);
    return { wrong: await history.run(), log: history.log };
}

class History {
    readonly log: string[] = [];
    readonly #random: () => number;
    readonly #world: World;
    readonly #files = new Map<string, SmallFile>();
    readonly #isOrdered: boolean;
    /** One source and two contents only, which meet all the more. */
    readonly #isNarrow: boolean;
    readonly #places = new WeakMap<Worker, number>();
    /** Half of all messages are delivered again while the first delivery is under way. */
    readonly #isRepeated: boolean;
    #actsLeft: number;
    /** How many calls may come out badly after the last act, and before all is reconciled. */
    #mishapsLeft: number;
    #uploads = 0;

    constructor(seed: number, broken: Rule | undefined) {
        this.#random = randomOf(seed);
        this.#world = new World({ broken });
        this.#actsLeft = 2 + this.#below(7);
        this.#isOrdered = this.#happens(0.5);
        this.#isNarrow = this.#happens(0.5);
        this.#isRepeated = this.#happens(0.3);
        this.#mishapsLeft = this.#below(3);
    }

    async run(): Promise<string | undefined> {
        const world = this.#world;
        await this.#workUntilQuiet();
        if (!world.needsReconcile) {
            // Nothing was lost and no command cut short: the queues alone must bring the figures up to date.
            const early = await this.#findWrongFigures();
            if (early !== undefined) {
                return `before reconcile: ${early}`;
            }
        }
        await this.#reconcile();
        const wrong = await this.#findWrongFigures();
        if (wrong !== undefined) {
            return wrong;
        }
        // Whoever lost a race leaves its summaries behind; they go when they are old, and that must change nothing.
        await this.#reconcile();
        return (await this.#findWrongFigures()) ?? (await findWrongAccounts(world.store)) ?? (await this.#findWrongRaw());
    }

    async #reconcile(): Promise<void> {
        this.log.push('two days pass; reconcile');
        this.#mishapsLeft = 0;
        this.#world.now = new Date(this.#world.now.getTime() + 2 * A_DAY_MS);
        await this.#world.start('reconcile', '');
        await this.#workUntilQuiet();
    }

    async #workUntilQuiet(): Promise<void> {
        const world = this.#world;
        for (let step = 0; this.#actsLeft > 0 || !world.isQuiet; step += 1) {
            if (step > MAX_STEPS) {
                throw new Error(`never quiet: ${this.log.join('; ')}`);
            }
            if (this.#actsLeft > 0 && this.#happens(0.1)) {
                this.#actsLeft -= 1;
                await this.#act();
            }
            await this.#deliver();
            const worker = this.#choose();
            if (worker) {
                const fate = this.#fate();
                if (fate !== 'works') {
                    this.log.push(`${worker.kind} ${worker.subject} ${fate}: ${worker.call?.what}`);
                }
                await world.advance(worker, fate);
            }
        }
    }

    async #deliver(): Promise<void> {
        const world = this.#world;
        for (const kind of ['summarize', 'consolidate'] as const) {
            const queue = kind === 'summarize' ? world.summarizeQueue : world.consolidateQueue;
            if (queue.length > 0 && world.running.length < 5 && this.#happens(0.3)) {
                const message = queue[this.#below(queue.length)] as Message;
                if (!this.#mayGoWrong || !this.#happens(this.#isRepeated ? 0.5 : 0.1)) {
                    queue.splice(queue.indexOf(message), 1);
                } else if (kind === 'consolidate') {
                    // FIFO, with the day as group: no message is delivered to two at once. But there may be several messages of a day.
                    queue[queue.indexOf(message)] = messageOf(message.subject);
                }
                // Else it waits to be delivered again while the first delivery is under way.
                await world.deliver(kind, message);
            }
        }
    }

    /**
     * Who goes on: anyone, or in every other history the first in line, who falls back behind the others now and then: so a worker stands
     * still while others do all their work.
     */
    #choose(): Worker | undefined {
        const { running } = this.#world;
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

    async #act(): Promise<void> {
        const world = this.#world;
        const key = KEYS[this.#isNarrow ? 0 : this.#below(KEYS.length)] ?? '';
        const dice = this.#random();
        const canTell = world.isQuiet && !world.needsReconcile;
        if (dice < 0.58) {
            await this.#upload(key);
        } else if (dice < 0.72) {
            world.summarizeQueue.push(messageOf(key, { isDone: true }));
            this.log.push(`late duplicate event of ${key}`);
        } else if (dice < 0.78 && canTell) {
            // In quiet moments only, when the bytes are surely in the figures.
            await world.store.delete(key);
            this.log.push(`raw object of ${key} deleted`);
        } else if (dice < 0.84) {
            await world.start('reconcile', '');
            this.log.push('reconcile in between');
        } else if (dice < 0.88 && world.running.length === 0) {
            // No worker lives that long.
            world.now = new Date(world.now.getTime() + 2 * A_DAY_MS);
            this.log.push('two days pass');
        } else if (dice < 0.9) {
            world.summarizeQueue.splice(0);
            world.consolidateQueue.splice(0);
            world.needsReconcile = true;
            this.log.push('all messages lost');
        } else {
            await world.start('retract', key);
            this.log.push(`retract ${key}`);
        }
    }

    async #upload(key: string): Promise<void> {
        this.#uploads += 1;
        // The same bytes may come back, with other options too.
        const name = ['x', 'y', 'z', `n${this.#uploads}`][this.#below(this.#isNarrow ? 2 : 4)] ?? '';
        const file = this.#files.get(key + name) ?? this.#makeFile();
        this.#files.set(key + name, file);
        const options: ReadingOptions = this.#happens(0.3) ? { dateOrder: 'mdy' } : {};
        await this.#world.upload(key, file, options);
        this.#world.send('summarize', key);
        const days = file.flows.map((flow) => dayOfFlow(flow, options));
        this.log.push(`upload ${key} content ${name} ${options.dateOrder ?? ''} ${file.isUsable ? `${days}` : 'unusable'}`);
    }

    #makeFile(): SmallFile {
        if (this.#happens(0.08)) {
            return unusableFile(`no flows at all ${this.#uploads}`);
        }
        const flows: SmallFlow[] = DATES.filter(() => this.#happens(0.5)).flatMap((date) =>
            Array.from({ length: 1 + this.#below(3) }, () => ({
                date,
                ...(PAIRS[this.#below(PAIRS.length)] as (typeof PAIRS)[0]),
                durationUs: this.#below(1000),
                packets: this.#below(10),
            })),
        );
        return smallFile(flows, { rejects: this.#happens(0.2) ? 1 + this.#below(2) : 0 });
    }

    async #findWrongFigures(): Promise<string | undefined> {
        const world = this.#world;
        if (world.truth.faults[0] !== undefined) {
            return world.truth.faults[0];
        }
        const found = await readFigures(world.store);
        const wanted = world.truth.figures();
        const [foundText, wantedText] = [found, wanted].map((figures) => [...figures].map((row) => row.join(': ')).join('\n  '));
        return foundText === wantedText ? undefined : `found\n  ${foundText}\nwanted\n  ${wantedText}`;
    }

    /** Raw objects are what was uploaded last, or gone. */
    async #findWrongRaw(): Promise<string | undefined> {
        for (const key of KEYS) {
            const raw = await this.#world.store.head(key);
            if (raw && raw.generation !== this.#world.truth.latest(key)?.generation) {
                return `${key} was changed`;
            }
        }
        return undefined;
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
