/**
 * What devices prove themselves by: an object each, with the fingerprints of its certificates and the hashes of its tokens. No secret stands in it.
 * What was revoked stays, so that it is known by name when it comes again.
 */
import { createHash, randomBytes } from 'node:crypto';
import pMap from 'p-map';
import { StorageError, UsageError } from '#lake/errors';
import { CREDENTIALS_PREFIX, credentialsIdOf, credentialsKey, isDeviceId } from '#lake/layout';
import { ABSENT, CALLS_AT_ONCE, type ObjectStore, tryPut } from '#lake/store/object-store';

/** Instants are ISO 8601 in UTC. */
export interface CertificateRecord {
    /** SHA-256 of the certificate, 64 hex digits in lower case. */
    fingerprint: string;
    /** Serial number in hex. */
    serial: string;
    not_after: string;
    added: string;
    /** Null while it holds. */
    revoked: string | null;
    /** True where it is a gateway's: it may hand on what devices of its site have sent to another lake. */
    gateway?: true | undefined;
}

export interface TokenRecord {
    /** SHA-256 of the token, 64 hex digits in lower case. */
    hash: string;
    /** Name by which people know it. */
    label: string;
    added: string;
    revoked: string | null;
}

/** A span of time in which programs may write as the device, with PutRecords into the stream of programs; only AWS has that stream. */
export interface ProgramRecord {
    added: string;
    revoked: string | null;
}

export interface Credentials {
    device: string;
    certificates: readonly CertificateRecord[];
    tokens: readonly TokenRecord[];
    /** Oldest first; left out by lakes that never let programs write. */
    programs?: readonly ProgramRecord[];
}

/** What is revoked: the certificate whose fingerprint begins so, the token of that label, that programs may write, or all. */
export type Revocation = { certificate: string } | { token: string } | 'program' | 'all';

/** The device's credentials; none where nothing was ever made for it. @throws StorageError where the object is damaged */
export async function readCredentials(store: ObjectStore, device: string): Promise<Credentials> {
    return (await readObject(store, device)).credentials;
}

/** Credentials of every device that has some; an object is read for each. @throws StorageError where one is damaged */
export async function readAllCredentials(store: ObjectStore): Promise<Credentials[]> {
    const found: { key: string; device: string }[] = [];
    for await (const { key } of store.list(CREDENTIALS_PREFIX)) {
        const device = credentialsIdOf(key);
        found.push(...(device === undefined ? [] : [{ key, device }]));
    }
    const read = async (one: { key: string; device: string }): Promise<Credentials[]> => {
        const object = await store.get(one.key);
        return object ? [parseCredentials(object.bytes, one)] : [];
    };
    return (await pMap(found, read, { concurrency: CALLS_AT_ONCE })).flat();
}

/** Certificates are told of this long before they end: time enough to visit a device. */
export const NEAR_END_DAYS = 30;

const DAY_MS = 86_400_000;

/**
 * Devices whose last certificate ends within 30 days, or has ended, with its end; the next to end first. A device with another one that holds for longer was given
 * it in time.
 */
export function endingSoon(
    certificates: readonly { device: string; notAfter: Date }[],
    { now }: { now: Date },
): { device: string; notAfter: Date }[] {
    const last = new Map<string, Date>();
    for (const { device, notAfter } of certificates) {
        const known = last.get(device);
        last.set(device, known && known > notAfter ? known : notAfter);
    }
    return [...last]
        .flatMap(([device, notAfter]) => (notAfter.getTime() < now.getTime() + NEAR_END_DAYS * DAY_MS ? [{ device, notAfter }] : []))
        .sort((a, b) => a.notAfter.getTime() - b.notAfter.getTime() || (a.device < b.device ? -1 : 1));
}

/** Certificates that are not revoked, with their ends. */
export function holdingCertificates(all: readonly Credentials[]): { device: string; notAfter: Date }[] {
    return all.flatMap(({ device, certificates }) =>
        certificates.flatMap(({ revoked, not_after: end }) => (revoked === null ? [{ device, notAfter: new Date(end) }] : [])),
    );
}

