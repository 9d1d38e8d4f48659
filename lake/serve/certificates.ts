/**
 * The lake's own certificate authority, for machines that stand alone: it signs what devices prove themselves by, and what the servers show them. Its key never
 * leaves its folder. EC P-256 throughout: every client of the field takes it, and a handshake costs a tenth of what RSA does.
 */
import { createHash, createPrivateKey, randomBytes, randomUUID, webcrypto, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import type * as Types from '@peculiar/x509';
import { StorageError, UsageError } from '#lake/errors';
import { makeFolder } from '#lake/store/make-folder';
import { codeOf, translate } from '#lake/store/system-errors';
import { x509 } from '#lake/x509';

/** Days that a device's certificate holds where nothing else is said: five years. */
const DEVICE_DAYS = 1_825;

/** Twenty years: devices that know the authority need never be visited for its sake. */
const AUTHORITY_DAYS = 7_305;

/** A year and a bit, as browsers allow at most. It is renewed by itself. */
const SERVER_DAYS = 397;
const RENEW_BEFORE_DAYS = 30;

/** Clocks of devices are behind now and then: what was made today already holds for them. */
const BACKDATED_DAYS = 1;

const DAY_MS = 86_400_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export interface IssuedCertificate {
    /** PEM. */
    certificate: string;
    /** PEM, PKCS #8. */
    key: string;
    /** SHA-256 in hex digits of lower case. */
    fingerprint: string;
    /** In hex. */
    serial: string;
    notAfter: Date;
}

export interface ServerCertificate {
    /** PEM. */
    certificate: string;
    key: string;
    notAfter: Date;
    /** From then on `server` makes another one. */
    renewFrom: Date;
}

export interface Authority {
    /** PEM: what devices are given, so that they know the server. */
    certificate: string;
    /** A key and certificate for the device, signed now. */
    issueDevice(options: { device: string; days?: number; now: Date }): Promise<IssuedCertificate>;
    /**
     * The certificate of the servers of this machine, for all of the names and addresses by which devices dial. The one that was made before is taken while it
     * has them all and does not end within 30 days.
     */
    server(options: { names: readonly string[]; now: Date }): Promise<ServerCertificate>;
}

/**
 * Names and addresses by which devices may dial this machine, each once: those that are said, then loopback, then what the system knows of itself. The first one
 * is the one to show to people.
 */
export function namesOfMachine(said: readonly string[]): string[] {
    const own = hostname().toLowerCase();
    const addresses = Object.values(networkInterfaces()).flatMap((some = []) =>
        some.flatMap(({ address, internal }) => (internal ? [] : [address])),
    );
    const names = [...said, 'localhost', '127.0.0.1', '::1', own, ...(own.includes('.') ? [] : [`${own}.local`]), ...addresses];
    // An address of one link alone, fe80::1%eth0, is none that a certificate can have.
    return [...new Set(names)].filter((name) => (isIP(name.split('%')[0] ?? '') ? !name.includes('%') : DNS_NAME.test(name)));
}

/** Names as RFC 5280 wants them in a certificate; a system may call itself anything. */
const DNS_NAME = /^(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*$/i;

/** The folder of the authority of a lake in a directory. */
export function authorityFolder(directory: string): string {
    return join(directory, '.flowlake', 'live', 'ca');
}

/**
 * Opens the authority in the folder. Where there is none it is made; two programs that do so at once have the same one then.
 * @throws StorageError for one that is damaged @throws UsageError where others can read its key
 */
export async function openAuthority(folder: string, { now }: { now: Date }): Promise<Authority> {
    try {
        if (!existsSync(folder)) {
            await makeAuthority(folder, now);
        }
        return await readAuthority(folder);
    } catch (error) {
        throw error instanceof StorageError || error instanceof UsageError
            ? error
            : translate(error, { directory: folder, doing: 'use the certificate authority' });
    }
}

async function makeAuthority(folder: string, now: Date): Promise<void> {
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
        serialNumber: newSerial(),
        name: [
            { CN: [`flowlake ${createHash('sha256').update(randomUUID()).digest('hex').slice(0, 8)}`] },
            { OU: ['certificate authority'] },
        ],
        notBefore: daysFrom(now, -BACKDATED_DAYS),
        notAfter: daysFrom(now, AUTHORITY_DAYS),
        signingAlgorithm: ALGORITHM,
        keys,
        extensions: [
            new x509.BasicConstraintsExtension(true, 0, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
            await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        ],
    });
    const live = dirname(folder);
    makeFolder(live);
    chmodSync(live, 0o700);
    // Both files appear at once: a program that is killed in between leaves half an authority under another name.
    const aside = `${folder}-${randomUUID()}`;
    mkdirSync(aside, { mode: 0o700 });
    try {
        writeFileSync(join(aside, 'ca.key'), await keyText(keys.privateKey), { mode: 0o600, flush: true });
        writeFileSync(join(aside, 'ca.crt'), `${certificate.toString('pem')}\n`, { mode: 0o644, flush: true });
        renameSync(aside, folder);
    } catch (error) {
        rmSync(aside, { recursive: true, force: true });
        if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(codeOf(error) ?? '') || !existsSync(folder)) {
            throw error;
        }
        // Another program was faster.
    }
}

