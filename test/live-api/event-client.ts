/** Reads server-sent events, as EventSource does, but with headers. */

export interface ReceivedEvent {
    id: string;
    type: string;
    data: string;
}

export interface EventClient {
    /** The last id that the server told, by an event or alone. */
    readonly lastId: string;
    /** The next event; undefined at the end of the stream. Comments are skipped. */
    next(): Promise<ReceivedEvent | undefined>;
    /** The next `count` events. */
    take(count: number): Promise<ReceivedEvent[]>;
    close(): Promise<void>;
}

export function readEvents(response: Response): EventClient {
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const decoder = new TextDecoder();
    let [text, lastId, isOver] = ['', '', false];
    const next = async (): Promise<ReceivedEvent | undefined> => {
        for (;;) {
            const end = text.indexOf('\n\n');
            if (end < 0) {
                if (isOver) {
                    return undefined;
                }
                const { done, value } = await reader.read();
                isOver = done;
                text += decoder.decode(value, { stream: true });
                continue;
            }
            const lines = text.slice(0, end).split('\n');
            text = text.slice(end + 2);
            const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
            lastId = field('id') ?? lastId;
            const data = field('data');
            if (data !== undefined) {
                return { id: lastId, type: field('event') ?? 'message', data };
            }
        }
    };
    return {
        get lastId() {
            return lastId;
        },
        next,
        take: async (count) => {
            const taken: ReceivedEvent[] = [];
            while (taken.length < count) {
                const event = await next();
                if (!event) {
                    throw new Error(`The stream ended behind ${taken.length} of ${count} events`);
                }
                taken.push(event);
            }
            return taken;
        },
        close: () => reader.cancel(),
    };
}
