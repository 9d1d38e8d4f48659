/**
 * Bounds what is kept of messages that are put aside, where they come in batches: of each device as many in an hour as at every way in. The others are counted,
 * and their number stands in the place of the last of them: so it is in the chain with the batch, and no count waits for anything.
 */
import type { ChainMessage } from '#lake/telemetry/chain-line';
import { hourOf, MAX_ASIDE_IN_HOUR, sayDropped } from './judge-arrival.ts';

/** Hours that are remembered behind the latest: messages of a batch are that late at most, but for those of a backlog. */
const HOURS_KEPT = 2;

export class AsideLimit {
    /** Messages that were put aside and kept, by hour and device. */
    readonly #kept = new Map<number, Map<string, number>>();

    /** The messages as they are kept; nothing is counted by this. */
    apply(messages: readonly ChainMessage[]): { messages: ChainMessage[]; dropped: number } {
        const kept = new Map<string, number>();
        const droppedAt = new Map<string, { at: number; dropped: number }>();
        const isDropped = new Set<number>();
        for (const [at, message] of messages.entries()) {
            if (message.refused === undefined) {
                continue;
            }
            const [hour, device] = placeOf(message);
            const name = `${hour} ${device}`;
            const before = kept.get(name) ?? this.#kept.get(hour)?.get(device) ?? 0;
            if (before < MAX_ASIDE_IN_HOUR) {
                kept.set(name, before + 1);
            } else {
                isDropped.add(at);
                droppedAt.set(name, { at, dropped: (droppedAt.get(name)?.dropped ?? 0) + 1 });
            }
        }
        const says = new Map([...droppedAt.values()].map(({ at, dropped }) => [at, dropped]));
        return {
            dropped: isDropped.size,
            messages: messages.flatMap((message, at) => {
                const dropped = says.get(at);
                if (dropped !== undefined) {
                    const refused = sayDropped({ dropped, hour: hourOf(message.arrivedMs) });
                    return [{ ...message, topic: undefined, headers: undefined, refused, payload: Buffer.alloc(0) }];
                }
                return isDropped.has(at) ? [] : [message];
            }),
        };
    }

    /** Counts messages that stand in the chain now. */
    note(messages: readonly ChainMessage[]): void {
        for (const message of messages) {
            if (message.refused !== undefined) {
                const [hour, device] = placeOf(message);
                const ofHour = this.#kept.get(hour) ?? new Map<string, number>();
                this.#kept.set(hour, ofHour.set(device, (ofHour.get(device) ?? 0) + 1));
            }
        }
        const latest = Math.max(...this.#kept.keys());
        for (const hour of this.#kept.keys()) {
            if (hour < latest - HOURS_KEPT) {
                this.#kept.delete(hour);
            }
        }
    }
}

/** The hour and the device that a message counts for. All that is of no registered device counts as one: anybody can think up a partition key. */
function placeOf({ arrivedMs, device, profile }: ChainMessage): [hour: number, device: string] {
    return [hourOf(arrivedMs), (profile === undefined ? undefined : device) ?? ''];
}
