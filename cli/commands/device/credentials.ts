/** Makes what devices prove themselves by, shows it, and ends it. */
import { Failure, type RunContext } from '#cli/command';
import { assertNoneThere, type DeviceFiles, readDeviceFiles, writeDeviceFiles } from '#cli/device-files';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { tellServe } from '#cli/tell-serve';
import { useLake } from '#cli/use-lake';
import {
    addCertificate,
    addToken,
    type Credentials,
    newToken,
    type Revocation,
    readCredentials,
    revokeCredentials,
} from '#lake/credentials';
import { readDevice } from '#lake/devices';
import { UsageError } from '#lake/errors';
import type { DirectoryLake, Lake } from '#lake/lake';
import { quoteForShell } from '#lake/quote-for-shell';
import { readServing } from '#lake/serve/live-files';
import { clientLines } from './client-lines.ts';
import { exampleFor } from './example.ts';
import { isWished, type Wishes } from './wishes.ts';

/** Characters of a name in a certificate (RFC 5280, ub-common-name). */
const MAX_NAME_CHARACTERS = 64;

/** What was made for a device. */
export interface Made {
    /** The token where it stands in no file. */
    token: string | undefined;
    /** False where all that was wished for was there. */
    isNew: boolean;
}

/**
 * Lets wishes pass that can be granted for these devices: nothing is changed before.
 * @throws UsageError for what this lake cannot give, for files that are there already, for options without their meaning
 */
export async function checkWishes(lake: Lake, devices: readonly string[], wishes: Wishes): Promise<void> {
    const { out, token, label, program, gateway } = wishes;
    if (label !== undefined && !token) {
        throw new UsageError('--label names a token: give --token with it');
    }
    if (gateway && lake.kind === 's3') {
        throw new UsageError(
            '--gateway is for a lake in a directory: what a site hands on to a deployed one goes to its bucket, serve --forward s3://bucket',
        );
    }
    if (gateway && out === undefined) {
        throw new UsageError('--gateway is said of a certificate: give --out DIR with it');
    }
    const long = gateway ? devices.find((device) => device.length > MAX_NAME_CHARACTERS) : undefined;
    if (long !== undefined) {
        throw new UsageError(
            `A gateway’s id has ${MAX_NAME_CHARACTERS} characters at most, as its certificate names it: ${long} has ${long.length}`,
        );
    }
    if (!isWished(wishes)) {
        return;
    }
    if (lake.kind === 's3') {
        // Files that are there are kept, and what they lack is made up for: a command that was cut off is typed again.
        const { checkWishesOnAws } = await import('./aws.ts');
        return checkWishesOnAws(lake, devices, wishes);
    }
    if (program) {
        throw new UsageError(
            'A lake in a directory has no stream that programs could write to: give the program a token (--token), it sends by HTTP',
        );
    }
    for (const device of devices) {
        if (out !== undefined) {
            await assertNoneThere(out, device, ['certificate', 'key', ...(token ? (['token'] as const) : [])]);
        }
    }
}

/** Makes what is wished for a registered device, but for what its folder has already. */
export async function makeCredentials(lake: Lake, device: string, wishes: Wishes, context: Pick<RunContext, 'now'>): Promise<Made> {
    const { isNew } =
        lake.kind === 's3'
            ? await (await import('./aws.ts')).makeOnAws(lake, device, wishes, context)
            : await makeCertificate(lake, device, wishes, context);
    const made = await makeToken(lake, device, wishes, context);
    return { token: made.token, isNew: isNew || made.isNew };
}

