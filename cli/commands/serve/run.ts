/** Serves the lake until Ctrl-C. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { basename, dirname } from 'node:path';
import { Failure, type RunContext } from '#cli/command';
import { readDeviceFiles } from '#cli/device-files';
import { useLake } from '#cli/use-lake';
import { readVersion } from '#cli/version';
import { StorageError, UsageError } from '#lake/errors';
import { type Lake, parseLakeLocation } from '#lake/lake';
import { forwardChain } from '#lake/live/forward';
import { openLake } from '#lake/open-lake';
import { readWebFiles } from '#lake/pages/server/web-files';
import { quoteForShell } from '#lake/quote-for-shell';
import type { ForwardTarget } from '#lake/serve/forwarding';
import { type Hook, parseHooks } from '#lake/serve/hook-settings';
import { type Serving, serve } from '#lake/serve/serve';

interface ServeChoice {
    host: string | undefined;
    mqttPort: number;
    httpPort: number;
    name: string | undefined;
    https: boolean;
    sealEvery: number | undefined;
    hooks: string | undefined;
    forward: string | undefined;
    forwardAs: string | undefined;
    newToken: boolean;
}

const LOOPBACK = '127.0.0.1';
const MAX_PORT = 65_535;
const DEFAULT_MQTTS_PORT = 8_883;

/** Runs until the signal is aborted. @returns 0 then. @throws Failure for a deployed lake */
export async function serveLake(choice: ServeChoice, context: RunContext): Promise<number> {
    const { signal, environment, now, stderr } = context;
    const { host = LOOPBACK, mqttPort, httpPort, name, sealEvery, newToken } = choice;
    for (const [flag, port] of [
        ['--mqtt-port', mqttPort],
        ['--http-port', httpPort],
    ] as const) {
        if (port > MAX_PORT) {
            throw new UsageError(`${flag} ${port} is no port: 1 to ${MAX_PORT}, or 0 for any free one`);
        }
    }
    const hooks = await readHooks(choice.hooks);
    const say = (line: string): void => {
        void stderr.write(`${now().toISOString()} ${line}\n`);
    };
    return useLake(
        context,
        async (lake) => {
            if (lake.kind !== 'directory') {
                throw new Failure('serve is for a lake in a directory: a deployed one takes in what devices send by itself');
            }
            const other = await openOther(choice, context);
            try {
                const serving = await serve(lake, {
                    host,
                    mqttPort,
                    httpPort,
                    names: namesIn(name),
                    // A token in plain text leaves the machine by no network.
                    isHttps: choice.https || !isLoopback(host),
                    sealEveryMs: sealEvery,
                    hooks,
                    forwardTo: other?.target,
                    isNewToken: newToken,
                    pages: { name: context.lake?.name ?? '', version: readVersion(), web: readWebFiles() },
                    environment,
                    now,
                    say,
                });
                await sayOpen(serving, { host, context });
                await ended(signal);
                say('stopping: no more messages are taken, and what was taken goes into the tables');
                await serving.stop(new AbortController().signal);
                say('stopped');
                return 0;
            } finally {
                await other?.close();
            }
        },
        { mayBeNew: true },
    );
}

/** Says where it listens, what is open to whom, and what to do next. */
async function sayOpen(
    { mqttPort, httpUrl, readerToken }: Serving,
    { host, context }: { host: string; context: RunContext },
): Promise<void> {
    const { stderr, lake, invocation } = context;
    const whom = isLoopback(host)
        ? 'programs of this machine'
        : host === '0.0.0.0' || host === '::'
          ? 'every network of this machine'
          : `the network of ${host}`;
    const program = `${invocation} --lake ${quoteForShell(lake?.name ?? '')}`;
    const lines = [
        `MQTT  mqtts://${isIPv6(host) ? `[${host}]` : host}:${mqttPort}   ${whom}: devices, each with its certificate`,
        `HTTP  ${httpUrl}   ${whom}: devices and readers, each with its token; in a browser, the pages of flowlake ui`,
        ...(readerToken === undefined
            ? ['Token of readers: as before (--new-token makes another)']
            : [`Token of readers: ${readerToken}   (shown this once)`]),
        `A new device: ${program} device add boiler-7 --profile plain-json --out devices`,
        'Ctrl-C ends it',
    ];
    await stderr.write(`${lines.join('\n')}\n`);
}

function ended(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
        if (signal.aborted) {
            resolve();
        }
        signal.addEventListener('abort', () => resolve(), { once: true });
    });
}

