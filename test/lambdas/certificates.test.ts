/** Once a day: how many devices need another certificate soon, and which. */
import { expect, test } from '@jest/globals';
import { addCertificate, revokeCredentials } from '#lake/credentials';
import { StorageError } from '#lake/errors';
import { tellEndings } from '#lambdas/certificates/tell-endings';
import { memoryStore } from '#test/support/memory-store';
import { testLog, testMetrics } from './surroundings.ts';

const now = new Date('2026-02-01T12:00:00Z');
let count = 0;

/** Gives the device a certificate that ends so many days from now. @returns its fingerprint */
async function certify(store: ReturnType<typeof memoryStore>, device: string, days: number): Promise<string> {
    count += 1;
    const fingerprint = `${count}`.padStart(64, '0');
    const notAfter = new Date(now.getTime() + days * 86_400_000).toISOString();
    await addCertificate(store, device, { fingerprint, serial: '0f', not_after: notAfter, added: now.toISOString() });
    return fingerprint;
}

test('devices whose last certificate ends within 30 days are counted and named; renewed and revoked ones are not', async () => {
    const store = memoryStore();
    await certify(store, 'ends', 10);
    await certify(store, 'ended', -1);
    await certify(store, 'lasts', 31);
    await certify(store, 'renewed', 5);
    await certify(store, 'renewed', 900);
    await certify(store, 'lost', 5);
    await revokeCredentials(store, 'lost', { what: 'all', now });
    const [log, metrics] = [testLog(), testMetrics()];
    await tellEndings({ store, now, log, metrics });
    expect(metrics.values).toMatchObject({ CertificatesEnding: [2] });
    expect(JSON.stringify(log.lines)).toContain('["ended (2026-01-31)","ends (2026-02-11)"]');
});

test('that there are none is a value too; what cannot be read is an error', async () => {
    const store = memoryStore();
    const metrics = testMetrics();
    await tellEndings({ store, now, log: testLog(), metrics });
    expect(metrics.values).toMatchObject({ CertificatesEnding: [0] });
    await store.put('credentials/d.json', Buffer.from('{'));
    await expect(tellEndings({ store, now, log: testLog(), metrics })).rejects.toThrow(StorageError);
});
