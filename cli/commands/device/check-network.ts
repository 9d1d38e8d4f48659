/** The steps of a device's way that are the network's: to reach a port, shake hands, send, ask. What does not work stops with what to do. */
import { connect as connectTcp, isIP } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { DeviceFiles } from '#cli/device-files';

/** What `device check` is told. */
export interface CheckOptions {
    credentials: string;
    host: string | undefined;
    mqttPort: number;
    httpPort: number;
    http: boolean;
    token: string | undefined;
    topic: string | undefined;
    payload: string | undefined;
    /** Seconds that the message may take to latest state: it takes milliseconds, on a machine that is busy seconds. */
    wait: number;
}

/** A step that failed: what was found, and what to do. */
export class Stop extends Error {
    override name = 'Stop';
}

/** Time for each answer of the network. */
const ANSWER_MS = 10_000;

/** Addresses that the device dials. */
export interface Target {
    host: string;
    mqttPort: number;
    httpBase: URL;
}

/** One try of a device's way. */
export interface Attempt {
    device: string;
    files: DeviceFiles;
    target: Target;
    message: { topic: string; payload: string; isRead: boolean };
}

/** What may be wrong where a step of the network fails, in the words of where the lake is. */
export interface NetworkHints {
    /** Nothing listens on the port. */
    closed: string;
    /** The port does not answer at all. */
    mute: string;
    /** CONNECT was refused. */
    refused: string;
    /** The connection ended without an answer to CONNECT. */
    ended: string;
    /** What was sent was not acknowledged. */
    notStored: string;
    /** The API does not answer. */
    noApi: string;
}

/** What was read of the latest state of a device. */
export interface Latest {
    /** Newest arrival of the device; null where it never sent. */
    receivedMs: number | null;
    /** Why its newest message without a reading had none. */
    rejected: { receivedMs: unknown; why: string } | undefined;
    /** Messages that were put aside. */
    refused: unknown;
    metrics: Readonly<Record<string, { value: unknown; text: unknown; unit: unknown; receivedMs: unknown }>>;
}

export const NOTHING: Latest = { receivedMs: null, rejected: undefined, refused: 0, metrics: {} };

/** What the steps need to know of the lake's home: a served directory, or AWS. */
export interface CheckHome {
    target: Target;
    hints: NetworkHints;
    /** The id by which it connects. */
    clientId: string;
    /** What else there is to say of its certificate. @throws Stop where it cannot connect by it */
    judgeCertificate?: (fingerprint: string) => Promise<string>;
    /** Lets `use` look at latest state; `name` is what that step is called. */
    withLatest(attempt: Attempt, use: (latest: () => Promise<Latest>, name: string) => Promise<void>): Promise<void>;
    /** What to look at where the message does not come. */
    ifLate: string;
}

/** Dials the port. */
export function reach(host: string, port: number, hints: NetworkHints): Promise<string> {
    return new Promise((resolve, reject) => {
        const socket = connectTcp({ host, port, timeout: ANSWER_MS });
        const stop = (why: string): void => {
            socket.destroy();
            reject(new Stop(why));
        };
        socket.once('connect', () => {
            socket.destroy();
            resolve(`port ${port} of ${host} answers`);
        });
        socket.once('timeout', () => stop(`port ${port} of ${host} does not answer: ${hints.mute}`));
        socket.once('error', ({ message }) => stop(`nothing listens on port ${port} of ${host} (${message}): ${hints.closed}`));
    });
}

/** What errors of TLS mean for whoever sets up a device. */
const TLS_MEANINGS: readonly [RegExp, string][] = [
    [/ALTNAME/, 'the server’s certificate does not have this name: start serve with --name and the name that devices dial'],
    [
        /SELF_SIGNED|UNABLE_TO|LEAF_SIGNATURE/,
        'the server is not the one whose ca.crt the device has: another lake, or another authority, answers there',
    ],
    [/EXPIRED/, 'the server’s certificate has ended: serve renews it at its start'],
    [/KEY_VALUES_MISMATCH/, 'device.key is not the key of device.crt'],
    [/WRONG_VERSION|PACKET_LENGTH/, 'what answers there speaks no TLS: is it the HTTP port?'],
];