function namesIn(text: string | undefined): string[] {
    const names = (text ?? '').split(',').map((one) => one.trim());
    const bad = names.find((one) => one !== '' && !/^[A-Za-z0-9.:-]+$/.test(one));
    if (bad !== undefined) {
        throw new UsageError(`--name ${JSON.stringify(bad)} is no name or address that a device can call: gateway.local, 10.0.0.5`);
    }
    return names.filter((one) => one !== '');
}

async function readHooks(path: string | undefined): Promise<Hook[]> {
    if (path === undefined) {
        return [];
    }
    const text = await readFile(path, 'utf8').catch((error: Error) => {
        throw new StorageError(`Cannot read ${path}: ${error.message}`, { cause: error });
    });
    try {
        return parseHooks(JSON.parse(text));
    } catch (error) {
        throw error instanceof SyntaxError ? new UsageError(`${path} is no JSON`, { cause: error }) : error;
    }
}

/** The lake that messages are handed on to: it may be out of reach for now, and devices are served all the same. @throws UsageError for what is none */
async function openOther(
    { forward: name, forwardAs }: Pick<ServeChoice, 'forward' | 'forwardAs'>,
    context: RunContext,
): Promise<{ target: ForwardTarget; close(): Promise<void> } | undefined> {
    const isBroker = name?.startsWith('mqtt') ?? false;
    if (forwardAs !== undefined && !isBroker) {
        throw new UsageError('--forward-as is the certificate for --forward mqtts://host: give that too');
    }
    if (name === undefined) {
        return undefined;
    }
    return isBroker ? openOtherServe(name, forwardAs) : openOtherStore(name, context);
}

function openOtherStore(name: string, { environment, signal }: RunContext): { target: ForwardTarget; close(): Promise<void> } {
    const location = parseLakeLocation(name);
    if (location.kind === 'directory') {
        throw new UsageError(`--forward ${name} is no lake elsewhere: give a bucket, s3://bucket, or another serve, mqtts://host`);
    }
    let lake: Lake | undefined;
    const forward: ForwardTarget['forward'] = async (options) => {
        lake ??= await openLake(location, { environment, signal });
        return forwardChain({ ...options, to: await lake.store() });
    };
    return { target: { name, forward }, close: async () => lake?.close() };
}

/** @throws UsageError for a broker that could not tell how far it has this lake, and for files that are no gateway's */
async function openOtherServe(name: string, folder: string | undefined): Promise<{ target: ForwardTarget; close(): Promise<void> }> {
    const url = URL.canParse(name) ? new URL(name) : undefined;
    if (url?.protocol !== 'mqtts:' || url.hostname === '' || url.username !== '' || !['', '/'].includes(url.pathname)) {
        throw new UsageError(
            `--forward ${name} is no other serve: mqtts://host, or mqtts://host:port; what proves this lake there is --forward-as DIR`,
        );
    }
    if (/\.iot\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/.test(url.hostname)) {
        throw new UsageError(
            `--forward ${name}: AWS IoT Core does not tell how far it has a lake, so a message could be there twice, or as another device's. Hand on to the deployed lake's bucket, s3://bucket: that is exact`,
        );
    }
    if (folder === undefined) {
        throw new UsageError(
            '--forward mqtts://host wants the certificate that the other lake has made for this one: device add ID --gateway --out DIR there, and --forward-as DIR/ID here',
        );
    }
    const { certificate, key, ca } = await readDeviceFiles(dirname(folder), basename(folder));
    if (certificate === undefined || key === undefined || ca === undefined) {
        throw new UsageError(
            `--forward-as ${folder}: device.crt, device.key and ca.crt belong there; device add ID --gateway --out DIR of the other lake writes them`,
        );
    }
    const gateway = deviceOfCertificate(certificate);
    if (gateway === undefined) {
        throw new UsageError(`--forward-as ${folder}: device.crt is no certificate that flowlake has made for a device`);
    }
    const broker = {
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: Number(url.port || DEFAULT_MQTTS_PORT),
        gateway,
        certificate,
        key,
        authority: ca,
    };
    const { forwardByMqtt } = await import('#lake/serve/forward-mqtt');
    return { target: { name, forward: (options) => forwardByMqtt(broker, options) }, close: async () => undefined };
}

/** The id that the certificate is made out to; undefined where it cannot be read. */
function deviceOfCertificate(pem: string): string | undefined {
    try {
        return /^CN=(.+)$/m.exec(new X509Certificate(pem).subject)?.[1];
    } catch {
        return undefined;
    }
}

function isLoopback(host: string): boolean {
    return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
