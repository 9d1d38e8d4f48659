/**
 * Streams of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) out of the log of events. A stream reads from the log only what its
 * client takes: a slow client costs no memory here, and finds the rest in the log when it comes back with the last id that it saw.
 */

import type { LiveEvent } from '#lake/live/state-store';
import { eventBody } from './bodies.ts';
import type { EventLog } from './services.ts';

export interface StreamLimits {
    /** After so long without an event a comment goes out, so that both ends see that the connection lives. */
    heartbeatMs: number;
    maxStreams: number;
    /** A stream is ended after that, and the client comes again: with a token that may have been revoked meanwhile. */
    maxLifeMs: number;
    /** Events that are read from the log at once. */
    batch: number;
}

export const STREAM_LIMITS: StreamLimits = { heartbeatMs: 15_000, maxStreams: 100, maxLifeMs: 3_600_000, batch: 100 };

/** Milliseconds after which a client dials again. */
const RETRY_MS = 2000;

export class EventStreams {
    readonly #log: EventLog;
    readonly #limits: StreamLimits;
    readonly #onBroken: (error: unknown) => void;
    /** What ends each open stream. */
    readonly #open = new Set<() => void>();

    constructor(log: EventLog, { limits, onBroken }: { limits: StreamLimits; onBroken: (error: unknown) => void }) {
        this.#log = log;
        this.#limits = limits;
        this.#onBroken = onBroken;
    }

    get isFull(): boolean {
        return this.#open.size >= this.#limits.maxStreams;
    }

    /** The events behind `after` of these kinds, of one device or of all, for as long as the client reads. What is of no device is of all. */
    open({ after, device, kinds }: { after: string; device?: string | undefined; kinds: readonly string[] }): ReadableStream<Uint8Array> {
        const { heartbeatMs, maxLifeMs, batch } = this.#limits;
        const log = this.#log;
        const pause = new Pause();
        let isOver = false;
        const end = () => {
            isOver = true;
            stopListening();
            clearTimeout(life);
            this.#open.delete(end);
            pause.wake();
        };
        const isLatestWanted = kinds.includes('latest');
        const isWanted = (event: LiveEvent) => isFollowed(event, { kinds, device });
        const stopListening = log.onAdded(({ isLatestOnly }) => {
            if (isLatestWanted || !isLatestOnly) {
                pause.wake();
            }
        });
        const life = setTimeout(end, maxLifeMs);
        life.unref();
        this.#open.add(end);

        /** Last event that was read from the log, and last id that the client was told. */
        let [read, told] = [after, after];
        /** What goes out next; undefined once the stream is over. */
        const nextText = async (): Promise<string | undefined> => {
            while (!isOver) {
                pause.begin();
                const events = await log.read({ after: read, limit: batch, isLatestWanted });
                if (events === undefined) {
                    read = await log.last();
                    told = read;
                    return sayEvent(read, { kind: 'reset' });
                }
                read = events.at(-1)?.id ?? read;
                const wanted = events.filter(({ event }) => isWanted(event));
                if (wanted.length > 0) {
                    told = wanted.at(-1)?.id ?? told;
                    return wanted.map(({ id, event }) => sayEvent(id, event)).join('');
                }
                if (events.length > 0) {
                    // Others have a turn, however many there are that nobody wants here.
                    await new Promise((resolve) => setImmediate(resolve));
                } else if (!(await pause.wait(heartbeatMs))) {
                    const isBehind = read !== told;
                    told = read;
                    // An id alone is no event, but what the client comes back with.
                    return isBehind ? `id: ${read}\n\n` : ': still here\n\n';
                }
            }
            return undefined;
        };

        const encoder = new TextEncoder();
        let isBegun = false;
        let isCancelled = false;
        return new ReadableStream<Uint8Array>(
            {
                pull: async (controller) => {
                    try {
                        const text = isBegun ? await nextText() : `retry: ${RETRY_MS}\n${sayEvent(after, { kind: 'ready' })}`;
                        isBegun = true;
                        if (isCancelled) {
                            return;
                        }
                        if (text === undefined) {
                            controller.close();
                        } else {
                            controller.enqueue(encoder.encode(text));
                        }
                    } catch (error) {
                        end();
                        this.#onBroken(error);
                        controller.error(error);
                    }
                },
                cancel: () => {
                    isCancelled = true;
                    end();
                },
            },
            // Nothing is read ahead of the client.
            { highWaterMark: 0 },
        );
    }

    /** Ends all streams: their clients find the server gone, and come back with the last id that they saw. */
    close(): void {
        for (const end of this.#open) {
            end();
        }
    }
}

/** A pause that is over when somebody wakes it, also in the time between `begin` and `wait`. */
class Pause {
    #isWoken = false;
    #resolve: ((isWoken: boolean) => void) | undefined;

    begin(): void {
        this.#isWoken = false;
    }

    wake(): void {
        this.#isWoken = true;
        this.#resolve?.(true);
    }

    /** True if it was woken, false if the time is over. */
    async wait(ms: number): Promise<boolean> {
        if (this.#isWoken) {
            return true;
        }
        let timer: NodeJS.Timeout | undefined;
        const isWoken = await new Promise<boolean>((resolve) => {
            this.#resolve = resolve;
            timer = setTimeout(() => resolve(false), ms);
        });
        clearTimeout(timer);
        this.#resolve = undefined;
        return isWoken;
    }
}

/** What a stream says of itself. */
type StreamEvent = { kind: 'ready' | 'reset' };

function sayEvent(id: string, event: LiveEvent | StreamEvent): string {
    const body = isOfTheStream(event) ? event : eventBody(event);
    return `id: ${id}\nevent: ${event.kind}\ndata: ${JSON.stringify(body)}\n\n`;
}

function isOfTheStream(event: LiveEvent | StreamEvent): event is StreamEvent {
    return event.kind === 'ready' || event.kind === 'reset';
}

/** True for events of these kinds, of one device or of all. What is of no device is of all. */
export function isFollowed(event: LiveEvent, { kinds, device }: { kinds: readonly string[]; device?: string | undefined }): boolean {
    return kinds.includes(event.kind) && (device === undefined || (deviceOf(event) ?? device) === device);
}

/** The device of an event; undefined for one of the pipeline. */
function deviceOf(event: LiveEvent): string | undefined {
    return 'alert' in event ? event.alert.device : 'device' in event ? event.device : undefined;
}
