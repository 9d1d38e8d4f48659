/** Who a token is, where devices are too many to have all their credentials in memory: a token names its device, so one object is read for it. */
import { timingSafeEqual } from 'node:crypto';
import { deviceOfToken, hashToken, readCredentials } from '#lake/credentials';
import type { Identity } from '#lake/live/credential-index';
import type { ObjectStore } from '#lake/store/object-store';

export interface CredentialLookup {
    /** The device that has this token, as its credentials say now. @throws StorageError where they cannot be read: that is neither a yes nor a no */
    authenticateToken(token: string): Promise<Identity>;
}

/** Nothing is remembered: who asks decides how long an answer holds. */
export function openCredentialLookup({ store }: { store: ObjectStore }): CredentialLookup {
    return {
        async authenticateToken(token) {
            const device = deviceOfToken(token);
            if (device === undefined) {
                return { ok: false, reason: 'unknown', why: 'no device has this token' };
            }
            const { tokens } = await readCredentials(store, device);
            const given = Buffer.from(hashToken(token), 'hex');
            const found = tokens.filter(({ hash }) => timingSafeEqual(Buffer.from(hash, 'hex'), given));
            const [first] = found;
            if (first === undefined) {
                return { ok: false, reason: 'unknown', why: 'no device has this token' };
            }
            const revoked = found.find((one) => one.revoked !== null);
            return revoked
                ? { ok: false, reason: 'revoked', device, why: `the token of device ${device} was revoked on ${revoked.revoked}` }
                : { ok: true, device, label: first.label };
        },
    };
}
