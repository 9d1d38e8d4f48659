/** Asks the server that the application came from. */

/** Why there is no answer: problem details (RFC 9457), or what the browser knows. */
export interface Problem {
    /** 0 where nobody answered. */
    status: number;
    title: string;
    detail: string;
}

/** What the server is and what it has, GET /pages/about. */
export interface About {
    lake: string;
    kind: 'directory' | 's3';
    version: string;
    /** True where every question is paid for by what it reads. */
    isPaid: boolean;
    /** True where latest state of devices is known. */
    hasLive: boolean;
    /** True where the API answers beside the pages: /v1/live has events, and alerts can be acknowledged. */
    hasApi: boolean;
    nowMs: number;
}

/** No answer, with why. */
export class NoAnswer extends Error {
    readonly problem: Problem;

    constructor(problem: Problem, options?: ErrorOptions) {
        super(`${problem.title}: ${problem.detail}`, options);
        this.problem = problem;
    }
}

/** Event at the window when the server says that there is no session. */
export const SIGNED_OUT = 'flowlake-signed-out';

const NO_SESSION = 401;

/** The answer as JSON; undefined where it has no body. @throws NoAnswer, AbortError */
export async function askServer<T>(address: string, options: { method?: string; body?: unknown; signal?: AbortSignal } = {}): Promise<T> {
    const { method = 'GET', body, signal } = options;
    let response: Response;
    try {
        response = await fetch(address, {
            method,
            ...(signal && { signal }),
            ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
        });
        if (response.ok) {
            return (response.status === 204 ? undefined : await response.json()) as T;
        }
    } catch (error) {
        signal?.throwIfAborted();
        const why = error instanceof Error ? error.message : error;
        const detail = `The program that answers these pages cannot be reached (${why}). Is it still running?`;
        throw new NoAnswer({ status: 0, title: 'No connection', detail }, { cause: error });
    }
    const problem = await response.json().catch(() => undefined);
    if (response.status === NO_SESSION && address !== '/session') {
        dispatchEvent(new Event(SIGNED_OUT));
    }
    throw new NoAnswer({
        status: response.status,
        title: typeof problem?.title === 'string' ? problem.title : `The answer is ${response.status} ${response.statusText}`,
        detail: typeof problem?.detail === 'string' ? problem.detail : '',
    });
}

/** Address of a page's answer. */
export function pageAddress(name: string, parameters: Readonly<Record<string, string | undefined>> = {}): string {
    const search = new URLSearchParams();
    for (const [key, value] of Object.entries(parameters)) {
        if (value !== undefined && value !== '') {
            search.set(key, value);
        }
    }
    const text = search.toString();
    return `/pages/${name}${text === '' ? '' : `?${text}`}`;
}