/** Adds a certificate. Safe to repeat. @throws UsageError for what is no device id */
export async function addCertificate(store: ObjectStore, device: string, certificate: Omit<CertificateRecord, 'revoked'>): Promise<void> {
    await change(store, device, (before) => {
        const { certificates } = before;
        const isThere = certificates.some(({ fingerprint }) => fingerprint === certificate.fingerprint);
        return { ...before, certificates: isThere ? certificates : [...certificates, { ...certificate, revoked: null }] };
    });
}

/** Lets programs write as the device from now on. Safe to repeat. @returns false where they could already */
export async function allowPrograms(store: ObjectStore, device: string, { now }: { now: Date }): Promise<boolean> {
    let isNew = false;
    await change(store, device, (before) => {
        const programs = before.programs ?? [];
        isNew = !programs.some(({ revoked }) => revoked === null);
        return isNew ? { ...before, programs: [...programs, { added: now.toISOString(), revoked: null }] } : before;
    });
    return isNew;
}

/** Why programs cannot write as the device at that time; undefined where they can. */
export function whyNoProgram({ device, programs = [] }: Credentials, { atMs }: { atMs: number }): string | undefined {
    if (programs.some((span) => Date.parse(span.added) <= atMs && atMs < endOf(span))) {
        return undefined;
    }
    const last = programs.findLast(({ added }) => Date.parse(added) <= atMs);
    return last?.revoked
        ? `programs may write as device ${device} no more since ${last.revoked}`
        : `programs may not write as device ${device}: flowlake device add ${device} --program lets them`;
}

/**
 * Why a message that came with this certificate at that time is not the device's; undefined where it is. A broker that only looks who may connect lets in what
 * the lake does not know: another application's certificate, or one that was revoked a moment ago.
 */
export function whyNotItsCertificate(
    { device, certificates }: Credentials,
    { fingerprint, atMs }: { fingerprint: string; atMs: number },
): string | undefined {
    const known = certificates.find((one) => one.fingerprint === hexOf(fingerprint));
    if (!known) {
        return `the lake knows no certificate ${hexOf(fingerprint).slice(0, 12)}... of device ${device}`;
    }
    return atMs < endOf(known) ? undefined : `the certificate of device ${device} was revoked on ${known.revoked}`;
}

function endOf({ revoked }: { revoked: string | null }): number {
    return revoked === null ? Number.POSITIVE_INFINITY : Date.parse(revoked);
}

/** What every token of a device begins with. */
const TOKEN_PREFIX = 'flt_';

/**
 * A token that nothing knows yet: 256 bits of chance behind the id of its device, so that one look at that device's credentials tells whether it holds, however
 * many devices there are.
 */
export function newToken(device: string): string {
    return `${TOKEN_PREFIX}${Buffer.from(device).toString('base64url')}.${randomBytes(32).toString('base64url')}`;
}

/**
 * Makes a token, or adds the one that is given. Without `label` it gets the first of `token-1`, `token-2` that is free. Safe to repeat with a token.
 * @returns the token, which is told nowhere else @throws UsageError for a label that is taken, for a token that was revoked
 */
export async function addToken(
    store: ObjectStore,
    device: string,
    { label, now, token = newToken(device) }: { label?: string | undefined; now: Date; token?: string | undefined },
): Promise<{ token: string; label: string }> {
    const hash = hashToken(token);
    const { tokens } = await change(store, device, (credentials) => {
        const before = credentials.tokens;
        const known = before.find((one) => one.hash === hash);
        if (known?.revoked) {
            throw new UsageError(`Token ${known.label} of device ${device} was revoked on ${known.revoked}: give it another one`);
        }
        if (known) {
            return credentials;
        }
        const isFree = (name: string): boolean => before.every((one) => one.label !== name);
        if (label !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(label)) {
            throw new UsageError(`${JSON.stringify(label)} is no label of a token: letters, digits, dot, dash and underscore, 64 at most`);
        }
        if (label !== undefined && !isFree(label)) {
            throw new UsageError(`Device ${device} has a token ${label} already: give the new one another label`);
        }
        const name = label ?? Array.from({ length: before.length + 1 }, (_, at) => `token-${at + 1}`).find(isFree) ?? '';
        return { ...credentials, tokens: [...before, { hash, label: name, added: now.toISOString(), revoked: null }] };
    });
    return { token, label: tokens.find((one) => one.hash === hash)?.label ?? '' };
}

