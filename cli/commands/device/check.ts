/**
 * Proves the way of a device's message, step by step: from the name of the server to the reading in latest state. The first step that fails says what to do. It
 * is here because clients do not say: some report a connection that was refused as made, others dial for ever without a word.
 */
import { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { RunContext } from '#cli/command';
import { type DeviceFiles, readDeviceFiles } from '#cli/device-files';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { useLake } from '#cli/use-lake';
import { hashToken, hexOf, readCredentials } from '#lake/credentials';
import { readDevice } from '#lake/devices';
import type { ObjectStore } from '#lake/store/object-store';
import {
    type Attempt,
    type CheckHome,
    type CheckOptions,
    type Latest,
    NOTHING,
    portOf,
    post,
    publish,
    reach,
    Stop,
    shakeHands,
} from './check-network.ts';
import { exampleFor } from './example.ts';

const LOOK_EVERY_MS = 200;

/** Prints a row for each step. @returns 1 where one failed */
export async function checkDevice(device: string, options: CheckOptions, context: RunContext): Promise<number> {
    return useLake(context, async (lake) => {
        const store = await lake.store();
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
            // Another SDK for a deployed lake, which one in a directory need not wait for.
            const home =
                lake.kind === 's3'
                    ? await (await import('./check-aws.ts')).homeOnAws(lake, device, options, context)
                    : await (await import('./check-here.ts')).homeHere(lake, device, options, context);
            await runSteps(device, { options, store, home, step, now: context.now });
        } catch (error) {
            if (!(error instanceof Stop)) {
                throw error;
            }
            if (steps.at(-1)?.[1] !== 'failed') {
                steps.push(['lake', 'failed', error.message]);
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
    home: CheckHome;
    step: (name: string, work: () => Promise<string>) => Promise<void>;
    now: () => Date;
}

async function runSteps(device: string, { options, store, home, step, now }: StepsOptions): Promise<void> {
    const { target, hints } = home;
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
            : tellCertificate(store, device, { files: attempt.files, directory: options.credentials, now: now(), home });
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
    await step('connection', () => reach(target.host, port, hints));
    if (!isHttp || target.httpBase.protocol === 'https:') {
        await step('TLS', () => shakeHands(target.host, port, attempt.files));
    }
    await home.withLatest(attempt, async (latest, name) => {
        let before: Latest = NOTHING;
        await step(name, async () => {
            before = await latest();
            return name === 'API' ? `${target.httpBase.origin} answers` : 'the table of latest state answers';
        });
        if (isHttp) {
            await step('sent', () => post(attempt, hints));
        } else {
            await step('connected, sent', () => publish(attempt, home));
        }
        await step('latest state', () => awaitLatest(latest, { before, attempt, waitSeconds: options.wait, ifLate: home.ifLate }));
    });
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
    { files: { certificate, key, ca }, directory, now, home }: { files: DeviceFiles; directory: string; now: Date; home: CheckHome },
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
    const more = home.judgeCertificate ? `, ${await home.judgeCertificate(fingerprint)}` : '';
    return `certificate ${fingerprint.slice(0, 12)}..., until ${known.not_after.slice(0, 'yyyy-mm-dd'.length)}${more}`;
}

async function awaitLatest(
    latest: () => Promise<Latest>,
    { before, attempt, waitSeconds, ifLate }: { before: Latest; attempt: Attempt; waitSeconds: number; ifLate: string },
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
            ? `it was acknowledged, and did not come to latest state within ${waitSeconds} s: ${ifLate}`
            : `it was acknowledged, but no reading of it came to latest state within ${waitSeconds} s: does the profile read it? ${sayTry(attempt)}; flowlake rejects`,
    );
}

function sayTry({ device, message: { payload, topic } }: Attempt): string {
    return `echo '${payload}' | flowlake profile try NAME --topic ${topic} --device ${device}`;
}
