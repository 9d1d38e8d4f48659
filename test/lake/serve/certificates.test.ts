/** The lake's own authority: its keys are for their owner alone, it is made once, and what it signs is what TLS and devices want. */
import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { StorageError, UsageError } from '#lake/errors';
import { authorityFolder, namesOfMachine, openAuthority } from '#lake/serve/certificates';
import { makeFolder } from '#test/support/temporary';

const now = new Date('2026-02-01T12:00:00.123Z');
const NAMES = ['localhost', '127.0.0.1', '::1', 'gateway.example', '10.0.0.5'];

let folder: string;

beforeEach(async () => {
    folder = authorityFolder(await makeFolder());
});

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe('the authority', () => {
    test('is made once, also by two programs at once, and its keys are for their owner alone', async () => {
        const [one, other] = await Promise.all([openAuthority(folder, { now }), openAuthority(folder, { now })]);
        expect(one.certificate).toBe(other.certificate);
        expect((await openAuthority(folder, { now })).certificate).toBe(one.certificate);
        expect((await readdir(join(folder, '..'))).sort()).toEqual(['ca']);
        expect([await modeOf(folder), await modeOf(join(folder, '..')), await modeOf(join(folder, 'ca.key'))]).toEqual([
            0o700, 0o700, 0o600,
        ]);
        const certificate = new X509Certificate(one.certificate);
        expect(certificate.ca).toBe(true);
        expect(certificate.verify(certificate.publicKey)).toBe(true);
        expect(new Date(certificate.validTo).getUTCFullYear()).toBe(2046);
    });

    test('is not used with a key that others can read', async () => {
        await openAuthority(folder, { now });
        await chmod(join(folder, 'ca.key'), 0o640);
        await expect(openAuthority(folder, { now })).rejects.toThrow(UsageError);
        await expect(openAuthority(folder, { now })).rejects.toThrow('chmod 600');
    });

    test('that is damaged is an error, and nothing is made in its place', async () => {
        await openAuthority(folder, { now });
        const key = await readFile(join(folder, 'ca.key'), 'utf8');
        await writeFile(join(folder, 'ca.key'), key.slice(0, 80));
        await expect(openAuthority(folder, { now })).rejects.toThrow(StorageError);
        await expect(openAuthority(folder, { now })).rejects.toThrow('do not belong together, or are damaged');
        expect(await readFile(join(folder, 'ca.key'), 'utf8')).toBe(key.slice(0, 80));
    });

    test('without its key is an error too: it could not be told from a new one', async () => {
        await mkdir(folder, { recursive: true });
        await expect(openAuthority(folder, { now })).rejects.toThrow('cannot use the certificate authority');
    });
});

describe('a certificate of a device', () => {
    test('names it, is for clients, and holds for five years, or as long as is said', async () => {
        const authority = await openAuthority(folder, { now });
        const issued = await authority.issueDevice({ device: 'cam:1', now });
        const certificate = new X509Certificate(issued.certificate);
        expect(certificate.subject).toBe('CN=cam:1');
        expect(certificate.checkIssued(new X509Certificate(authority.certificate))).toBe(true);
        expect(certificate.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
        expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
        expect(certificate.ca).toBe(false);
        expect(certificate.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(issued.fingerprint);
        expect(certificate.serialNumber.toLowerCase()).toBe(issued.serial);
        expect(issued.notAfter.toISOString()).toBe('2031-01-31T12:00:00.000Z');
        const short = await authority.issueDevice({ device: 'cam:1', days: 30, now });
        expect(short.notAfter.toISOString()).toBe('2026-03-03T12:00:00.000Z');
        expect(short.serial).not.toBe(issued.serial);
    });

    test('never outlives the authority', async () => {
        const authority = await openAuthority(folder, { now });
        const { notAfter } = await authority.issueDevice({ device: 'd', days: 10_000, now });
        expect(notAfter).toEqual(new Date(new X509Certificate(authority.certificate).validTo));
    });

    test('of a device with a long id has a name that a certificate may have', async () => {
        const { certificate } = await (await openAuthority(folder, { now })).issueDevice({ device: 'd'.repeat(128), now });
        expect(new X509Certificate(certificate).subject).toBe(`CN=${'d'.repeat(64)}`);
    });
});

test('a machine goes by what is said, by loopback, and by what it calls itself', async () => {
    const names = namesOfMachine(['gateway.example', '10.0.0.5', 'localhost', 'bad_name', 'fe80::1%eth0']);
    expect(names.slice(0, 5)).toEqual(['gateway.example', '10.0.0.5', 'localhost', '127.0.0.1', '::1']);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => /[_%]/.test(name))).toEqual([]);
    const { certificate } = await (await openAuthority(folder, { now })).server({ names, now });
    expect(
        names.filter((name) => !new X509Certificate(certificate).subjectAltName?.includes(name.includes(':') ? 'IP Address' : name)),
    ).toEqual([]);
});

describe('the certificate of the server', () => {
    test('has every name and address, and stays the same while it does', async () => {
        const authority = await openAuthority(folder, { now });
        const made = await authority.server({ names: NAMES, now });
        const certificate = new X509Certificate(made.certificate);
        for (const name of ['localhost', 'gateway.example']) {
            expect(certificate.checkHost(name)).toBe(name);
        }
        for (const address of ['127.0.0.1', '::1', '10.0.0.5']) {
            expect(certificate.checkIP(address)).toBe(address);
        }
        expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
        expect(await modeOf(join(folder, 'server.key'))).toBe(0o600);
        expect(await (await openAuthority(folder, { now })).server({ names: NAMES.slice(1), now })).toEqual(made);
    });

    test('is made anew for another name, 30 days before its end, and where it does not fit its key', async () => {
        const authority = await openAuthority(folder, { now });
        const first = await authority.server({ names: NAMES, now });
        const second = await authority.server({ names: [...NAMES, '10.0.0.6'], now });
        expect(second.certificate).not.toBe(first.certificate);
        const late = new Date(second.notAfter.getTime() - 29 * 86_400_000);
        const third = await authority.server({ names: NAMES, now: late });
        expect(third.notAfter.getTime()).toBeGreaterThan(second.notAfter.getTime());
        await writeFile(join(folder, 'server.key'), first.key);
        expect((await authority.server({ names: NAMES, now: late })).key).not.toBe(first.key);
    });
});
