/** Asks Athena the lake's own questions. API Gateway waits for half a minute, and a question that takes longer is stopped. */
import { StorageError } from '#lake/errors';
import type { ReadingsSource } from '#lake/live/lake-readings';
import type { QueryEngine } from '#lake/query/query-engine';

/** Less than the 30 seconds that API Gateway waits, with room for the answer: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
const ANSWER_WITHIN_MS = 24_000;

/** `textOf` gives the statement of that name. */
export function openAthenaQuestions({ engine, textOf }: { engine: QueryEngine; textOf: (name: string) => string }): ReadingsSource['ask'] {
    return async (name, parameters) => {
        const stop = new AbortController();
        const tooLate = new StorageError(`Athena did not answer within ${ANSWER_WITHIN_MS / 1000} s: ask for fewer days (from, to)`);
        const timer = setTimeout(() => stop.abort(tooLate), ANSWER_WITHIN_MS);
        try {
            return await engine.query(textOf(name), { parameters, signal: stop.signal });
        } finally {
            clearTimeout(timer);
        }
    };
}
