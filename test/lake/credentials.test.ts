/** Credentials: no secret is kept, what was revoked stays revoked, and another process's changes are seen. */
import { mkdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
    addCertificate,
    addToken,
    allowPrograms,
    hashToken,
    readCredentials,
    revokeCredentials,
    whyNoProgram,
    whyNotItsCertificate,
} from '#lake/credentials';
import { ConflictError, StorageError, UsageError } from '#lake/errors';
import { openCredentialIndex } from '#lake/live/credential-index';
import { openDirectoryStore } from '#lake/store/directory';
import type { ObjectStore } from '#lake/store/object-store';
import { memoryStore } from '#test/support/memory-store';
import { makeFolder } from '#test/support/temporary';

const now = new Date('2026-02-01T12:00:00Z');
const CERTIFICATE = {
    fingerprint: 'ab'.repeat(32),
    serial: '0f',
    not_after: '2031-01-31T12:00:00.000Z',
    added: '2026-02-01T12:00:00.000Z',
};

describe('credentials', () => {
    test('hold fingerprints and hashes, and nothing that lets anybody in', async () => {
        const store = memoryStore();
        await addCertificate(store, 'cam:1', CERTIFICATE);
        await addCertificate(store, 'cam:1', CERTIFICATE);
        const { token, label } = await addToken(store, 'cam:1', { now });
        expect(token).toMatch(/^flt_Y2FtOjE\.[A-Za-z0-9_-]{43}$/);
        expect(label).toBe('token-1');
        expect(await readCredentials(store, 'cam:1')).toEqual({
            device: 'cam:1',
            certificates: [{ ...CERTIFICATE, revoked: null }],
            tokens: [{ hash: hashToken(token), label: 'token-1', added: '2026-02-01T12:00:00.000Z', revoked: null }],
        });
        expect(`${Buffer.from((await store.get('credentials/cam%3A1.json'))?.bytes ?? [])}`).not.toContain(token);
        expect(await readCredentials(store, 'cam:2')).toEqual({ device: 'cam:2', certificates: [], tokens: [] });
    });

    test('of two writers at once are all kept', async () => {
        const memory = memoryStore();
        let others = 3;
        const store: ObjectStore = {
            ...memory,
            async put(key, body, options) {
                if (others > 0) {
                    others -= 1;
                    await addToken(memory, 'd', { label: `other-${others}`, now });
                }
                return memory.put(key, body, options);
            },
        };
        await addCertificate(store, 'd', CERTIFICATE);
        const { certificates, tokens } = await readCredentials(store, 'd');
        expect([certificates.length, tokens.map(({ label }) => label)]).toEqual([1, ['other-2', 'other-1', 'other-0']]);
        await expect(memory.put('credentials/d.json', Buffer.from(''), { ifMatch: 'absent' })).rejects.toThrow(ConflictError);
    });

    test('are revoked by the beginning of a fingerprint, by label, or all; a second time changes nothing', async () => {
        const store = memoryStore();
        const other = { ...CERTIFICATE, fingerprint: `abab${'cd'.repeat(30)}` };
        await addCertificate(store, 'd', CERTIFICATE);
        await addCertificate(store, 'd', other);
        await addToken(store, 'd', { label: 'till', now });
        const revoke = (what: Parameters<typeof revokeCredentials>[2]['what'], at = now) =>
            revokeCredentials(store, 'd', { what, now: at });
        await expect(revoke({ certificate: '' })).rejects.toThrow('is no beginning of a fingerprint');
        await expect(revoke({ certificate: 'abab' })).rejects.toThrow('2 certificates of device d begin so');
        await expect(revoke({ certificate: 'ffff' })).rejects.toThrow('Device d has no certificate ffff, but certificate abababababab...');
        await expect(revoke({ token: 'til' })).rejects.toThrow(UsageError);
        expect(await revoke({ certificate: 'AB:AB:AB' })).toEqual([`certificate ${CERTIFICATE.fingerprint}`]);
        expect(await revoke({ token: 'till' })).toEqual(['token till']);
        const later = new Date('2026-03-01T00:00:00Z');
        expect(await revoke('all', later)).toEqual([`certificate ${other.fingerprint}`]);
        expect(await revoke('all', later)).toEqual([]);
        const { certificates, tokens } = await readCredentials(store, 'd');
        expect([...certificates, ...tokens].map(({ revoked }) => revoked)).toEqual([
            now.toISOString(),
            later.toISOString(),
            now.toISOString(),
        ]);
        await expect(revokeCredentials(store, 'e', { what: 'all', now })).rejects.toThrow('Device e has no credentials');
    });

    test.each([
        ['no JSON', '{'],
        ['another device', '{"device":"e","certificates":[],"tokens":[]}'],
        ['no list', '{"device":"d","certificates":{},"tokens":[]}'],
        ['no instant', '{"device":"d","certificates":[],"tokens":[],"programs":[{"added":"now","revoked":null}]}'],
        ['no hash', '{"device":"d","certificates":[],"tokens":[{"hash":"x","label":"a","added":"2026-02-01T12:00:00Z","revoked":null}]}'],
    ])('that are damaged (%s) are an error, never none', async (_, text) => {
        const store = memoryStore();
        await store.put('credentials/d.json', Buffer.from(text));
        await expect(readCredentials(store, 'd')).rejects.toThrow(StorageError);
        await expect(addToken(store, 'd', { now })).rejects.toThrow('credentials/d.json holds no credentials of device d');
    });

    test('say whether programs may write as the device, now and then', async () => {
        const store = memoryStore();
        const atMs = now.getTime();
        expect(whyNoProgram(await readCredentials(store, 'd'), { atMs })).toContain('device add d --program lets them');
        expect(await allowPrograms(store, 'd', { now })).toBe(true);
        expect(await allowPrograms(store, 'd', { now })).toBe(false);
        await addCertificate(store, 'd', CERTIFICATE);
        const later = new Date(atMs + 60_000);
        expect(await revokeCredentials(store, 'd', { what: 'program', now: later })).toEqual(['that programs may write']);
        const revoked = await readCredentials(store, 'd');
        expect(revoked.certificates).toMatchObject([{ revoked: null }]);
        expect([atMs - 1, atMs, atMs + 59_999, atMs + 60_000].map((at) => whyNoProgram(revoked, { atMs: at }))).toEqual([
            expect.stringContaining('device add d --program lets them'),
            undefined,
            undefined,
            `programs may write as device d no more since ${later.toISOString()}`,
        ]);
        expect(await allowPrograms(store, 'd', { now: new Date(atMs + 120_000) })).toBe(true);
        const again = await readCredentials(store, 'd');
        expect(again.programs?.map((one) => one.revoked)).toEqual([later.toISOString(), null]);
        expect([atMs, atMs + 60_000, atMs + 120_000].map((at) => whyNoProgram(again, { atMs: at }) === undefined)).toEqual([
            true,
            false,
            true,
        ]);
        expect(await revokeCredentials(store, 'd', { what: 'all', now: later })).toHaveLength(2);
        await expect(revokeCredentials(store, 'e', { what: 'program', now })).rejects.toThrow('Programs may not write as device e');
    });

    test('say whether a message came by a certificate of the device, and before that was revoked', async () => {
        const store = memoryStore();
        await addCertificate(store, 'd', CERTIFICATE);
        const judge = async (fingerprint: string, atMs: number) =>
            whyNotItsCertificate(await readCredentials(store, 'd'), { fingerprint, atMs });
        const { fingerprint } = CERTIFICATE;
        expect(await judge(fingerprint.toUpperCase(), now.getTime())).toBeUndefined();
        expect(await judge('cd'.repeat(32), now.getTime())).toBe('the lake knows no certificate cdcdcdcdcdcd... of device d');
        await revokeCredentials(store, 'd', { what: 'all', now });
        expect(await judge(fingerprint, now.getTime() - 1)).toBeUndefined();
        expect(await judge(fingerprint, now.getTime())).toBe(`the certificate of device d was revoked on ${now.toISOString()}`);
    });

    test('have labels of their own', async () => {
        const store = memoryStore();
        await addToken(store, 'd', { label: 'token-1', now });
        expect((await addToken(store, 'd', { now })).label).toBe('token-2');
        await expect(addToken(store, 'd', { label: 'token-2', now })).rejects.toThrow('has a token token-2 already');
        await expect(addToken(store, 'd', { label: 'a b', now })).rejects.toThrow('is no label of a token');
    });
});