async function makeCertificate(
    lake: DirectoryLake,
    device: string,
    { out, days, gateway }: Wishes,
    { now }: Pick<RunContext, 'now'>,
): Promise<{ isNew: boolean }> {
    const there: Partial<DeviceFiles> = out === undefined ? {} : await readDeviceFiles(out, device);
    if ((there.certificate === undefined) !== (there.key === undefined)) {
        throw new UsageError(
            `Of device.crt and device.key one is missing in ${out}/${device}, as after a command that was cut off: remove both, and try again`,
        );
    }
    if (out === undefined || there.certificate !== undefined) {
        return { isNew: false };
    }
    const { openAuthority, authorityFolder } = await import('#lake/serve/certificates');
    const authority = await openAuthority(authorityFolder(lake.directory), { now: now() });
    const issued = await authority.issueDevice({ device, ...(days > 0 && { days }), now: now() });
    const { fingerprint, serial, notAfter, certificate, key } = issued;
    // First the lake knows it: a certificate that was never written down harms nobody.
    const record = { fingerprint, serial, not_after: notAfter.toISOString(), added: now().toISOString() };
    await addCertificate(await lake.store(), device, { ...record, ...(gateway && { gateway }) });
    writeDeviceFiles(out, device, { certificate, key, ca: authority.certificate });
    return { isNew: true };
}

async function makeToken(
    lake: Lake,
    device: string,
    { out, token: isWanted, label }: Wishes,
    { now }: Pick<RunContext, 'now'>,
): Promise<Made> {
    const store = await lake.store();
    if (!isWanted) {
        return { token: undefined, isNew: false };
    }
    if (out === undefined) {
        return { token: (await addToken(store, device, { label, now: now() })).token, isNew: true };
    }
    const there = (await readDeviceFiles(out, device)).token;
    const token = there ?? newToken(device);
    if (there === undefined) {
        // First the file: a token that the lake does not know lets nobody in, and the next try adds it.
        writeDeviceFiles(out, device, { token: `${token}\n` });
    }
    await addToken(store, device, { label, now: now(), token });
    return { token: undefined, isNew: there === undefined };
}

/** Tells what was made, and how to use it. A token that stands in no file goes to stdout, alone. */
export async function sayMade(
    lake: Lake,
    device: string,
    { wishes, made }: { wishes: Wishes; made: Made },
    { stdout, stderr, invocation, lake: named, now }: RunContext,
): Promise<void> {
    const { out, token: hasToken, program, gateway } = wishes;
    const lakeName = named?.name ?? '';
    const places =
        lake.kind === 's3' ? await (await import('./aws.ts')).placesOnAws(lake) : { ...readServing(lake.directory), programStream: '' };
    const message = await exampleFor(await lake.store(), device, { now: now() });
    if (program) {
        await stderr.write(
            `Programs may write as it, with its id as partition key:\n\naws kinesis put-record --stream-name ${places.programStream} --partition-key ${quoteForShell(device)} --cli-binary-format raw-in-base64-out --data ${quoteForShell(message.payload)}\n\n`,
        );
    }
    if (made.token !== undefined) {
        await stderr.write('Its token, which is shown this once:\n');
        await stdout.write(`${made.token}\n`);
        await stderr.write(
            `It sends by HTTP: curl ${places.httpBase}/v1/telemetry -H 'Authorization: Bearer TOKEN' -H 'Content-Type: application/json' -d '{...}'\n`,
        );
    }
    if (out === undefined) {
        return;
    }
    if (gateway) {
        const { host, mqttPort } = places;
        await stderr.write(
            `Key and certificate are in ${out}/${device}. Copy the folder to the other machine; its serve hands on what devices of this site send to it:\n\n` +
                `${invocation} --lake THAT-LAKE serve --forward mqtts://${host}:${mqttPort} --forward-as ${quoteForShell(`${out}/${device}`)}\n`,
        );
        return;
    }
    const lines = clientLines({ device, directory: out, message, ...places }).filter(({ by }) => by === 'certificate' || hasToken);
    const shown = lines.map(({ client, needs, text }) => `# ${client} (${needs})\n${text}`).join('\n');
    const kept = made.isNew ? '' : ', as they were';
    await stderr.write(
        `Key and certificate${hasToken ? ', and a token,' : ''} are in ${out}/${device}${kept}. It sends its first message by any of these:\n\n${shown}\nTo prove the way: ${invocation} --lake ${quoteForShell(lakeName)} device check ${device} --credentials ${quoteForShell(out)}\n`,
    );
}

