/** A token leads to its device by one look; unknown, revoked and not readable are three answers. */

import { openCredentialLookup } from '#lake/cloud/credential-lookup';
import { addToken, deviceOfToken, revokeCredentials } from '#lake/credentials';
import { StorageError } from '#lake/errors';
import type { ObjectStore } from '#lake/store/object-store';
import { memoryStore } from '#test/support/memory-store';

const now = new Date('2026-02-01T12:00:00Z');

/** A store that counts what is read of it. */
function counted(store: ObjectStore): { store: ObjectStore; reads: string[] } {
    const reads: string[] = [];
    return {
        reads,
        store: {
            ...store,
            get: (key) => {
                reads.push(key);
                return store.get(key);
            },
            list: () => {
                throw new Error('credentials are not listed');
            },
        },
    };
}

test.each(['th-7', 'cam:1', '1.2_3-4', 'x'.repeat(128)])('a token of device %s leads to it by one read', async (device) => {
    const { store, reads } = counted(memoryStore());
    const { token } = await addToken(store, device, { now });
    reads.length = 0;
    expect(deviceOfToken(token)).toBe(device);
    expect(await openCredentialLookup({ store }).authenticateToken(token)).toEqual({ ok: true, device, label: 'token-1' });
    expect(reads).toEqual([`credentials/${encodeURIComponent(device)}.json`]);
});

test('a token that nobody has is nobody’s, and what names no device costs no read', async () => {
    const { store, reads } = counted(memoryStore());
    const lookup = openCredentialLookup({ store });
    const { token } = await addToken(store, 'th-7', { now });
    reads.length = 0;
    for (const nobodys of [
        '',
        'flt_',
        'flt_nobody',
        'nobodys',
        `flt_${Buffer.from('../x').toString('base64url')}.abc`,
        token.split('.')[0] ?? '',
    ]) {
        expect(await lookup.authenticateToken(nobodys)).toMatchObject({ ok: false, reason: 'unknown' });
    }
    expect(reads).toEqual([]);
    for (const wrong of [`${token}x`, token.slice(0, -1), `flt_${Buffer.from('th-8').toString('base64url')}.${token.split('.')[1]}`]) {
        expect(await lookup.authenticateToken(wrong)).toMatchObject({ ok: false, reason: 'unknown' });
    }
});

test('a token that was revoked is known as such', async () => {
    const store = memoryStore();
    const { token } = await addToken(store, 'th-7', { now });
    const other = await addToken(store, 'th-7', { now });
    await revokeCredentials(store, 'th-7', { what: { token: 'token-1' }, now });
    const lookup = openCredentialLookup({ store });
    expect(await lookup.authenticateToken(token)).toMatchObject({ ok: false, reason: 'revoked', device: 'th-7' });
    expect(await lookup.authenticateToken(other.token)).toMatchObject({ ok: true });
});

test('credentials that are damaged or cannot be read are no answer', async () => {
    const store = memoryStore();
    const { token } = await addToken(store, 'th-7', { now });
    const broken: ObjectStore = {
        ...store,
        get: async () => {
            throw new StorageError('S3 does not answer');
        },
    };
    await expect(openCredentialLookup({ store: broken }).authenticateToken(token)).rejects.toThrow('S3 does not answer');
    await store.put('credentials/th-7.json', Buffer.from('{'));
    await expect(openCredentialLookup({ store }).authenticateToken(token)).rejects.toThrow(StorageError);
});
