/** Listens to the live events of a served lake: which messages have come to latest state. */
import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { UsageError } from '#lake/errors';
import { linesOf } from '#lake/text-lines';

export interface ListenOptions {
    /** `http://localhost:8080` */
    to: URL;
    token: string;
    /** PEM of the authority, where the server is known by it. */
    ca: string | undefined;
    /** Called with each message that latest state has a metric of. */
    onMessage(device: string, message: string): void;
    onTrouble(why: string): void;
}

/** Listens until it is closed. Resolves once it listens. @throws UsageError where the server refuses */
export function listen({ to, token, ca, onMessage, onTrouble }: ListenOptions): Promise<{ close(): void }> {
    const url = new URL('v1/live', to.href.endsWith('/') ? to : `${to}/`);
    const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' };
    return new Promise((resolve, reject) => {
        let isClosed = false;
        const onAnswer = (answer: IncomingMessage): void => {
            if (answer.statusCode !== 200) {
                reject(new UsageError(`${url} answers ${answer.statusCode}: is --token the one that serve has printed?`));
                request.destroy();
                return;
            }
            const onEnd = (): void => (isClosed ? undefined : onTrouble('live events have ended, so that what comes now is not timed'));
            void noteAll(answer, onMessage).then(onEnd, onEnd);
            resolve({
                close() {
                    isClosed = true;
                    request.destroy();
                },
            });
        };
        const request = to.protocol === 'https:' ? getHttps(url, { headers, ca }, onAnswer) : getHttp(url, { headers }, onAnswer);
        request.on('error', (error) => (isClosed ? undefined : reject(new UsageError(`${url} cannot be reached: ${error.message}`))));
    });
}

async function noteAll(answer: IncomingMessage, onMessage: ListenOptions['onMessage']): Promise<void> {
    for await (const line of linesOf(answer)) {
        if (line.startsWith('data:')) {
            noteLatest(line.slice('data:'.length), onMessage);
        }
    }
}

/** Tells of each message whose metrics an event of latest state has. */
function noteLatest(data: string, onMessage: ListenOptions['onMessage']): void {
    const event = JSON.parse(data) as { device?: string; metrics?: Record<string, { message?: string }> };
    const { device, metrics } = event;
    if (device !== undefined && metrics !== undefined) {
        for (const message of new Set(Object.values(metrics).map((metric) => metric.message))) {
            if (message !== undefined) {
                onMessage(device, message);
            }
        }
    }
}