async function readAuthority(folder: string): Promise<Authority> {
    const paths = { certificate: join(folder, 'ca.crt'), key: join(folder, 'ca.key') };
    const certificateText = readFileSync(paths.certificate, 'utf8');
    const keyPem = readSecret(paths.key);
    if (!isPair(certificateText, keyPem)) {
        throw new StorageError(
            `${paths.certificate} and ${paths.key} do not belong together, or are damaged: restore ${folder} from a backup. Without it, move it away: a new authority is made, and every device needs a new certificate`,
        );
    }
    const certificate = new x509.X509Certificate(certificateText);
    const signingKey = await webcrypto.subtle.importKey(
        'pkcs8',
        createPrivateKey(keyPem).export({ type: 'pkcs8', format: 'der' }),
        ALGORITHM,
        false,
        ['sign'],
    );
    const issue = (what: Omit<LeafOptions, 'issuer' | 'signingKey'>) => issueLeaf({ ...what, issuer: certificate, signingKey });
    return {
        certificate: certificateText,
        issueDevice: ({ device, days = DEVICE_DAYS, now }) => issue({ name: device, days, now, usage: x509.ExtendedKeyUsage.clientAuth }),
        async server({ names, now }) {
            const before = readServer(folder, { names, now, authority: certificateText });
            if (before) {
                return before;
            }
            const made = await issue({
                ...{ name: names[0] ?? 'localhost', days: SERVER_DAYS, now, usage: x509.ExtendedKeyUsage.serverAuth },
                names,
            });
            // The key first: a certificate that does not fit its key is made anew.
            replaceFile(join(folder, 'server.key'), made.key, 0o600);
            replaceFile(join(folder, 'server.crt'), made.certificate, 0o644);
            return { certificate: made.certificate, key: made.key, notAfter: made.notAfter, renewFrom: renewFrom(made.notAfter) };
        },
    };
}

interface LeafOptions {
    issuer: Types.X509Certificate;
    signingKey: webcrypto.CryptoKey;
    name: string;
    days: number;
    now: Date;
    usage: Types.ExtendedKeyUsage;
    /** Names and addresses of a server. */
    names?: readonly string[];
}

async function issueLeaf({ issuer, signingKey, name, days, now, usage, names = [] }: LeafOptions): Promise<IssuedCertificate> {
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
    const notAfter = new Date(Math.min(daysFrom(now, days).getTime(), issuer.notAfter.getTime()));
    const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: newSerial(),
        // Longer names are not allowed in a certificate (RFC 5280); who a device is says the fingerprint.
        subject: [{ CN: [name.slice(0, 64)] }],
        issuer: issuer.subjectName.toJSON(),
        notBefore: daysFrom(now, -BACKDATED_DAYS),
        notAfter,
        signingAlgorithm: ALGORITHM,
        signingKey,
        publicKey: keys.publicKey,
        extensions: [
            new x509.BasicConstraintsExtension(false, undefined, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
            new x509.ExtendedKeyUsageExtension([usage]),
            ...(names.length > 0
                ? [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value })))]
                : []),
            await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
            await x509.AuthorityKeyIdentifierExtension.create(issuer),
        ],
    });
    return {
        certificate: `${certificate.toString('pem')}\n`,
        key: await keyText(keys.privateKey),
        fingerprint: createHash('sha256').update(Buffer.from(certificate.rawData)).digest('hex'),
        serial: certificate.serialNumber,
        notAfter: certificate.notAfter,
    };
}

/** The certificate that was made before; undefined where there is none that will do. */
function readServer(
    folder: string,
    { names, now, authority }: { names: readonly string[]; now: Date; authority: string },
): ServerCertificate | undefined {
    const [certificatePath, keyPath] = [join(folder, 'server.crt'), join(folder, 'server.key')];
    if (!existsSync(certificatePath) || !existsSync(keyPath)) {
        return undefined;
    }
    const [certificate, key] = [readFileSync(certificatePath, 'utf8'), readSecret(keyPath)];
    if (!isPair(certificate, key)) {
        return undefined;
    }
    const parsed = new X509Certificate(certificate);
    const hasAll = names.every((name) => (isIP(name) ? parsed.checkIP(name) : parsed.checkHost(name)) !== undefined);
    const notAfter = new Date(parsed.validTo);
    const isFresh = now < renewFrom(notAfter);
    return hasAll && isFresh && parsed.checkIssued(new X509Certificate(authority))
        ? { certificate, key, notAfter, renewFrom: renewFrom(notAfter) }
        : undefined;
}

function renewFrom(notAfter: Date): Date {
    return daysFrom(notAfter, -RENEW_BEFORE_DAYS);
}

/** True if the certificate is of that key. */
function isPair(certificate: string, key: string): boolean {
    try {
        return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
    } catch {
        return false;
    }
}

/** @throws UsageError where others than its owner can read it */
function readSecret(path: string): string {
    if ((statSync(path).mode & 0o077) !== 0 && isWithModes()) {
        throw new UsageError(`Others than its owner can read ${path}: chmod 600 ${path}. If somebody may have, make a new authority`);
    }
    return readFileSync(path, 'utf8');
}

/** False on Windows, where files have no such modes. */
function isWithModes(): boolean {
    return join('a', 'b') === 'a/b';
}

function replaceFile(path: string, text: string, mode: number): void {
    const aside = `${path}-${randomUUID()}`;
    writeFileSync(aside, text, { mode, flush: true });
    renameSync(aside, path);
}

async function keyText(key: webcrypto.CryptoKey): Promise<string> {
    return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

/** 127 bits of chance, above zero: https://datatracker.ietf.org/doc/html/rfc5280#section-4.1.2.2 */
function newSerial(): string {
    const bytes = randomBytes(16);
    bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
    return bytes.toString('hex');
}

function daysFrom(now: Date, days: number): Date {
    return new Date(Math.floor((now.getTime() + days * DAY_MS) / 1_000) * 1_000);
}
