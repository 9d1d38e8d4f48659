/**
 * Who may ask the pages. Names by which the server is called are checked where it listens (lake/serve/http-server.ts); here: requests that another site's page sends, and
 * what our own page may load.
 */
import { Problem } from '#lake/live/api/problem';

/** What our own page may load: its own files, and nothing from anywhere else. No exceptions. */
const CONTENT_SECURITY_POLICY = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
].join('; ');

/** Headers that every answer has. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};

/** Refuses what another site's page sends. @throws Problem */
export function refuseOtherSites(request: Request): void {
    const why = whyOfAnotherSite(request);
    if (why !== undefined) {
        throw new Problem('not_allowed', why);
    }
}

function whyOfAnotherSite({ method, headers, url }: Request): string | undefined {
    const origin = headers.get('origin');
    // `null` is what browsers say of pages that have none.
    if (origin !== null && (!URL.canParse(origin) || new URL(origin).host !== new URL(url).host)) {
        return 'Pages of other sites may not ask here';
    }
    // Browsers say it of every request, and no script can change it: https://w3c.github.io/webappsec-fetch-metadata/. `none` is a person's typing.
    const site = headers.get('sec-fetch-site');
    if (site !== null && site !== 'same-origin' && site !== 'none') {
        return 'Pages of other sites may not ask here';
    }
    if (method !== 'GET' && method !== 'HEAD' && origin === null && site === null) {
        return 'Who changes something says where it comes from: header Origin';
    }
    return undefined;
}
