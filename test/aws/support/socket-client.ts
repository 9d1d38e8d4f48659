/** Listens to live events by WebSocket, as a program does. */
export interface ToldEvent {
    id: string;
    event: string;
    data: any;
}

export interface SocketClient {
    /** The next events, so many. @throws where they do not come in time */
    take(count: number): Promise<ToldEvent[]>;
    /** What has come and was not taken, once nothing more has come for a while. */
    rest(): Promise<ToldEvent[]>;
    close(): Promise<void>;
}

const WITHIN_MS = 30_000;
const QUIET_MS = 1_500;

/** Connects and says what to follow. @throws where the connection is refused */
export async function followSocket(
    url: string,
    question: object,
    { headers = {} }: { headers?: Record<string, string> } = {},
): Promise<SocketClient> {
    // Node's own takes headers, which those of browsers do not.
    const socket = new WebSocket(url, { headers } as never);
    const told: ToldEvent[] = [];
    let wake = (): void => undefined;
    socket.onmessage = ({ data }) => {
        told.push(...JSON.parse(String(data)));
        wake();
    };
    await new Promise<void>((resolve, reject) => {
        socket.onopen = () => resolve();
        socket.onerror = () => reject(new Error('the connection is refused'));
        socket.onclose = () => reject(new Error('the connection is refused'));
    });
    socket.send(JSON.stringify(question));
    const come = (ms: number) =>
        new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, ms);
            wake = () => {
                clearTimeout(timer);
                resolve();
            };
        });
    return {
        async take(count) {
            const deadline = Date.now() + WITHIN_MS;
            while (told.length < count) {
                if (Date.now() > deadline) {
                    throw new Error(`${count} events were to come, and these came: ${JSON.stringify(told)}`);
                }
                await come(500);
            }
            return told.splice(0, count);
        },
        async rest() {
            for (let before = -1; before < told.length; ) {
                before = told.length;
                await come(QUIET_MS);
            }
            return told.splice(0);
        },
        close: () =>
            new Promise<void>((resolve) => {
                socket.onclose = () => resolve();
                socket.close();
            }),
    };
}