/** The handshake of TLS, with the device's certificate where it has one. */
export function shakeHands(host: string, port: number, { ca, certificate, key }: DeviceFiles): Promise<string> {
    return new Promise((resolve, reject) => {
        const own = certificate === undefined || key === undefined ? {} : { cert: certificate, key };
        const stop = (error: Error): void => {
            const code = 'code' in error ? String(error.code) : '';
            const [, meaning = 'see what serve says'] = TLS_MEANINGS.find(([pattern]) => pattern.test(code)) ?? [];
            reject(new Stop(`${error.message}: ${meaning}`));
        };
        try {
            const socket = connectTls({
                host,
                port,
                ...own,
                ...(ca !== undefined && { ca }),
                timeout: ANSWER_MS,
                ...(isIP(host) === 0 && { servername: host }),
            });
            socket.once('secureConnect', () => {
                const said = `${socket.getProtocol()}, certificate until ${new Date(socket.getPeerCertificate().valid_to).toISOString().slice(0, 'yyyy-mm-dd'.length)}`;
                socket.destroy();
                resolve(said);
            });
            socket.once('timeout', () => {
                socket.destroy();
                reject(new Stop('no answer to the TLS handshake: what listens there speaks no TLS'));
            });
            socket.once('error', stop);
        } catch (error) {
            stop(error instanceof Error ? error : new Error(String(error)));
        }
    });
}

/** Publishes the message as the device, and waits for its acknowledgement. */
export async function publish(
    { files: { ca, certificate, key }, target: { host, mqttPort }, message: { topic, payload } }: Attempt,
    { clientId, hints }: Pick<CheckHome, 'clientId' | 'hints'>,
): Promise<string> {
    // The names of a CommonJS package are its default export's alone, once it is bundled and loaded late.
    const { default: mqtt } = await import('mqtt');
    const client = mqtt.connect({
        ...{
            protocol: 'mqtts',
            host,
            port: mqttPort,
            clientId,
            reconnectPeriod: 0,
            connectTimeout: ANSWER_MS,
        },
        ...(ca !== undefined && { ca }),
        ...(certificate !== undefined && key !== undefined && { cert: certificate, key }),
    });
    try {
        await new Promise<void>((resolve, reject) => {
            client.once('connect', () => resolve());
            client.once('error', (error) => reject(new Stop(`CONNECT was refused: ${error.message}; ${hints.refused}`)));
            client.once('close', () => reject(new Stop(`the broker closed the connection without an answer: ${hints.ended}`)));
        });
        const closed = new Promise<string>((resolve) =>
            client.once('close', () => resolve('the broker closed the connection in the place of an acknowledgement')),
        );
        const late = wait(ANSWER_MS, `no acknowledgement came within ${ANSWER_MS / 1_000} s`, { ref: false });
        const why = await Promise.race([client.publishAsync(topic, payload, { qos: 1 }).then(() => undefined), closed, late]);
        if (why !== undefined) {
            throw new Stop(`connected, but ${why}: ${hints.notStored}`);
        }
        return `${payload} to ${topic}: acknowledged`;
    } finally {
        await client.endAsync(true);
    }
}

/** Sends the message over HTTP as the device. */
export async function post(
    { files: { token = '', ca }, target: { httpBase }, message: { payload } }: Attempt,
    hints: NetworkHints,
): Promise<string> {
    const answer = await ask(new URL('/v1/telemetry', httpBase), { token, ca, body: payload, hints });
    if (answer.status !== 200) {
        throw new Stop(`HTTP ${answer.status}: ${answer.text.slice(0, 500)}`);
    }
    const accepted = fieldsOf(answer.text).accepted;
    if (accepted !== 1) {
        throw new Stop(`it was not accepted: ${answer.text.slice(0, 500)}`);
    }
    return `${payload}: accepted`;
}

interface Answer {
    status: number;
    text: string;
}

/** Asks the API as the device. */
export async function ask(
    url: URL,
    { token, ca, body, hints }: { token: string; ca: string | undefined; body?: string; hints: NetworkHints },
): Promise<Answer> {
    const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
    return new Promise((resolve, reject) => {
        const stop = ({ message }: Error): void => reject(new Stop(`${url.origin} does not answer (${message}): ${hints.noApi}`));
        const headers = { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) };
        const asked = request(
            url,
            { method: body === undefined ? 'GET' : 'POST', headers, timeout: ANSWER_MS, ...(ca !== undefined && { ca }) },
            (response) => {
                let text = '';
                response.setEncoding('utf8');
                response.on('data', (piece: string) => {
                    text += piece;
                });
                response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
                response.on('error', stop);
            },
        );
        asked.on('timeout', () => asked.destroy(new Error(`no answer within ${ANSWER_MS / 1_000} s`)));
        asked.on('error', stop);
        asked.end(body);
    });
}

/** The port of an address, also where it names none. */
export function portOf({ port, protocol }: URL): number {
    return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

/** Fields of a JSON text or object; none where it is neither. */
export function fieldsOf(value: unknown): Record<string, unknown> {
    if (typeof value === 'string') {
        try {
            return fieldsOf(JSON.parse(value));
        } catch {
            return {};
        }
    }
    return typeof value === 'object' && value !== null ? { ...value } : {};
}
