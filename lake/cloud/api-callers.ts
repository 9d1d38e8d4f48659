/**
 * Who asks the API on AWS: devices have tokens of the lake, people and programs tokens of whoever signs them in (JWT, RFC 7519). Both come in header Authorization, and
 * are told apart by their form.
 */
import { JwtVerifier } from 'aws-jwt-verify';
import { JwksValidationError, JwkValidationError, JwtBaseError } from 'aws-jwt-verify/error';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import { StorageError } from '#lake/errors';
import type { Caller } from '#lake/live/api/services';
import type { Identity } from '#lake/live/credential-index';
import type { CredentialLookup } from './credential-lookup.ts';

/** Who signs the tokens of readers, and for whom. */
export interface ReaderIssuer {
    /** Claim `iss`, an address: its keys are found from there. */
    issuer: string;
    /** Claim `aud`, or `client_id` in tokens of Cognito that have no `aud`. */
    audience: string;
    /** Address of the keys, if the issuer cannot be asked for it. */
    keysUrl?: string | undefined;
}

/** Who it is, or why it is nobody. */
export type Called = { ok: true; caller: Caller } | { ok: false; why: string };

export interface Callers {
    /** Who has the token now. @throws StorageError where nobody can tell */
    of(token: string): Promise<Called>;
}

export interface CallersOptions {
    credentials: CredentialLookup;
    readers: ReaderIssuer;
    /** Reads an address, whole. @throws where it does not answer with 200 */
    download?: (url: string) => Promise<ArrayBuffer>;
}

/** What both parts of a JWT before its signature begin with: `{"` in base64url. */
const JWT = /^eyJ[\w-]*\.eyJ[\w-]*\.[\w-]*$/;

export function openCallers({ credentials, readers, download = downloadOnce }: CallersOptions): Callers {
    const isReader = openReaderCheck(readers, download);
    return {
        of: (token) => (JWT.test(token) ? isReader(token) : credentials.authenticateToken(token).then(calledOf)),
    };
}

function calledOf(identity: Identity): Called {
    return identity.ok ? { ok: true, caller: { is: 'device', device: identity.device } } : { ok: false, why: identity.why };
}

/** Checks tokens of readers. The issuer's keys are asked for once, and again where a token names one that is not known. */
function openReaderCheck({ issuer, audience, keysUrl }: ReaderIssuer, download: (url: string) => Promise<ArrayBuffer>) {
    const load = async (url: string): Promise<ArrayBuffer> => {
        try {
            return await download(url);
        } catch (error) {
            throw new NoKeys(`${url}: ${error instanceof Error ? error.message : error}`, { cause: error });
        }
    };
    const jwksCache = new SimpleJwksCache({ fetcher: { fetch: (url) => load(url) } });
    let verifier: Promise<ReturnType<typeof createVerifier>> | undefined;

    const createVerifier = (jwksUri: string) =>
        JwtVerifier.create(
            {
                issuer,
                jwksUri,
                // Access tokens of Cognito name their client in another claim.
                audience: null,
                customJwtCheck: ({ payload }) => {
                    const given = payload.aud ?? payload.client_id;
                    if (![given].flat().includes(audience)) {
                        throw new WrongAudience(`it was made for ${JSON.stringify(given)}`);
                    }
                },
            },
            { jwksCache },
        );

    return async (token: string): Promise<Called> => {
        try {
            verifier ??= findKeys({ issuer, keysUrl }, load).then(createVerifier);
            const claims = await (await verifier).verify(token);
            return { ok: true, caller: { is: 'reader', name: nameIn(claims) } };
        } catch (error) {
            const isOfTheKeys = [NoKeys, JwksValidationError, JwkValidationError].some((kind) => error instanceof kind);
            if (isOfTheKeys && error instanceof Error) {
                // Asked anew by the next token.
                verifier = undefined;
                throw new StorageError(`the keys of ${issuer} cannot be read: ${error.message}`, { cause: error });
            }
            if (error instanceof JwtBaseError || error instanceof WrongAudience) {
                return { ok: false, why: `the token does not hold: ${error.message}` };
            }
            throw error;
        }
    };
}

class WrongAudience extends Error {}

class NoKeys extends Error {}

/** Address of an issuer's keys, as a document of its own says it (OpenID Connect Discovery 1.0). */
async function findKeys(
    { issuer, keysUrl }: Pick<ReaderIssuer, 'issuer' | 'keysUrl'>,
    load: (url: string) => Promise<ArrayBuffer>,
): Promise<string> {
    if (keysUrl !== undefined) {
        return keysUrl;
    }
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const found = jwksUriIn(Buffer.from(await load(url)).toString());
    if (found === undefined) {
        throw new NoKeys(`${url} names no jwks_uri`);
    }
    return found;
}

function jwksUriIn(text: string): string | undefined {
    try {
        const document: unknown = JSON.parse(text);
        const found = typeof document === 'object' && document !== null && 'jwks_uri' in document ? document.jwks_uri : undefined;
        return typeof found === 'string' ? found : undefined;
    } catch {
        return undefined;
    }
}

/** Claims that tell people who it is, the one that they know best first; `sub` is in every token. */
const NAMES = ['email', 'preferred_username', 'cognito:username', 'username', 'name', 'sub'];

/** What acknowledgements are signed with. */
function nameIn(claims: Readonly<Record<string, unknown>>): string {
    const name = NAMES.map((claim) => claims[claim]).find((value) => typeof value === 'string' && value !== '');
    return typeof name === 'string' ? name : 'reader';
}

const DOWNLOAD_WITHIN_MS = 5_000;

async function downloadOnce(url: string): Promise<ArrayBuffer> {
    const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_WITHIN_MS) });
    if (!response.ok) {
        throw new Error(`HTTP ${response.status}`);
    }
    return response.arrayBuffer();
}
