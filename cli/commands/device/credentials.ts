/** Makes what devices prove themselves by, shows it, and ends it. */
import { Failure, type RunContext } from '#cli/command';
import { assertNoneThere, type DeviceFiles, readDeviceFiles, writeDeviceFiles } from '#cli/device-files';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { quoteForShell } from '#cli/quote-for-shell';
import { tellServe } from '#cli/tell-serve';
import { useLake } from '#cli/use-lake';
import { addCertificate, addToken, type Credentials, type Revocation, readCredentials, revokeCredentials } from '#lake/credentials';
import { readDevice } from '#lake/devices';
import { UsageError } from '#lake/errors';
import type { DirectoryLake, Lake } from '#lake/lake';
import { readServing } from '#lake/serve/live-files';
import { clientLines } from './client-lines.ts';
import { exampleFor } from './example.ts';

/** What a device is to be given. */
export interface Wishes {
    /** Folder for a folder of each device; a certificate is made where it is given. */
    out: string | undefined;
    token: boolean;
    label: string | undefined;
    days: number;
}

/** What was made for a device. */
export interface Made {
    /** The token where it stands in no file. */
    token: string | undefined;
}

/** True if anything is to be made. */
export function isWished({ out, token }: Wishes): boolean {
    return out !== undefined || token;
}

/**
 * Lets wishes pass that can be granted for these devices: nothing is changed before.
 * @throws UsageError for a lake in S3, for files that are there already, for options without their meaning
 */
export async function checkWishes(lake: Lake, devices: readonly string[], wishes: Wishes): Promise<void> {
    const { out, token, label } = wishes;
    if (label !== undefined && !token) {
        throw new UsageError('--label names a token: give --token with it');
    }
    if (!isWished(wishes)) {
        return;
    }
    assertDirectory(lake);
    for (const device of devices) {
        if (out !== undefined) {
            await assertNoneThere(out, device, ['certificate', 'key', ...(token ? (['token'] as const) : [])]);
        }
    }
}

/** Makes what is wished for a registered device, but for what its folder has already. */
export async function makeCredentials(lake: Lake, device: string, wishes: Wishes, { now }: Pick<RunContext, 'now'>): Promise<Made> {
    const { out, token: isTokenWished, label, days } = wishes;
    const store = await lake.store();
    assertDirectory(lake);
    const there: Partial<DeviceFiles> = out === undefined ? {} : await readDeviceFiles(out, device);
    if ((there.certificate === undefined) !== (there.key === undefined)) {
        throw new UsageError(
            `Of device.crt and device.key one is missing in ${out}/${device}, as after a command that was cut off: remove both, and try again`,
        );
    }
    if (out !== undefined && there.certificate === undefined) {
        const { openAuthority, authorityFolder } = await import('#lake/serve/certificates');
        const authority = await openAuthority(authorityFolder(lake.directory), { now: now() });
        const issued = await authority.issueDevice({ device, days, now: now() });
        const { fingerprint, serial, notAfter, certificate, key } = issued;
        // First the lake knows it: a certificate that was never written down harms nobody.
        await addCertificate(store, device, { fingerprint, serial, not_after: notAfter.toISOString(), added: now().toISOString() });
        writeDeviceFiles(out, device, { certificate, key, ca: authority.certificate });
    }
    if (!isTokenWished || there.token !== undefined) {
        return { token: undefined };
    }
    const { token } = await addToken(store, device, { label, now: now() });
    if (out === undefined) {
        return { token };
    }
    writeDeviceFiles(out, device, { token: `${token}\n` });
    return { token: undefined };
}

