/** Plays a history against the real consumer and watch, whose calls to the store may die, and compares what comes of it with what the plain recompute says. */
import { isDeepStrictEqual } from 'node:util';
import { addInput } from '#lake/inputs';
import type { InboxReader } from '#lake/live/inbox';
import { LiveProfiles } from '#lake/live/live-profiles';
import type { DeviceItem, LiveEpisode, LiveEvent } from '#lake/live/state-store';
import { LatestConsumer, type LatestConsumerOptions } from '#lake/serve/latest-consumer';
import { Watch, type WatchOptions } from '#lake/serve/watch';
import type { ChainMessage } from '#lake/telemetry/chain-line';
import { memoryStore } from '#test/support/memory-store';
import { BEGIN_MS, drawLuck, drawMoves, type Luck, type Move, PROFILES } from './draw-moves.ts';
import { MemoryState } from './memory-state.ts';
import { computePlainly, newestOf, type PlainAlert, type PlainDevice } from './plain.ts';

/** What latest state is kept in. */
export interface World {
    state: LatestConsumerOptions['store'] & WatchOptions['state'];
    queries: WatchOptions['queries'];
    /** The same as another process has it open. */
    other?: LatestConsumerOptions['store'];
    items(): DeviceItem[];
    alerts(): LiveEpisode[];
    events(): LiveEvent[];
}

/** A world in memory. */
export function memoryWorld(): World {
    const state = new MemoryState();
    return {
        state,
        queries: state,
        items: () => [...state.items.keys()].sort().map((device) => state.item(device)),
        alerts: () => [...state.alerts.values()],
        events: () => state.events,
    };
}

/** The profiles of the histories, as they are read. */
export const openedProfiles = (async () => {
    const store = memoryStore();
    for (const profile of PROFILES) {
        await addInput(store, 'profiles/', profile.name, profile);
    }
    return new LiveProfiles({ store, monotonicMs: () => 0, onFault: fail });
})();

/** The history of a seed. @returns what is wrong, else undefined */
export function playSeed(seed: number, world = memoryWorld()): Promise<string | undefined> {
    return play(drawMoves(seed), drawLuck(seed), world);
}

export class Died extends Error {}

/** Plays the moves. @returns what is wrong, else undefined */
export async function play(moves: readonly Move[], luck: Luck, world: World): Promise<string | undefined> {
    const profiles = await openedProfiles;
    const clock = { nowMs: BEGIN_MS, steadyMs: 0 };
    const clocks = { now: () => clock.nowMs, monotonicMs: () => clock.steadyMs };
    const messages: ChainMessage[] = [];
    const inbox = inboxOf(messages, luck);
    const open = (store: LatestConsumerOptions['store']) => new LatestConsumer({ inbox, store, profiles, ...clocks, onFault: fail });
    const unlucky: LatestConsumerOptions['store'] = {
        cursor: () => world.state.cursor(),
        read: (devices) => withLuck(() => world.state.read(devices)),
        write: (batch) => withLuck(() => world.state.write(batch)),
    };
    let consumer = open(unlucky);
    let watch = openWatch();

    function openWatch(): Watch {
        const state = {
            ...unlucky,
            notePipeline: fail,
            pipelineLateSince: () => undefined,
            noteStates: () => undefined,
            tidy: () => undefined,
        } as unknown as WatchOptions['state'];
        return new Watch({
            state,
            queries: world.queries,
            profiles,
            progress: () => consumer.progress(),
            ...clocks,
            onFault: () => undefined,
        });
    }
    let hasDied = false;

    async function withLuck<T>(call: () => Promise<T>): Promise<T> {
        const fate = luck.fate();
        hasDied ||= fate.startsWith('dies');
        if (fate === 'dies before') {
            throw new Died();
        }
        if (fate === 'another is faster') {
            await open(world.other ?? world.state).takeAll();
        }
        const answer = await call();
        if (fate === 'dies behind') {
            throw new Died();
        }
        return answer;
    }

    async function takeAll(): Promise<void> {
        for (;;) {
            try {
                await consumer.takeAll();
                return;
            } catch (error) {
                if (!(error instanceof Died)) {
                    throw error;
                }
                consumer = open(unlucky);
            }
        }
    }

    for (const move of moves) {
        if (move.move === 'pass') {
            clock.nowMs += move.ms;
            clock.steadyMs += move.ms;
        } else if (move.move === 'jump') {
            clock.nowMs += move.ms;
        } else if (move.move === 'message') {
            const { device, profile, site, refused, payload } = move;
            messages.push({
                ...{ sequence: String(messages.length + 1), arrivedMs: clock.nowMs, way: 'mqtt', device, profile, site },
                ...({ refused } as object),
                payload: Buffer.from(payload),
            });
        } else if (move.move === 'restart') {
            consumer = open(unlucky);
            watch = openWatch();
        } else {
            await takeAll();
            do {
                hasDied = false;
                await watch.tick();
            } while (hasDied);
        }
    }
    return compareWith(moves, world);
}

