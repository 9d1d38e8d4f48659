/**
 * Says whose token a request has. It lets every request through, with whom it found: the function behind refuses, with an answer that says why, as the API's document
 * has it. API Gateway's own refusals are a word without a reason.
 */
import type { Callers } from '#lake/cloud/api-callers';
import { type FoundCaller, toContext } from '#lake/cloud/found-caller';
import { bearerTokenIn } from '#lake/live/api/authenticate';

interface Event {
    headers?: Readonly<Record<string, string | undefined>>;
}

/** An answer of payload format 2.0: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html */
interface Answer {
    isAuthorized: true;
    context: FoundCaller;
}

/** @throws StorageError where nobody can tell: API Gateway answers 500, and asks again for the next request */
export async function authorize(
    { headers = {} }: Event,
    { callers, say }: { callers: Callers; say: (why: string) => void },
): Promise<Answer> {
    const token = bearerTokenIn(headers.authorization ?? '');
    const called = token === undefined ? { ok: false as const, why: 'header Authorization holds no token' } : await callers.of(token);
    if (!called.ok) {
        say(called.why);
    }
    return { isAuthorized: true, context: toContext(called.ok ? called.caller : undefined) };
}