/** Tells what was made, and how to use it. A token that stands in no file goes to stdout, alone. */
export async function sayMade(
    lake: Lake,
    device: string,
    { wishes: { out, token: hasToken }, made }: { wishes: Wishes; made: Made },
    { stdout, stderr, invocation, lake: named, now }: RunContext,
): Promise<void> {
    assertDirectory(lake);
    const lakeName = named?.name ?? lake.directory;
    const serving = readServing(lake.directory);
    if (out === undefined) {
        await stderr.write('Its token, which is shown this once:\n');
        await stdout.write(`${made.token}\n`);
        await stderr.write(
            `It sends by HTTP: curl ${serving.httpBase}/v1/telemetry -H 'Authorization: Bearer TOKEN' -H 'Content-Type: application/json' -d '{...}'\n`,
        );
        return;
    }
    const message = await exampleFor(await lake.store(), device, { now: now() });
    const lines = clientLines({ device, directory: out, message, ...serving }).filter(({ by }) => by === 'certificate' || hasToken);
    const shown = lines.map(({ client, needs, text }) => `# ${client} (${needs})\n${text}`).join('\n');
    await stderr.write(
        `Key and certificate${hasToken ? ', and a token,' : ''} are in ${out}/${device}. It sends its first message by any of these:\n\n${shown}\nTo prove the way: ${invocation} --lake ${quoteForShell(lakeName)} device check ${device} --credentials ${quoteForShell(out)}\n`,
    );
}

/** Revokes credentials. A broker that serves the lake ends their connections within seconds. */
export async function revokeDevice(
    device: string,
    { certificate, token }: { certificate: string | undefined; token: string | undefined },
    context: RunContext,
): Promise<number> {
    if (certificate !== undefined && token !== undefined) {
        throw new UsageError('Give --certificate or --token; without either all credentials of the device are revoked');
    }
    const what: Revocation = certificate !== undefined ? { certificate } : token !== undefined ? { token } : 'all';
    return useLake(context, async (lake) => {
        const revoked = await revokeCredentials(await lake.store(), device, { what, now: context.now() });
        await tellServe(lake);
        const said =
            revoked.length === 0
                ? `Nothing to revoke: that of device ${device} was revoked before`
                : `Revoked of device ${device}: ${revoked.join(', ')}. Connections that are open end within seconds`;
        await context.stderr.write(`${said}\n`);
        return 0;
    });
}

/** Prints a row for each certificate and token of the device. @throws Failure where it is not registered */
export async function showCredentials(device: string, context: RunContext): Promise<number> {
    return useLake(context, async (lake) => {
        const store = await lake.store();
        const { certificates, tokens } = await readCredentials(store, device);
        if (certificates.length + tokens.length === 0 && (await readDevice(store, device)).length === 0) {
            throw new Failure(`There is no device ${device}: flowlake device list shows those that there are`);
        }
        const rows = [
            ...certificates.map(({ fingerprint, added, not_after: ends, revoked }) => ['certificate', fingerprint, added, ends, revoked]),
            ...tokens.map(({ label, added, revoked }) => ['token', label, added, null, revoked]),
        ];
        const columns = ['kind', 'name', 'added', 'ends', 'revoked'].map((name) => ({ name, type: 'varchar' }));
        await printRows({ columns, batches: batchOf(rows) }, context);
        return 0;
    });
}

/** A line for each certificate and token of a device, for people. */
export function sayCredentials({ certificates, tokens }: Credentials): string {
    const lines = [
        ...certificates.map(
            ({ fingerprint, not_after: ends, revoked }) =>
                `certificate ${fingerprint}, ${revoked === null ? `holds until ${dayOf(ends)}` : `revoked on ${dayOf(revoked)}`}`,
        ),
        ...tokens.map(
            ({ label, added, revoked }) =>
                `token ${label}, ${revoked === null ? `given on ${dayOf(added)}` : `revoked on ${dayOf(revoked)}`}`,
        ),
    ];
    return lines.length === 0 ? 'It has no credentials: device add --out DIR or --token makes some' : lines.join('\n');
}

function dayOf(instant: string): string {
    return instant.slice(0, 'yyyy-mm-dd'.length);
}

function assertDirectory(lake: Lake): asserts lake is DirectoryLake {
    if (lake.kind !== 'directory') {
        throw new UsageError(
            'A lake in S3 takes no messages of devices in yet: --out, --token and what belongs to them are for a lake in a directory, which flowlake serve serves',
        );
    }
}