function fail(what: unknown): never {
    throw new Error(String(what));
}

function inboxOf(messages: readonly ChainMessage[], luck: Luck): InboxReader {
    return {
        stream: 's',
        read: ({ after }) => messages.slice(Number(after), Number(after) + luck.batch()),
        last: () => String(messages.length),
        onAppended: () => () => undefined,
    };
}

/** What is wrong in a world behind the moves; undefined where it is as a plain recompute says. */
export function compareWith(moves: readonly Move[], world: Pick<World, 'items' | 'alerts' | 'events'>): string | undefined {
    const { devices, alerts, told, isPlainClock } = computePlainly(moves);
    const newest = isPlainClock ? newestOf(moves) : undefined;
    const found = world.items();
    const foundAlerts = world
        .alerts()
        .map(({ id, ended_ms: ended, worst, readings }): PlainAlert => ({ id, ended, worst, readings }))
        .sort((a, b) => (a.id < b.id ? -1 : 1));
    const foundTold: Record<string, string[]> = {};
    for (const event of world.events()) {
        if (event.kind === 'raised' || event.kind === 'cleared') {
            foundTold[event.alert.id] = [...(foundTold[event.alert.id] ?? []), event.kind];
        }
    }
    return (
        differ('devices', found.map(plainOf), devices) ??
        differ('alerts', foundAlerts, alerts) ??
        differ('told', sortedKeys(foundTold), sortedKeys(told)) ??
        (newest && differ('newest', newestIn(found), newest))
    );
}

function sortedKeys<T>(named: Record<string, T>): [string, T][] {
    return Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1));
}

function newestIn(items: readonly DeviceItem[]): unknown {
    return Object.fromEntries(
        items
            .filter(({ metrics }) => Object.keys(metrics).length > 0)
            .map(({ device, metrics }) => [
                device,
                Object.fromEntries(
                    Object.entries(metrics).map(([name, { value, text, atMs, message }]) => [name, [value ?? text, atMs, message]]),
                ),
            ]),
    );
}

function plainOf({ device, metrics, lastAtMs, lastReceivedMs, refused, rejected, late, open }: DeviceItem): PlainDevice {
    return {
        ...{ device, lastAtMs, lastReceivedMs, refused, rejected, late, open: open.map(({ id }) => id).sort() },
        metrics: Object.fromEntries(
            sortedKeys(metrics).map(([name, { value, text, atMs, message, receivedMs, clock }]) => [
                name,
                [value ?? text ?? '', atMs, message, receivedMs, clock],
            ]),
        ),
    };
}

function differ(what: string, found: unknown, wanted: unknown): string | undefined {
    // As plain data: rows of a database are objects of another make.
    const [one, other] = [found, wanted].map((value) => JSON.stringify(value, undefined, 1)) as [string, string];
    return isDeepStrictEqual(JSON.parse(one), JSON.parse(other))
        ? undefined
        : `${what}: found\n${one}\nand by the plain recompute\n${other}`;
}
