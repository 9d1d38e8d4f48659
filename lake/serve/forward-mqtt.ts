/**
 * Hands a chain on to another `serve` by MQTT, as a gateway: it asks how far the other lake has the chain, and sends what is behind that, one part after the
 * other, each acknowledged once it is on the disk there.
 */
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { connectAsync, type MqttClient } from 'mqtt';
import { StorageError } from '#lake/errors';
import { readChainEnd } from '#lake/live/chain';
import { messagesOf } from '#lake/live/chain-object';
import { assertNotBehind, type Forwarded, type ForwardOptions, findBehind } from '#lake/live/forward';
import { partsOf, partTopic, placeTopic, readPlace } from '#lake/live/forward-part';
import { type ChainMessage, compareSequences } from '#lake/telemetry/chain-line';

/** Another `serve`, and what this lake proves itself by there. */
export interface ForwardBroker {
    host: string;
    port: number;
    /** Device that the certificate is of. */
    gateway: string;
    /** PEM texts. */
    certificate: string;
    key: string;
    authority: string;
}

/** A line that says nothing for so long is down. */
const ANSWER_MS = 30_000;

/** Hands on all that the other lake does not have. Safe to repeat, and to break off. @throws StorageError where it cannot be reached, or takes nothing */
export async function forwardByMqtt(
    broker: ForwardBroker,
    { from, shard, isEnded = false, signal, onForwarded, say }: ForwardOptions,
    { answerMs = ANSWER_MS }: { answerMs?: number } = {},
): Promise<Forwarded> {
    const { stream } = shard;
    const line = await dial(broker, { stream, signal, answerMs });
    try {
        let end = await line.askPlace();
        const own = await readChainEnd(from, shard);
        if (!isEnded) {
            assertNotBehind({ stream, own, there: end });
        }
        await onForwarded?.(end);
        const { keys, missingTo } = await findBehind(from, { ...shard, end });
        if (missingTo !== undefined && compareSequences(end, own) < 0) {
            say?.(
                `Messages ${end} to ${missingTo} of stream ${stream} were freed by prune, and ${broker.host} does not have them any more: they are not handed on again`,
            );
        }
        let objects = 0;
        for (const key of keys) {
            const behind: ChainMessage[] = [];
            for await (const message of messagesOf(from, key)) {
                if (compareSequences(message.sequence, end) > 0) {
                    behind.push(message);
                }
            }
            for (const part of partsOf(behind)) {
                signal.throwIfAborted();
                await line.send(partTopic({ gateway: broker.gateway, stream, after: end }), part.payload);
                end = part.end;
            }
            objects += behind.length > 0 ? 1 : 0;
            await onForwarded?.(end);
        }
        return { objects, end };
    } finally {
        await line.close();
    }
}

interface Line {
    /** The number up to which the other lake has the chain. */
    askPlace(): Promise<string>;
    /** Resolves once it is acknowledged. */
    send(topic: string, payload: Buffer): Promise<void>;
    close(): Promise<void>;
}

async function dial(
    { host, port, gateway, certificate, key, authority }: ForwardBroker,
    { stream, signal, answerMs }: { stream: string; signal: AbortSignal; answerMs: number },
): Promise<Line> {
    const client = await connectAsync(
        `mqtts://${isIPv6(host) ? `[${host}]` : host}:${port}`,
        {
            ...{ clientId: `forward ${stream}`, protocolVersion: 4, clean: true },
            ...{ cert: certificate, key, ca: authority, reconnectPeriod: 0, connectTimeout: answerMs, keepalive: 30 },
        },
        false,
    ).catch((error: unknown) => {
        throw new StorageError(
            `no connection as gateway ${gateway}: ${sayError(error) || 'it was ended without a word; the log there says why'}`,
            {
                cause: error,
            },
        );
    });
    // What is under way when the line is cut is told by this one event alone.
    const cut = new Promise<never>((_resolve, reject) => {
        client.on('close', () => reject(new StorageError('the connection was cut; the log of the other side says why, if it did that')));
    });
    cut.catch(() => undefined);
    client.on('error', () => undefined);
    const answered = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
        signal.throwIfAborted();
        const limit = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
        const late = once(limit, 'abort').then(() => {
            signal.throwIfAborted();
            throw new StorageError(`${what} within ${answerMs / 1_000} s`);
        });
        late.catch(() => undefined);
        return Promise.race([work(), cut, late]);
    };
    return {
        askPlace: () =>
            answered(
                `the broker does not tell how far it has this lake: it is no flowlake serve, or the certificate is no gateway's there (device add ${gateway} --gateway --out DIR). Nothing came`,
                () => askPlace(client, placeTopic({ gateway, stream })),
            ),
        send: (topic, payload) =>
            answered('no acknowledgement came', async () => {
                await client.publishAsync(topic, payload, { qos: 1 });
            }),
        close: () => client.endAsync(true).catch(() => undefined),
    };
}

async function askPlace(client: MqttClient, topic: string): Promise<string> {
    const answer = new Promise<Buffer>((resolve) => {
        client.on('message', (of, payload) => {
            if (of === topic) {
                resolve(payload);
            }
        });
    });
    await client.subscribeAsync(topic, { qos: 0 });
    const place = readPlace(await answer);
    if ('why' in place) {
        throw new StorageError(place.why);
    }
    return place.end;
}

function sayError(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
