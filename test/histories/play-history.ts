/** A history of a lake, move by move: what people, queues and crashes do, told as data, so that it can be played again, cut short and read. */
import type { ReadingOptions } from '#lake/kind';
import { sourceId } from '#lake/source-id';

import { findWrongAccounts } from '#test/support/accounts';
import { readFigures, type SmallFile } from '#test/support/small-files';
import { findWrongDerived } from './derived-tables.ts';
import { type CommandKind, QUEUE_KINDS, type QueueKind } from './kinds.ts';
import type { Rule } from './without-rule.ts';
import { type DelayedBy, type Fate, type Worker, World } from './world.ts';

/** Workers and messages go by their names, so that a move means the same where others were taken out before it. */
export type Move =
    | { move: 'upload'; key: string; content: string; file: SmallFile; options: ReadingOptions }
    | { move: 'command'; kind: CommandKind; subject: string }
    /** A message that was done with long ago. */
    | { move: 'late duplicate'; kind: QueueKind; subject: string }
    | { move: 'raw object is deleted'; key: string }
    | { move: 'days pass'; days: number }
    /** While workers are at it, and what is held back is held back. */
    | { move: 'seconds pass'; seconds: number }
    | { move: 'messages are lost' }
    | { move: 'redrive' }
    | { move: 'upgrade' }
    /** Every call of such workers fails from now on, until `outage ends`. */
    | { move: 'outage'; kind: QueueKind }
    | { move: 'outage ends' }
    /** `again`: it stays to be delivered a second time; of days, whose messages come one by one, there is a further message. */
    | { move: 'deliver'; kind: QueueKind; message: string; again: boolean }
    | { move: 'step'; worker: string; fate: Fate }
    /** Steps that work, until the worker has come for the so-manyth time to a call that begins so; without `until` to its end. */
    | { move: 'run'; worker: string; until?: { call: string; times: number } | undefined };

export interface History {
    /** True if it begins with the release before. */
    isOld: boolean;
    /** True if one message of a day is out at a time, as deployed. */
    isFifo: boolean;
    /** How days are held back in their queue. */
    delay: DelayedBy;
    moves: readonly Move[];
}

export interface Played {
    /** The moves that could be made, in order; others were passed over. */
    made: Move[];
    /** What happened, a line for each move; the calls of one worker that follow each other are one, and so is all that comes at the end. */
    story: string[];
    /** What was not as promised; undefined where all was. */
    wrong: string | undefined;
}

/** Plays all moves, then lets everybody finish, and holds the lake to its promises. */
export async function playHistory(
    { moves, ...setting }: History,
    {
        broken,
        onMove,
    }: { broken?: Rule | undefined /** Called with each move that was made. */; onMove?: (move: Move, world: World) => void } = {},
): Promise<Played> {
    const play = new Play({ ...setting, broken });
    for (const move of moves) {
        if (await play.make(move)) {
            onMove?.(move, play.world);
        }
    }
    const wrong = await play.finish();
    return { made: play.made, story: play.story, wrong };
}

const A_DAY_MS = 24 * 60 * 60 * 1000;

export class Play {
    readonly world: World;
    readonly made: Move[] = [];
    readonly story: string[] = [];
    readonly #keys = new Set<string>();
    /** Names of sources, for who reads the story. */
    readonly #names = new Map<string, string>();
    #outage: QueueKind | undefined;
    /** Whose calls the last line of the story tells. */
    #teller: string | undefined;

    constructor(setting: { isOld: boolean; isFifo: boolean; delay: DelayedBy; broken?: Rule | undefined }) {
        this.world = new World(setting);
    }

    get outage(): QueueKind | undefined {
        return this.#outage;
    }

    /** @returns whether it could be made: workers and messages may not be there, and some moves need quiet. */
    async make(move: Move): Promise<boolean> {
        const isMade = await this.#try(move);
        if (isMade) {
            this.made.push(move);
        }
        return isMade;
    }

