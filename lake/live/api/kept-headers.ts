/** The headers of a request that go into the lake with its messages, for profiles that read them. */
import { Problem } from './problem.ts';

/** CloudEvents, and what makers of devices invent. */
const KEPT = /^(?:ce|x)-/;

/** What proxies add, and what may be secret, is nobody's reading. */
const LEFT_OUT = /^x-(?:forwarded|real|request|amzn?|cloud)-|^x-(?:forwarded|real-ip)|auth|token|secret|cookie|key|password|signature/;

const MAX_HEADERS = 16;

const MAX_BYTES = 2048;

/** The headers by their names, in lower case; undefined where there are none. @throws Problem where they are too many */
export function keptHeaders(headers: Headers): Record<string, string> | undefined {
    const kept = [...headers].filter(([name]) => KEPT.test(name) && !LEFT_OUT.test(name));
    const type = headers.get('content-type');
    if (type !== null && !/^application\/(?:json|x-ndjson|ndjson|jsonl|octet-stream)\b/i.test(type)) {
        kept.push(['content-type', type]);
    }
    const bytes = kept.reduce((sum, [name, value]) => sum + name.length + Buffer.byteLength(value), 0);
    if (kept.length > MAX_HEADERS || bytes > MAX_BYTES) {
        throw new Problem(
            'headers_too_large',
            `Headers x-... and ce-... are kept with each message: ${MAX_HEADERS} of them and ${MAX_BYTES.toLocaleString('en')} bytes at most`,
        );
    }
    return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
