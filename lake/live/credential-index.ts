/** Who a certificate or token is: the credentials of all devices in memory, kept up with what other processes add and revoke. */
import { timingSafeEqual } from 'node:crypto';
import { type Credentials, hashToken, hexOf, parseCredentials } from '#lake/credentials';
import { CREDENTIALS_PREFIX, credentialsIdOf } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import { FollowedObjects } from './followed-objects.ts';

/** Whose it is, or why it is nobody's. */
export type Identity =
    | { ok: true; device: string; label: string; isGateway?: true | undefined }
    | { ok: false; reason: 'unknown' | 'revoked' | 'expired' | 'ambiguous'; device?: string; why: string };

export interface CredentialIndex {
    /** The device whose certificate has this SHA-256 fingerprint, with colons or without. */
    authenticateFingerprint(fingerprint: string): Identity;
    /** The device that has this token. */
    authenticateToken(token: string): Identity;
    /** Calls back after credentials have changed. */
    onChanged(listener: () => void): void;
    /** Looks now for what other processes have written. */
    refresh(): Promise<void>;
    close(): void;
}

export interface IndexOptions {
    store: ObjectStore;
    now: () => number;
    onTrouble: (why: string) => void;
    everyMs?: number;
}

interface Entry {
    device: string;
    hash: string;
    label: string;
    notAfter: string | undefined;
    revoked: string | null;
    isGateway?: true | undefined;
}

/** @throws StorageError where the credentials cannot be listed or read */
export async function openCredentialIndex({ store, now, onTrouble, everyMs = 2_000 }: IndexOptions): Promise<CredentialIndex> {
    const objects = await FollowedObjects.open<Credentials>({
        store,
        prefix: CREDENTIALS_PREFIX,
        everyMs,
        now,
        onTrouble,
        parse(key, bytes) {
            const device = credentialsIdOf(key);
            return device === undefined ? undefined : parseCredentials(bytes, { key, device });
        },
    });
    let index = indexOf(objects);
    const listeners = new Set<() => void>();
    objects.onChanged(() => {
        index = indexOf(objects);
        for (const listener of listeners) {
            listener();
        }
    });

    function identify(hash: string, { what, entries }: { what: string; entries: readonly Entry[] }): Identity {
        const found = entries.filter((entry) => isSame(entry.hash, hash));
        const [first, ...others] = found;
        if (first === undefined) {
            const damaged = index.damaged > 0 ? `, and the credentials of ${index.damaged} devices are damaged` : '';
            return { ok: false, reason: 'unknown', why: `no device has this ${what}${damaged}` };
        }
        const { device, label, revoked, notAfter, isGateway } = first;
        if (others.some((other) => other.device !== device)) {
            return { ok: false, reason: 'ambiguous', why: `devices ${found.map((one) => one.device).join(' and ')} have the same ${what}` };
        }
        const isRevoked = found.find((one) => one.revoked !== null);
        if (isRevoked) {
            return {
                ok: false,
                reason: 'revoked',
                device,
                why: `the ${what} of device ${device} was revoked on ${isRevoked.revoked ?? revoked}`,
            };
        }
        if (notAfter !== undefined && Date.parse(notAfter) < now()) {
            return { ok: false, reason: 'expired', device, why: `the ${what} of device ${device} ended on ${notAfter}` };
        }
        return { ok: true, device, label, ...(isGateway && { isGateway }) };
    }

    return {
        authenticateFingerprint(fingerprint) {
            const hash = hexOf(fingerprint);
            return identify(hash, { what: 'certificate', entries: index.certificates.get(hash) ?? [] });
        },
        authenticateToken(token) {
            const hash = hashToken(token);
            return identify(hash, { what: 'token', entries: index.tokens.get(hash) ?? [] });
        },
        onChanged: (listener) => {
            listeners.add(listener);
        },
        refresh: () => objects.refresh(),
        close: () => objects.close(),
    };
}

interface Index {
    certificates: Map<string, Entry[]>;
    tokens: Map<string, Entry[]>;
    /** Objects that cannot be read: their devices are let in by nothing. */
    damaged: number;
}

function indexOf(objects: FollowedObjects<Credentials>): Index {
    const index: Index = { certificates: new Map(), tokens: new Map(), damaged: 0 };
    for (const [, known] of objects.entries()) {
        if (!known.ok) {
            index.damaged += 1;
            continue;
        }
        const { device, certificates, tokens } = known.value;
        for (const { fingerprint, not_after: notAfter, revoked, gateway } of certificates) {
            add(index.certificates, { device, hash: fingerprint, label: fingerprint, notAfter, revoked, isGateway: gateway });
        }
        for (const { hash, label, revoked } of tokens) {
            add(index.tokens, { device, hash, label, notAfter: undefined, revoked });
        }
    }
    return index;
}

function add(to: Map<string, Entry[]>, entry: Entry): void {
    to.set(entry.hash, [...(to.get(entry.hash) ?? []), entry]);
}

/** Compares in constant time: how long it takes tells nothing of what is kept. */
function isSame(kept: string, given: string): boolean {
    return kept.length === given.length && timingSafeEqual(Buffer.from(kept), Buffer.from(given));
}