    async #try(move: Move): Promise<boolean> {
        const { world } = this;
        switch (move.move) {
            case 'upload':
                await world.upload(move.key, move.file, move.options);
                world.send('summarize', move.key);
                this.#keys.add(move.key);
                this.#names.set(sourceId(move.key), move.key.slice(move.key.lastIndexOf('/') + 1));
                return this.#tell(tellUpload(move));
            case 'command':
                // What the release before read of a pruned file stays as it read it: nothing can be held against that.
                if (move.kind === 'prune' && world.isOld) {
                    return false;
                }
                await world.start(move.kind, move.subject);
                return this.#tell(`command: ${move.kind} ${move.subject}`);
            case 'late duplicate':
                world.queues[move.kind].send(move.subject, { sentAt: world.now, isDone: true });
                return this.#tell(`a message to ${move.kind} ${move.subject} comes once more, long after it was done`);
            case 'raw object is deleted':
                if (!world.isQuiet || world.hasDeadLetters || world.needsReconcile || world.isOld) {
                    return false;
                }
                await world.store.delete(move.key);
                return this.#tell(`${move.key} is deleted`);
            case 'days pass':
                return this.#letDaysPass(move.days);
            case 'seconds pass':
                world.now = new Date(world.now.getTime() + move.seconds * 1000);
                return this.#tell(`${move.seconds} s pass`);
            case 'messages are lost':
                for (const kind of QUEUE_KINDS) {
                    world.queues[kind].lose();
                }
                world.needsReconcile = true;
                return this.#tell('all messages are lost');
            case 'redrive':
                return world.redrive() > 0 && this.#tell('redrive: all dead letters are sent again');
            case 'upgrade':
                if (!world.isOld) {
                    return false;
                }
                world.upgrade();
                return this.#tell('upgrade: workers that begin from now on are of the new release');
            case 'outage':
                this.#outage = move.kind;
                return this.#tell(`every call of ${move.kind} fails from now on`);
            case 'outage ends':
                this.#outage = undefined;
                return this.#tell('calls succeed again');
            case 'deliver':
                return this.#deliver(move);
            case 'run':
                return this.#run(move);
            default:
                return this.#step(move);
        }
    }

    #letDaysPass(days: number): boolean {
        const { world } = this;
        // No worker lives that long.
        if (world.running.length > 0) {
            return false;
        }
        world.now = new Date(world.now.getTime() + days * A_DAY_MS);
        const expired = QUEUE_KINDS.reduce((count, kind) => count + world.queues[kind].expire(world.now), 0);
        world.needsReconcile ||= expired > 0;
        return this.#tell(`${days} days pass, ${expired} messages are too old`);
    }

    async #deliver({ kind, message: name, again }: Extract<Move, { move: 'deliver' }>): Promise<boolean> {
        const { world } = this;
        const queue = world.queues[kind];
        const waiting = queue.receivable();
        const subject = name.slice(0, name.lastIndexOf(' #'));
        const message = waiting.find((one) => one.name === name) ?? waiting.find((one) => one.subject === subject);
        if (!message) {
            return false;
        }
        if (again && kind !== 'summarize') {
            world.send(kind, subject);
        }
        const worker = await world.deliver(kind, message, { stays: again });
        return this.#tell(
            `${worker.name} begins${again ? '; its message will come again' : ''}${worker.isOld ? ', of the release before' : ''}`,
        );
    }

    async #step({ worker: name, fate }: Extract<Move, { move: 'step' }>): Promise<boolean> {
        const { world } = this;
        const worker = world.running.find((one) => one.name === name);
        if (!worker) {
            return false;
        }
        this.#tellCall(worker, this.#fateOf(worker, fate));
        await world.advance(worker, this.#fateOf(worker, fate));
        return true;
    }

    async #run({ worker: name, until }: Extract<Move, { move: 'run' }>): Promise<boolean> {
        const { world } = this;
        const worker = world.running.find((one) => one.name === name);
        for (let met = 0; worker && world.running.includes(worker); ) {
            this.#tellCall(worker, this.#fateOf(worker, 'works'));
            await world.advance(worker, this.#fateOf(worker, 'works'));
            met += until && worker.call?.what.startsWith(until.call) ? 1 : 0;
            if (met > 0 && met === until?.times) {
                break;
            }
        }
        return worker !== undefined;
    }

    #fateOf(worker: Worker, fate: Fate): Fate {
        return fate === 'works' && worker.kind === this.#outage ? 'fails before' : fate;
    }

    /**
     * Everybody works until all is quiet, dead letters are sent again, and reconcile runs as often as people would run it.
     * @returns what was not as promised
     */
    async finish(): Promise<string | undefined> {
        const { world } = this;
        this.#outage = undefined;
        await this.#drain();
        while (world.redrive() > 0) {
            await this.#drain();
        }
        if (!world.needsReconcile && !world.isOld) {
            // Nothing was lost and no command cut short: the queues alone must bring the figures up to date.
            const early = await this.#findWrongFigures();
            if (early !== undefined) {
                return `before reconcile: ${early}`;
            }
        }
        world.upgrade();
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
        const { world } = this;
        world.now = new Date(world.now.getTime() + 2 * A_DAY_MS);
        this.#tell('two days pass; command: reconcile');
        await world.start('reconcile', '');
        await this.#drain();
    }

    async #drain(): Promise<void> {
        const names = new Set<string>();
        await this.world.drain(({ name }) => {
            names.add(name);
            return 'works';
        });
        this.#tell(`everybody finishes, one after the other: ${[...names].join(', ') || 'nobody'}`);
    }

    async #findWrongFigures(): Promise<string | undefined> {
        const { world } = this;
        if (world.truth.faults[0] !== undefined) {
            return world.truth.faults[0];
        }
        const found = await readFigures(world.store);
        const wanted = world.truth.figures();
        const [foundText, wantedText] = [found, wanted].map((figures) => [...figures].map((row) => row.join(': ')).join('\n  '));
        return foundText === wantedText ? findWrongDerived(world.store, wanted) : `found\n  ${foundText}\nwanted\n  ${wantedText}`;
    }

    /** Raw objects are what was uploaded last, or gone. */
    async #findWrongRaw(): Promise<string | undefined> {
        for (const key of this.#keys) {
            const raw = await this.world.store.head(key);
            if (raw && raw.generation !== this.world.truth.latest(key)?.generation) {
                return `${key} was changed`;
            }
        }
        return undefined;
    }

    #tell(line: string): true {
        this.story.push(line);
        this.#teller = undefined;
        return true;
    }

    #tellCall({ name, call }: Worker, fate: Fate): void {
        const what = (call?.what ?? '').replace(/[0-9a-f]{16}/g, (hash) => this.#names.get(hash) ?? hash.slice(0, 4)).trim();
        const told = fate === 'works' ? what : `${what} ${fate.toUpperCase()}`;
        if (this.#teller === name) {
            this.story.push(`${this.story.pop()}, ${told}`);
        } else {
            this.story.push(`${name}: ${told}`);
        }
        this.#teller = name;
    }
}

function tellUpload({ key, content, file, options }: Extract<Move, { move: 'upload' }>): string {
    const flows = file.flows.map(({ date, src, dst, durationUs, packets }) => `${date} ${src} ${dst} ${durationUs} ${packets}`);
    const what = file.isUsable
        ? `${flows.join('; ') || 'no flows'}${file.rejects > 0 ? `, ${file.rejects} rejects` : ''}`
        : 'no file of flows';
    return `upload ${key}, content ${content}${options.dateOrder ? `, --date-order ${options.dateOrder}` : ''} (${what})`;
}