/** Revokes credentials. A broker that serves the lake ends their connections within seconds; of a deployed lake IoT Core is told. */
export async function revokeDevice(
    device: string,
    { certificate, token, program }: { certificate: string | undefined; token: string | undefined; program: boolean },
    context: RunContext,
): Promise<number> {
    if ([certificate !== undefined, token !== undefined, program].filter(Boolean).length > 1) {
        throw new UsageError('Give --certificate or --token or --program; without any all credentials of the device are revoked');
    }
    const what: Revocation = certificate !== undefined ? { certificate } : token !== undefined ? { token } : program ? 'program' : 'all';
    return useLake(context, async (lake) => {
        // First the lake: from then on it takes nothing of it, whatever becomes of the rest.
        const revoked = await revokeCredentials(await lake.store(), device, { what, now: context.now() });
        const now =
            revoked.length === 0
                ? `Nothing to revoke: that of device ${device} was revoked before`
                : `Revoked of device ${device}: ${revoked.join(', ')}`;
        if (lake.kind === 's3') {
            const { cutOffOnAws } = await import('./aws.ts');
            await context.stderr.write(`${now}\n`);
            await context.stderr.write(`${await cutOffOnAws(lake, device, what)}\n`);
            return 0;
        }
        await tellServe(lake);
        await context.stderr.write(revoked.length === 0 ? `${now}\n` : `${now}. Connections that are open end within seconds\n`);
        return 0;
    });
}

/** Prints a row for each certificate and token of the device. @throws Failure where it is not registered */
export async function showCredentials(device: string, context: RunContext): Promise<number> {
    return useLake(context, async (lake) => {
        const store = await lake.store();
        const { certificates, tokens, programs = [] } = await readCredentials(store, device);
        if (certificates.length + tokens.length + programs.length === 0 && (await readDevice(store, device)).length === 0) {
            throw new Failure(`There is no device ${device}: flowlake device list shows those that there are`);
        }
        const rows = [
            ...certificates.map(({ fingerprint, added, not_after: ends, revoked, gateway }) => [
                gateway ? 'gateway certificate' : 'certificate',
                ...[fingerprint, added, ends, revoked],
            ]),
            ...tokens.map(({ label, added, revoked }) => ['token', label, added, null, revoked]),
            ...programs.map(({ added, revoked }) => ['program', null, added, null, revoked]),
        ];
        const seen = lake.kind === 's3' ? await (await import('./aws.ts')).seeCertificates(lake, device) : undefined;
        const names = ['kind', 'name', 'added', 'ends', 'revoked', ...(seen ? ['iot'] : [])];
        const shown = seen
            ? rows.map((row) => [...row, row[0] === 'certificate' ? (seen.get(row[1] ?? '')?.status ?? 'not there') : null])
            : rows;
        await printRows({ columns: names.map((name) => ({ name, type: 'varchar' })), batches: batchOf(shown) }, context);
        return 0;
    });
}

/** A line for each certificate and token of a device, for people. */
export function sayCredentials({ certificates, tokens, programs = [] }: Credentials): string {
    const lines = [
        ...certificates.map(
            ({ fingerprint, not_after: ends, revoked, gateway }) =>
                `${gateway ? 'gateway’s ' : ''}certificate ${fingerprint}, ${revoked === null ? `holds until ${dayOf(ends)}` : `revoked on ${dayOf(revoked)}`}`,
        ),
        ...tokens.map(
            ({ label, added, revoked }) =>
                `token ${label}, ${revoked === null ? `given on ${dayOf(added)}` : `revoked on ${dayOf(revoked)}`}`,
        ),
        ...programs.map(
            ({ added, revoked }) =>
                `programs may write as it from ${dayOf(added)} on${revoked === null ? '' : `, until ${dayOf(revoked)}`}`,
        ),
    ];
    return lines.length === 0 ? 'It has no credentials: device add --out DIR or --token makes some' : lines.join('\n');
}

function dayOf(instant: string): string {
    return instant.slice(0, 'yyyy-mm-dd'.length);
}