describe('the index of credentials', () => {
    async function open(store: ObjectStore) {
        const trouble: string[] = [];
        const index = await openCredentialIndex({
            store,
            now: () => now.getTime(),
            onTrouble: (why) => trouble.push(why),
            everyMs: 60_000,
        });
        return { index, trouble };
    }

    test('knows whose a certificate or token is, and why it is nobody’s', async () => {
        const store = memoryStore();
        await addCertificate(store, 'd', CERTIFICATE);
        await addCertificate(store, 'd', { ...CERTIFICATE, fingerprint: 'cd'.repeat(32), not_after: '2026-01-31T00:00:00Z' });
        const { token } = await addToken(store, 'd', { now });
        const { index } = await open(store);
        const colons = 'AB:'.repeat(32).slice(0, -1);
        expect(index.authenticateFingerprint(colons)).toMatchObject({ ok: true, device: 'd' });
        expect(index.authenticateToken(token)).toEqual({ ok: true, device: 'd', label: 'token-1' });
        expect(index.authenticateFingerprint('cd'.repeat(32))).toMatchObject({ ok: false, reason: 'expired', device: 'd' });
        for (const unknown of [index.authenticateToken(`${token}x`), index.authenticateToken(''), index.authenticateFingerprint('ab')]) {
            expect(unknown).toMatchObject({ ok: false, reason: 'unknown' });
        }
    });

    test('sees what other processes add and revoke, through a directory too', async () => {
        for (const store of [memoryStore(), openDirectoryStore(join(await makeFolder(), 'lake'))]) {
            const { index } = await open(store);
            let changes = 0;
            index.onChanged(() => {
                changes += 1;
            });
            const { token } = await addToken(store, 'd', { now });
            expect(index.authenticateToken(token)).toMatchObject({ ok: false, reason: 'unknown' });
            await index.refresh();
            expect(index.authenticateToken(token)).toMatchObject({ ok: true });
            await revokeCredentials(store, 'd', { what: 'all', now });
            await index.refresh();
            expect(index.authenticateToken(token)).toMatchObject({
                ok: false,
                reason: 'revoked',
                device: 'd',
                why: expect.stringContaining('2026-02-01'),
            });
            await index.refresh();
            expect(changes).toBe(2);
            await store.delete('credentials/d.json');
            await index.refresh();
            expect([index.authenticateToken(token).ok, changes]).toEqual([false, 3]);
            index.close();
        }
    });

    test('sees a second change of the same size within the same time stamp', async () => {
        const directory = join(await makeFolder(), 'lake');
        const path = join(directory, 'credentials/d.json');
        const store = openDirectoryStore(directory);
        const { token } = await addToken(store, 'd', { now });
        const text = await readFile(path, 'utf8');
        await utimes(path, now, now);
        const { index } = await open(store);
        expect(index.authenticateToken(token).ok).toBe(true);
        await mkdir(join(directory, 'aside'));
        await writeFile(join(directory, 'aside/x'), text.replace(hashToken(token), '0'.repeat(64)));
        await utimes(join(directory, 'aside/x'), now, now);
        await rename(join(directory, 'aside/x'), path);
        await index.refresh();
        expect(index.authenticateToken(token).ok).toBe(false);
        index.close();
    });

    test('lets nobody in by credentials that are damaged or of two devices, and says so', async () => {
        const store = memoryStore();
        await addCertificate(store, 'd', CERTIFICATE);
        await addCertificate(store, 'e', CERTIFICATE);
        const { index, trouble } = await open(store);
        expect(index.authenticateFingerprint(CERTIFICATE.fingerprint)).toMatchObject({ ok: false, reason: 'ambiguous' });
        await store.put('credentials/e.json', Buffer.from('{'));
        await index.refresh();
        expect(index.authenticateFingerprint(CERTIFICATE.fingerprint)).toMatchObject({ ok: true, device: 'd' });
        expect(trouble).toEqual([expect.stringContaining('credentials/e.json holds no credentials of device e')]);
        expect(index.authenticateToken('x')).toMatchObject({
            why: 'no device has this token, and the credentials of 1 devices are damaged',
        });
    });

    test('keeps what it knows while the store cannot be read, and says so once', async () => {
        const memory = memoryStore();
        let isBroken = false;
        const store: ObjectStore = {
            ...memory,
            list(prefix) {
                if (isBroken) {
                    throw new StorageError('the disk reports an input/output error');
                }
                return memory.list(prefix);
            },
        };
        const { token } = await addToken(store, 'd', { now });
        const { index, trouble } = await open(store);
        isBroken = true;
        await index.refresh();
        await index.refresh();
        expect(index.authenticateToken(token)).toMatchObject({ ok: true });
        expect(trouble).toEqual(['the disk reports an input/output error; what was known of credentials/ before stays known']);
    });
});
