/** Answers of the API: JSON or CSV with an entity tag, so that who asks again for what has not changed is told so in a few bytes. */
import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import type { ApiEnv } from './app.ts';
import { Problem } from './problem.ts';

/** Part of every tag: raise it when an answer is written in another way, though what it says has not changed. */
const FORM = 1;

const JSON_TYPE = 'application/json';

export interface StateAnswer {
    /** Text that is another one whenever the body is; undefined where the body itself has to tell. */
    version: string | undefined;
    /** Writes the body; called only where it is sent. */
    write(): string;
    /** JSON where nothing is said, as far as the client takes it. */
    type?: string;
    /** Address of the next page. */
    next?: string | null;
}

/** Answers with a state that may be asked for again: 304 where the client has it. */
export function answerState(
    c: Context<ApiEnv>,
    { version, write, type = chooseType(c.req.header('accept'), [JSON_TYPE]), next = null }: StateAnswer,
): Response {
    let body: string | undefined;
    const bodyOf = () => {
        body ??= write();
        return body;
    };
    const name = version === undefined ? createHash('sha256').update(bodyOf()).digest('base64url') : encodeURIComponent(version);
    const etag = `"${FORM}${type === JSON_TYPE ? 'j' : 'c'}-${name}"`;
    const headers: Record<string, string> = {
        etag,
        // May be kept by the client alone, who asks each time whether it still holds.
        'cache-control': 'private, no-cache',
        vary: 'Accept, Authorization',
        ...(next !== null && { link: `<${next}>; rel="next"` }),
    };
    if (isKnown(c.req.header('if-none-match'), etag)) {
        return new Response(null, { status: 304, headers });
    }
    return new Response(bodyOf(), { headers: { ...headers, 'content-type': type } });
}

/** Answers with what came of an order: nobody may keep it. */
export function answerOnce(
    body: unknown,
    { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): Response {
    return new Response(JSON.stringify(body), { status, headers: { 'content-type': JSON_TYPE, 'cache-control': 'no-store', ...headers } });
}

/** RFC 9110, 13.1.2: `*`, or a list of tags, which are compared without their `W/`. */
function isKnown(header: string | undefined, etag: string): boolean {
    return header?.trim() === '*' || (header?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag) ?? false);
}

/** The address of the page behind this one. */
export function nextPage(c: Context<ApiEnv>, cursor: string): string {
    const parameters = new URL(c.req.url).searchParams;
    parameters.set('after', cursor);
    return `${c.req.path}?${parameters}`;
}

/**
 * The offered type that the client likes best, the first one where it says nothing (RFC 9110, 12.5.1).
 * @throws Problem where it takes none of them
 */
export function chooseType<const T extends string>(accept: string | undefined, offered: readonly T[]): T {
    const ranges = (accept ?? '*/*').split(',').map((range) => {
        const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
        const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
        return { type, q: q === undefined ? 1 : Number(q) };
    });
    const liked = offered.map((type) => {
        // The range that names the type most closely decides.
        const closest = [type, `${type.split('/')[0]}/*`, '*/*'].flatMap((name) => ranges.filter((range) => range.type === name))[0];
        return { type, q: closest?.q ?? 0 };
    });
    const [best] = liked.filter(({ q }) => q > 0).sort((a, b) => b.q - a.q);
    if (!best) {
        throw new Problem('not_acceptable', `Header Accept allows none of what can be given: ${offered.join(', ')}`);
    }
    return best.type;
}
