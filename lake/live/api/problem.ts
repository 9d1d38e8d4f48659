/** Problem details (RFC 9457): what every answer says that is no success. */

const PROBLEM_TYPE = 'application/problem+json';

/** The problems that there are: `type` is the key behind `PROBLEM_PREFIX`. docs/api.md has this table. */
export const PROBLEMS = {
    bad_request: { status: 400, title: 'The request cannot be read' },
    bad_parameter: { status: 400, title: 'A parameter is not usable' },
    no_token: { status: 401, title: 'A token is missing' },
    wrong_token: { status: 401, title: 'Nobody has this token' },
    not_allowed: { status: 403, title: 'This token may not do that' },
    not_found: { status: 404, title: 'There is no such thing' },
    wrong_method: { status: 405, title: 'This address knows other methods' },
    not_acceptable: { status: 406, title: 'None of the accepted types can be given' },
    timeout: { status: 408, title: 'The request took too long to come' },
    taken: { status: 409, title: 'Somebody was faster' },
    too_large: { status: 413, title: 'More than is taken at once' },
    wrong_type: { status: 415, title: 'Bodies of this type or encoding are not taken' },
    misdirected: { status: 421, title: 'This server does not go by that name' },
    too_many: { status: 429, title: 'Too many messages' },
    headers_too_large: { status: 431, title: 'Headers are too large' },
    broken: { status: 500, title: 'Something is broken here' },
    unavailable: { status: 503, title: 'Not possible at the moment' },
} as const;

export type ProblemName = keyof typeof PROBLEMS;

const PROBLEM_PREFIX = 'urn:flowlake:problem:';

/** A fault of one parameter. */
export interface ParameterFault {
    in: 'query' | 'path' | 'header' | 'body';
    name: string;
    detail: string;
}

interface ProblemOptions {
    headers?: Readonly<Record<string, string>>;
    parameters?: readonly ParameterFault[];
    /** Names this one case, so that the log's line for it can be found. */
    instance?: string;
}

/** A request that is answered by a problem; thrown wherever it is found out. `detail` goes to the client. */
export class Problem extends Error {
    override name = 'Problem';
    readonly problem: ProblemName;
    readonly options: ProblemOptions;

    constructor(problem: ProblemName, detail: string, options: ProblemOptions = {}) {
        super(detail);
        this.problem = problem;
        this.options = options;
    }

    /** The answer. */
    toResponse(): Response {
        const { status } = PROBLEMS[this.problem];
        const headers = { 'content-type': PROBLEM_TYPE, 'cache-control': 'no-store', ...this.options.headers };
        return new Response(this.toText(), { status, headers });
    }

    /** Its body. */
    toText(): string {
        const { status, title } = PROBLEMS[this.problem];
        const { parameters, instance } = this.options;
        return JSON.stringify({ type: `${PROBLEM_PREFIX}${this.problem}`, title, status, detail: this.message, instance, parameters });
    }
}

/** The answer where the registry has no such device. */
export function noDevice(id: string): Problem {
    return new Problem('not_found', `There is no device ${id}: GET /v1/devices lists those that there are`);
}

/** Seconds after which a client may try again. */
const RETRY_S = '5';

/** The answer where what is behind the API cannot store or answer now. */
export function notPossibleNow(instance: string): Problem {
    return new Problem('unavailable', 'Not possible at the moment: send the request again', {
        instance,
        headers: { 'retry-after': RETRY_S },
    });
}
