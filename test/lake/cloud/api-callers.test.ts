/** Whose a token is on AWS: devices by the lake, readers by who signs them in; a refusal, and not being able to tell, are two answers. */
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { openCallers } from '#lake/cloud/api-callers';
import { openCredentialLookup } from '#lake/cloud/credential-lookup';
import { addToken, revokeCredentials } from '#lake/credentials';
import { StorageError } from '#lake/errors';
import { memoryStore } from '#test/support/memory-store';

const ISSUER = 'https://readers.example.com/pool';
const KEYS_URL = 'https://readers.example.com/keys';

const now = () => Math.floor(Date.now() / 1000);

function makeKey(kid: string) {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    return { kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' } };
}

const KEY = makeKey('k1');

function sign(claims: object, { kid, privateKey, header = {} }: { kid: string; privateKey: KeyObject; header?: object } = KEY): string {
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${encode({ alg: 'RS256', typ: 'JWT', kid, ...header })}.${encode(claims)}`;
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey).toString('base64url')}`;
}

const claims = (more: object = {}) => ({
    iss: ISSUER,
    aud: 'lake',
    sub: 'u-1',
    email: 'anna@example.com',
    iat: now(),
    exp: now() + 600,
    ...more,
});

function open(answers: Record<string, () => object> = {}) {
    const store = memoryStore();
    const asked: string[] = [];
    const known: Record<string, () => object> = {
        [`${ISSUER}/.well-known/openid-configuration`]: () => ({ issuer: ISSUER, jwks_uri: KEYS_URL }),
        [KEYS_URL]: () => ({ keys: [KEY.jwk] }),
        ...answers,
    };
    const callers = openCallers({
        credentials: openCredentialLookup({ store }),
        readers: { issuer: ISSUER, audience: 'lake' },
        download: async (url) => {
            asked.push(url);
            return new Uint8Array(Buffer.from(JSON.stringify(known[url]?.()))).buffer;
        },
    });
    return { store, callers, asked };
}

test('a reader’s token tells the name, and its issuer is asked once', async () => {
    const { callers, asked } = open();
    for (let n = 0; n < 3; n += 1) {
        expect(await callers.of(sign(claims()))).toEqual({ ok: true, caller: { is: 'reader', name: 'anna@example.com' } });
    }
    expect(asked).toEqual([`${ISSUER}/.well-known/openid-configuration`, KEYS_URL]);
});

test.each([
    [{ email: undefined, 'cognito:username': 'anna' }, 'anna'],
    [{ email: undefined, aud: undefined, client_id: 'lake', username: 'bert' }, 'bert'],
    [{ email: undefined, aud: ['other', 'lake'] }, 'u-1'],
])('claims %j are those of %s', async (more, name) => {
    expect(await open().callers.of(sign(claims(more)))).toEqual({ ok: true, caller: { is: 'reader', name } });
});

test('a token that is over, not yet, for others, of others, forged or unsigned is nobody’s', async () => {
    const { callers } = open();
    const stranger = makeKey('k1');
    const [head, body] = sign(claims()).split('.');
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    for (const token of [
        sign(claims({ exp: now() - 10 })),
        sign(claims({ nbf: now() + 600 })),
        sign(claims({ aud: 'other' })),
        sign(claims({ aud: undefined })),
        sign(claims({ iss: 'https://evil.example.com' })),
        sign(claims(), stranger),
        sign(claims(), makeKey('k2')),
        `${head}.${body}.`,
        `${none}.${body}.`,
        `${head}.${Buffer.from('{').toString('base64url')}.x`,
    ]) {
        expect(await callers.of(token)).toMatchObject({ ok: false });
    }
});

test('keys that cannot be had are no answer, and are asked for again', async () => {
    let isThere = false;
    const { callers } = open({
        [KEYS_URL]: () => {
            if (!isThere) {
                throw new Error('HTTP 503');
            }
            return { keys: [KEY.jwk] };
        },
    });
    await expect(callers.of(sign(claims()))).rejects.toThrow(StorageError);
    isThere = true;
    expect(await callers.of(sign(claims()))).toMatchObject({ ok: true });
});

test.each([
    ['names no keys', `${ISSUER}/.well-known/openid-configuration`, {}],
    ['is no list of keys', KEYS_URL, { nothing: 1 }],
])('a document of the issuer that %s is no answer', async (_, url, document) => {
    await expect(open({ [url]: () => document }).callers.of(sign(claims()))).rejects.toThrow(StorageError);
});

test('a device’s token is the device’s until it is revoked', async () => {
    const { store, callers, asked } = open();
    const { token } = await addToken(store, 'th-7', { now: new Date() });
    expect(await callers.of(token)).toEqual({ ok: true, caller: { is: 'device', device: 'th-7' } });
    await revokeCredentials(store, 'th-7', { what: 'all', now: new Date() });
    expect(await callers.of(token)).toMatchObject({ ok: false, why: expect.stringContaining('was revoked') });
    expect(await callers.of('nobodys')).toMatchObject({ ok: false });
    expect(asked).toEqual([]);
});
