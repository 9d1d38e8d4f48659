/** The cookie that holds a session. */

/** The session's id in the request's cookies; undefined where there is none. */
export function sessionIdIn(request: Request): string | undefined {
    const name = cookieName(request);
    for (const part of (request.headers.get('cookie') ?? '').split(';')) {
        const [key, value] = part.trim().split('=', 2);
        if (key === name && value !== undefined && value !== '') {
            return value;
        }
    }
    return undefined;
}

/** Header Set-Cookie that keeps the session until the browser is closed; undefined ends it. */
export function sessionCookie(id: string | undefined, request: Request): string {
    const secure = isSecure(request) ? '; Secure' : '';
    const end = id === undefined ? '; Max-Age=0' : '';
    return `${cookieName(request)}=${id ?? ''}; Path=/; HttpOnly; SameSite=Strict${secure}${end}`;
}

/** Cookies know hosts and not ports: two lakes on one machine must not take one another's. */
function cookieName(request: Request): string {
    const { port } = new URL(request.url);
    return `${isSecure(request) ? '__Host-' : ''}flowlake-${port === '' ? 'web' : port}`;
}

function isSecure({ url }: Request): boolean {
    return new URL(url).protocol === 'https:';
}