/** Makes a token for as long as `use` works; nothing of it stays. */
export async function withToken<T>(
    store: ObjectStore,
    device: string,
    { now }: { now: Date },
    use: (token: string) => Promise<T>,
): Promise<T> {
    const { token } = await addToken(store, device, { label: `check-${randomBytes(4).toString('hex')}`, now });
    try {
        return await use(token);
    } finally {
        const hash = hashToken(token);
        await change(store, device, (before) => ({ ...before, tokens: before.tokens.filter((one) => one.hash !== hash) }));
    }
}

/** Revokes credentials of a device. @returns what was revoked now, in words @throws UsageError where it has none of that name */
export async function revokeCredentials(
    store: ObjectStore,
    device: string,
    { what, now }: { what: Revocation; now: Date },
): Promise<string[]> {
    if (typeof what === 'object' && 'certificate' in what && !/^[0-9a-f]{4,64}$/.test(hexOf(what.certificate))) {
        throw new UsageError(`${JSON.stringify(what.certificate)} is no beginning of a fingerprint: 4 hex digits or more (device show)`);
    }
    let said: string[] = [];
    await change(store, device, (before) => {
        const { certificates, tokens, programs = [] } = before;
        const meantCertificates = certificates.filter(({ fingerprint }) => isMeantCertificate(what, fingerprint));
        const meantTokens = tokens.filter(
            ({ label }) => what === 'all' || (typeof what === 'object' && 'token' in what && label === what.token),
        );
        const meantPrograms = what === 'all' || what === 'program' ? programs : [];
        if (meantCertificates.length + meantTokens.length + meantPrograms.length === 0) {
            throw new UsageError(whyNothing(before, what));
        }
        if (what !== 'all' && meantCertificates.length > 1) {
            throw new UsageError(`${meantCertificates.length} certificates of device ${device} begin so: give more of the fingerprint`);
        }
        const revoked = now.toISOString();
        const end = <T extends { revoked: string | null }>(all: readonly T[], meant: readonly T[]): T[] =>
            all.map((one) => (meant.includes(one) ? { ...one, revoked: one.revoked ?? revoked } : one));
        const holds = ({ revoked: ended }: { revoked: string | null }): boolean => ended === null;
        said = [
            ...meantCertificates.filter(holds).map(({ fingerprint }) => `certificate ${fingerprint}`),
            ...meantTokens.filter(holds).map(({ label }) => `token ${label}`),
            ...meantPrograms.filter(holds).map(() => PROGRAMS),
        ];
        return {
            ...before,
            certificates: end(certificates, meantCertificates),
            tokens: end(tokens, meantTokens),
            ...(programs.length > 0 && { programs: end(programs, meantPrograms) }),
        };
    });
    return said;
}

/** How people call that programs may write. */
const PROGRAMS = 'that programs may write';

/** True if this certificate is one of those that are to be revoked. */
export function isMeantCertificate(what: Revocation, fingerprint: string): boolean {
    return what === 'all' || (typeof what === 'object' && 'certificate' in what && fingerprint.startsWith(hexOf(what.certificate)));
}

/** The device that a token names, which is not known to have it yet; undefined where it names none. */
export function deviceOfToken(token: string): string | undefined {
    const [named = '', secret = ''] = token.startsWith(TOKEN_PREFIX) ? token.slice(TOKEN_PREFIX.length).split('.', 2) : [];
    const device = Buffer.from(named, 'base64url').toString();
    return secret !== '' && isDeviceId(device) ? device : undefined;
}

/** The hash by which a token is kept. Tokens are 256 bits of chance, so no slow hash is needed. */
export function hashToken(token: string): string {
    return createHash('sha256').update(token).digest('hex');
}

