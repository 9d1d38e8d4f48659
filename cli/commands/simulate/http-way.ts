/** Sends by HTTP, one message a request, as small devices do. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { UsageError } from '#lake/errors';
import type { Way, WayOptions } from './way.ts';

const CONNECTIONS = 64;
/** Waits between attempts where the server says nothing else. */
const RETRY_MS = 1000;
const TIMEOUT_MS = 30_000;

export async function openHttpWay({ to, files, onTrouble }: WayOptions): Promise<Way> {
    const isSafe = to.protocol === 'https:';
    for (const [device, { token }] of files) {
        if (token === undefined) {
            throw new UsageError(`Device ${device} has no token: make one with flowlake device add ${device} --token --out DIR`);
        }
    }
    const closing = new AbortController();
    const [first] = files.values();
    const agent = isSafe
        ? new HttpsAgent({ keepAlive: true, maxSockets: CONNECTIONS, ca: first?.ca })
        : new HttpAgent({ keepAlive: true, maxSockets: CONNECTIONS });

    const post = (token: string, topic: string, payload: string): Promise<{ status: number; retryAfterMs: number; body: string }> =>
        new Promise((resolve, reject) => {
            const url = new URL(`v1/telemetry?topic=${encodeURIComponent(topic)}`, to.href.endsWith('/') ? to : `${to}/`);
            const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
            const onAnswer = (answer: IncomingMessage): void => {
                const pieces: Buffer[] = [];
                answer.on('data', (piece: Buffer) => pieces.push(piece));
                answer.on('error', reject);
                answer.on('end', () => {
                    const retryAfterMs = Number(answer.headers['retry-after'] ?? Number.NaN) * 1000;
                    resolve({ status: answer.statusCode ?? 0, retryAfterMs, body: Buffer.concat(pieces).toString() });
                });
            };
            const request = (isSafe ? httpsRequest : httpRequest)(
                url,
                { method: 'POST', agent, headers, timeout: TIMEOUT_MS, signal: closing.signal },
                onAnswer,
            );
            request.on('timeout', () => request.destroy(new Error(`no answer for ${TIMEOUT_MS / 1000} s`)));
            request.on('error', reject);
            request.end(payload);
        });

    return {
        async send(device, { topic, payload }) {
            const token = files.get(device)?.token ?? '';
            for (;;) {
                const answer = await post(token, topic, payload).catch((error: Error) => {
                    closing.signal.throwIfAborted();
                    onTrouble(error.message);
                    return undefined;
                });
                if (answer?.status === 200) {
                    const { rejected = [] } = JSON.parse(answer.body) as { rejected?: { reason: string }[] };
                    if (rejected[0]) {
                        throw new Error(rejected[0].reason);
                    }
                    return;
                }
                if (answer && answer.status !== 429 && answer.status < 500) {
                    throw new Error(`${answer.status}: ${answer.body.slice(0, 200)}`);
                }
                await wait(answer && answer.retryAfterMs >= 0 ? answer.retryAfterMs : RETRY_MS, undefined, { signal: closing.signal });
            }
        },
        async close() {
            closing.abort();
            agent.destroy();
        },
    };
}
