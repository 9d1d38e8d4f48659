/**
 * Proves the way of a device's message, step by step: from the name of the server to the reading in latest state. The first step that fails says what to do. It
 * is here because clients do not say: some report a connection that was refused as made, others dial for ever without a word.
 */
import { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { RunContext } from '#cli/command';
import { type DeviceFiles, readDeviceFiles } from '#cli/device-files';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { useLake } from '#cli/use-lake';
import { hashToken, hexOf, readCredentials, withToken } from '#lake/credentials';
import { readDevice } from '#lake/devices';
import { UsageError } from '#lake/errors';
import { readServing } from '#lake/serve/live-files';
import type { ObjectStore } from '#lake/store/object-store';
import { exampleFor } from './example.ts';

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
class Stop extends Error {
    override name = 'Stop';
}

/** Time for each answer of the network. */
const ANSWER_MS = 10_000;

const LOOK_EVERY_MS = 200;

/** Time for a running serve to see a token that was just made. */
const TOKEN_MS = 6_000;

interface Target {
    host: string;
    mqttPort: number;
    httpBase: URL;
}

interface Attempt {
    device: string;
    files: DeviceFiles;
    target: Target;
    message: { topic: string; payload: string; isRead: boolean };
}

/** Prints a row for each step. @returns 1 where one failed */
export async function checkDevice(device: string, options: CheckOptions, context: RunContext): Promise<number> {
    return useLake(context, async (lake) => {
        if (lake.kind !== 'directory') {
            throw new UsageError('A lake in S3 takes no messages of devices in yet: device check is for a lake in a directory');
        }
        const store = await lake.store();
        const serving = readServing(lake.directory);
        const target: Target = {
            host: options.host ?? serving.host,
            mqttPort: options.mqttPort === 0 ? serving.mqttPort : options.mqttPort,
            httpBase: new URL(serving.httpBase),
        };
        if (options.host !== undefined) {
            target.httpBase.hostname = options.host.includes(':') ? `[${options.host}]` : options.host;
        }
        if (options.httpPort !== 0) {
            target.httpBase.port = `${options.httpPort}`;
        }
        const steps: [string, string, string][] = [];
        const step = async (name: string, work: () => Promise<string>): Promise<void> => {
            context.signal.throwIfAborted();
            try {
                steps.push([name, 'ok', await work()]);
            } catch (error) {
                steps.push([name, 'failed', error instanceof Error ? error.message : String(error)]);
                throw error instanceof Stop ? error : new Stop(String(error), { cause: error });
            }
        };
        let isProven = true;
        try {
            await runSteps(device, { options, store, target, step, now: context.now });
        } catch (error) {
            if (!(error instanceof Stop)) {
                throw error;
            }
            isProven = false;
        }
        const columns = ['step', 'result', 'note'].map((name) => ({ name, type: 'varchar' }));
        await printRows({ columns, batches: batchOf(steps) }, context);
        return isProven ? 0 : 1;
    });
}

interface StepsOptions {
    options: CheckOptions;
    store: ObjectStore;
    target: Target;
    step: (name: string, work: () => Promise<string>) => Promise<void>;
    now: () => Date;
}

async function runSteps(device: string, { options, store, target, step, now }: StepsOptions): Promise<void> {
    const attempt: Attempt = {
        ...{ device, target },
        files: { certificate: undefined, key: undefined, ca: undefined, token: undefined },
        message: { topic: '', payload: '', isRead: false },
    };
    await step('registered', async () => {
        const last = (await readDevice(store, device)).at(-1);
        if (!last) {
            throw new Stop(`the lake knows no device ${device}: flowlake device add ${device} --profile NAME --out ${options.credentials}`);
        }
        const example = await exampleFor(store, device, { now: now() });
        attempt.message = {
            topic: options.topic ?? example.topic,
            payload: options.payload ?? example.payload,
            isRead: options.payload === undefined && example.isRead,
        };
        return `by profile ${last.profile}, at site ${last.site}`;
    });
    await step('credentials', async () => {
        attempt.files = await readDeviceFiles(options.credentials, device);
        attempt.files.token = options.token ?? attempt.files.token;
        const { certificate, key, token } = attempt.files;
        return options.http || (certificate === undefined && key === undefined)
            ? tellToken(store, device, token, options)
            : tellCertificate(store, device, { files: attempt.files, directory: options.credentials, now: now() });
    });
    const isHttp = options.http || attempt.files.certificate === undefined;
    const port = isHttp ? portOf(target.httpBase) : target.mqttPort;
    await step('name', async () => {
        const found = await lookup(target.host, { all: true }).catch(() => []);
        if (found.length === 0) {
            throw new Stop(`no address is known of ${target.host}: give one that is, --host 10.0.0.5`);
        }
        return `${target.host} is ${found.map(({ address }) => address).join(', ')}`;
    });
    await step('connection', () => reach(target.host, port, { isHttp }));
    if (!isHttp || target.httpBase.protocol === 'https:') {
        await step('TLS', () => shakeHands(target.host, port, attempt.files));
    }
    const lookAtLatest = (token: string) =>
        useApi(attempt, token, async (latest) => {
            let before: Latest = NOTHING;
            await step('API', async () => {
                before = await latest();
                return `${target.httpBase.origin} answers`;
            });
            if (isHttp) {
                await step('sent', () => post(attempt));
            } else {
                await step('connected, sent', () => publish(attempt));
            }
            await step('latest state', () => awaitLatest(latest, { before, attempt, waitSeconds: options.wait }));
        });
    await (attempt.files.token === undefined ? withToken(store, device, { now: now() }, lookAtLatest) : lookAtLatest(attempt.files.token));
}

async function tellToken(store: ObjectStore, device: string, token: string | undefined, { credentials }: CheckOptions): Promise<string> {
    if (token === undefined) {
        throw new Stop(
            `there is neither a certificate nor a token of it in ${credentials}/${device}: flowlake device add ${device} --out ${credentials}, or give --token TOKEN`,
        );
    }
    const known = (await readCredentials(store, device)).tokens.find(({ hash }) => hash === hashToken(token));
    if (known?.revoked !== null) {
        throw new Stop(
            known === undefined
                ? `the lake knows no such token of device ${device}: flowlake device add ${device} --token makes one`
                : `token ${known.label} was revoked on ${known.revoked}: flowlake device add ${device} --token makes another one`,
        );
    }
    return `token ${known.label}`;
}

async function tellCertificate(
    store: ObjectStore,
    device: string,
    { files: { certificate, key, ca }, directory, now }: { files: DeviceFiles; directory: string; now: Date },
): Promise<string> {
    const another = `flowlake device add ${device} --out DIR makes another one`;
    if (certificate === undefined || key === undefined || ca === undefined) {
        throw new Stop(`of device.crt, device.key and ca.crt one is missing in ${directory}/${device}: ${another}`);
    }
    const parsed = new X509Certificate(certificate);
    const fingerprint = hexOf(parsed.fingerprint256);
    const known = (await readCredentials(store, device)).certificates.find((one) => one.fingerprint === fingerprint);
    if (!known) {
        throw new Stop(`the lake knows no such certificate of device ${device} (${fingerprint}): ${another}`);
    }
    if (known.revoked !== null) {
        throw new Stop(`the certificate was revoked on ${known.revoked}: ${another}`);
    }
    if (new Date(parsed.validTo) < now) {
        throw new Stop(`the certificate ended on ${parsed.validTo}: ${another}`);
    }
    return `certificate ${fingerprint.slice(0, 12)}..., until ${known.not_after.slice(0, 'yyyy-mm-dd'.length)}`;
}

function reach(host: string, port: number, { isHttp }: { isHttp: boolean }): Promise<string> {
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
        socket.once('timeout', () =>
            stop(
                `port ${port} of ${host} does not answer: a firewall may be between; serve listens on other machines' networks with --host 0.0.0.0 only`,
            ),
        );
        socket.once('error', ({ message }) =>
            stop(
                `nothing listens on port ${port} of ${host} (${message}): start flowlake serve, or say its port: ${isHttp ? '--http-port' : '--mqtt-port'}`,
            ),
        );
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

function shakeHands(host: string, port: number, { ca, certificate, key }: DeviceFiles): Promise<string> {
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

async function publish({
    device,
    files: { ca, certificate, key },
    target: { host, mqttPort },
    message: { topic, payload },
}: Attempt): Promise<string> {
    // The names of a CommonJS package are its default export's alone, once it is bundled and loaded late.
    const { default: mqtt } = await import('mqtt');
    const client = mqtt.connect({
        ...{
            protocol: 'mqtts',
            host,
            port: mqttPort,
            clientId: `${device.slice(0, 100)}-check`,
            reconnectPeriod: 0,
            connectTimeout: ANSWER_MS,
        },
        ...(ca !== undefined && { ca }),
        ...(certificate !== undefined && key !== undefined && { cert: certificate, key }),
    });
    try {
        await new Promise<void>((resolve, reject) => {
            client.once('connect', () => resolve());
            client.once('error', (error) => reject(new Stop(`CONNECT was refused: ${error.message}; the log of serve says why`)));
            client.once('close', () =>
                reject(
                    new Stop(
                        'the broker closed the connection without an answer: it refuses this certificate, and its log says why (device show, device list)',
                    ),
                ),
            );
        });
        const closed = new Promise<string>((resolve) =>
            client.once('close', () => resolve('the broker closed the connection in the place of an acknowledgement')),
        );
        const late = wait(ANSWER_MS, `no acknowledgement came within ${ANSWER_MS / 1_000} s`, { ref: false });
        const why = await Promise.race([client.publishAsync(topic, payload, { qos: 1 }).then(() => undefined), closed, late]);
        if (why !== undefined) {
            throw new Stop(`connected, but ${why}: the inbox cannot store (is the disk full?), see the log of serve`);
        }
        return `${payload} to ${topic}: acknowledged`;
    } finally {
        await client.endAsync(true);
    }
}

async function post({ files: { token = '', ca }, target: { httpBase }, message: { payload } }: Attempt): Promise<string> {
    const answer = await ask(new URL('/v1/telemetry', httpBase), { token, ca, body: payload });
    if (answer.status !== 200) {
        throw new Stop(`HTTP ${answer.status}: ${answer.text.slice(0, 500)}`);
    }
    const accepted = fieldsOf(answer.text).accepted;
    if (accepted !== 1) {
        throw new Stop(`it was not accepted: ${answer.text.slice(0, 500)}`);
    }
    return `${payload}: accepted`;
}

interface Latest {
    /** Newest arrival of the device; null where it never sent. */
    receivedMs: number | null;
    /** Why its newest message without a reading had none. */
    rejected: { receivedMs: unknown; why: string } | undefined;
    /** Messages that were put aside. */
    refused: unknown;
    metrics: Readonly<Record<string, { value: unknown; text: unknown; unit: unknown; receivedMs: unknown }>>;
}

const NOTHING: Latest = { receivedMs: null, rejected: undefined, refused: 0, metrics: {} };

/** Asks the API as the device. A token that was just made is known to serve after a second or two. */
async function useApi(
    { device, files: { ca }, target: { httpBase } }: Attempt,
    token: string,
    use: (latest: () => Promise<Latest>) => Promise<void>,
): Promise<void> {
    const url = new URL(`/v1/devices/${encodeURIComponent(device)}`, httpBase);
    const until = performance.now() + TOKEN_MS;
    await use(async () => {
        for (;;) {
            const { status, text } = await ask(url, { token, ca });
            if (status === 200) {
                return latestOf(text);
            }
            if (status === 404) {
                return NOTHING;
            }
            if (status !== 401 || performance.now() > until) {
                throw new Stop(`GET ${url.href}: HTTP ${status}: ${text.slice(0, 300)}`);
            }
            await wait(LOOK_EVERY_MS);
        }
    });
}

async function awaitLatest(
    latest: () => Promise<Latest>,
    { before, attempt, waitSeconds }: { before: Latest; attempt: Attempt; waitSeconds: number },
): Promise<string> {
    const began = performance.now();
    while (performance.now() - began < waitSeconds * 1_000) {
        const { receivedMs, rejected, refused, metrics } = await latest();
        if (rejected && rejected.receivedMs !== before.rejected?.receivedMs) {
            throw new Stop(`it was acknowledged, and is a reject: ${rejected.why}. To try another: ${sayTry(attempt)}`);
        }
        if (refused !== before.refused) {
            throw new Stop(`it was acknowledged, and put aside: flowlake rejects says why`);
        }
        if (receivedMs !== null && receivedMs !== before.receivedMs) {
            const own = Object.entries(metrics).filter(([, metric]) => metric.receivedMs === receivedMs);
            if (own.length > 0) {
                const said = own.map(([name, { value, text, unit }]) =>
                    // Unit 1 is that of a bare number: "21.3 1" would be read as two.
                    [name, value ?? text, unit].filter((one, at) => one !== null && !(at === 2 && one === '1')).join(' '),
                );
                return said.join(', ');
            }
        }
        await wait(LOOK_EVERY_MS);
    }
    throw new Stop(
        attempt.message.isRead
            ? `it was acknowledged, and did not come to latest state within ${waitSeconds} s: see flowlake status and the log of serve`
            : `it was acknowledged, but no reading of it came to latest state within ${waitSeconds} s: does the profile read it? ${sayTry(attempt)}; flowlake rejects`,
    );
}

function sayTry({ device, message: { payload, topic } }: Attempt): string {
    return `echo '${payload}' | flowlake profile try NAME --topic ${topic} --device ${device}`;
}

function latestOf(text: string): Latest {
    const fields = fieldsOf(text);
    const rejected = fieldsOf(fields.last_rejected);
    const metrics = Object.entries(typeof fields.metrics === 'object' && fields.metrics !== null ? fields.metrics : {}).map(
        ([name, metric]) => {
            const { value = null, text: word = null, unit = null, received_ms: receivedMs = null } = fieldsOf(metric);
            return [name, { value, text: word, unit, receivedMs }] as const;
        },
    );
    return {
        receivedMs: typeof fields.last_received_ms === 'number' ? fields.last_received_ms : null,
        rejected: typeof rejected.why === 'string' ? { receivedMs: rejected.received_ms, why: rejected.why } : undefined,
        refused: fields.refused ?? 0,
        metrics: Object.fromEntries(metrics),
    };
}

interface Answer {
    status: number;
    text: string;
}

async function ask(url: URL, { token, ca, body }: { token: string; ca: string | undefined; body?: string }): Promise<Answer> {
    const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
    return new Promise((resolve, reject) => {
        const stop = ({ message }: Error): void =>
            reject(new Stop(`${url.origin} does not answer (${message}): is serve running there? --http-port says another port`));
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

function portOf({ port, protocol }: URL): number {
    return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

function fieldsOf(value: unknown): Record<string, unknown> {
    if (typeof value === 'string') {
        try {
            return fieldsOf(JSON.parse(value));
        } catch {
            return {};
        }
    }
    return typeof value === 'object' && value !== null ? { ...value } : {};
}