/** A fingerprint as it is kept: hex digits in lower case, without the colons that many programs write. */
export function hexOf(fingerprint: string): string {
    return fingerprint.replaceAll(':', '').toLowerCase();
}

/** The credentials in an object's bytes. @throws StorageError where they are damaged */
export function parseCredentials(bytes: Uint8Array, { key, device }: { key: string; device: string }): Credentials {
    let value: unknown;
    try {
        value = JSON.parse(Buffer.from(bytes).toString());
    } catch {
        value = undefined;
    }
    if (!isCredentials(value) || value.device !== device) {
        throw new StorageError(
            `${key} holds no credentials of device ${device}: restore it from a backup, or delete it and give the device new ones (device add)`,
        );
    }
    return value;
}

function whyNothing({ device, certificates, tokens, programs = [] }: Credentials, what: Revocation): string {
    const names = [
        ...certificates.map(({ fingerprint }) => `certificate ${fingerprint.slice(0, 12)}...`),
        ...tokens.map(({ label }) => `token ${label}`),
        ...(programs.length > 0 ? [PROGRAMS] : []),
    ];
    if (what === 'program') {
        return `Programs may not write as device ${device}: there is nothing to revoke`;
    }
    const asked =
        what === 'all' ? 'no credentials' : 'certificate' in what ? `no certificate ${what.certificate}` : `no token ${what.token}`;
    return `Device ${device} has ${asked}${names.length > 0 ? `, but ${names.join(', ')}` : what === 'all' ? '' : ', and no other'}`;
}

async function change(store: ObjectStore, device: string, to: (before: Credentials) => Credentials): Promise<Credentials> {
    if (!isDeviceId(device)) {
        throw new UsageError(`${JSON.stringify(device)} is no id of a device`);
    }
    for (;;) {
        const { credentials, etag } = await readObject(store, device);
        const after = to(credentials);
        const text = `${JSON.stringify(after, undefined, 4)}\n`;
        if (await tryPut(store, credentialsKey(device), Buffer.from(text), { ifMatch: etag })) {
            return after;
        }
        // Another was faster, or the answer was lost: look again.
    }
}

async function readObject(store: ObjectStore, device: string): Promise<{ credentials: Credentials; etag: string }> {
    const key = credentialsKey(device);
    const object = isDeviceId(device) ? await store.get(key) : undefined;
    return object
        ? { credentials: parseCredentials(object.bytes, { key, device }), etag: object.info.etag }
        : { credentials: { device, certificates: [], tokens: [] }, etag: ABSENT };
}

function isCredentials(value: unknown): value is Credentials {
    const { device, certificates, tokens, programs = [] } = fieldsOf(value);
    return typeof device === 'string' && isListOf(certificates, CERTIFICATE) && isListOf(tokens, TOKEN) && isListOf(programs, PROGRAM);
}

const HASH = /^[0-9a-f]{64}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/;
const CERTIFICATE: Readonly<Record<string, RegExp>> = { fingerprint: HASH, serial: /^[0-9a-f]+$/, not_after: INSTANT, added: INSTANT };
const TOKEN: Readonly<Record<string, RegExp>> = { hash: HASH, label: /./, added: INSTANT };
const PROGRAM: Readonly<Record<string, RegExp>> = { added: INSTANT };

function isListOf(value: unknown, form: Readonly<Record<string, RegExp>>): boolean {
    return (
        Array.isArray(value) &&
        value.every((one) => {
            const fields = fieldsOf(one);
            const { revoked } = fields;
            const isWhole = Object.entries(form).every(([name, expression]) => expression.test(textOf(fields[name])));
            const isKnown = fields.gateway === undefined || (fields.gateway === true && form === CERTIFICATE);
            return isWhole && isKnown && (revoked === null || INSTANT.test(textOf(revoked)));
        })
    );
}

function textOf(value: unknown): string {
    return typeof value === 'string' ? value : '';
}

function fieldsOf(value: unknown): Record<string, unknown> {
    return typeof value === 'object' && value !== null ? { ...value } : {};
}
