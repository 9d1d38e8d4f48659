/** The one error that the views raise themselves: a pair whose figures have no exact spread within the 38 digits that engines have. */
import { OverflowError } from '#lake/errors';

/**
 * What a view says of any measure; sql/flows/views/pair_running.sql is one that does. Every engine quotes it in an error of its own about a cast,
 * and the quote tells where it begins.
 */
const REFUSED = /(?<=['"])\w+ of .+? is too large for exact statistics on \d{4}-\d{2}-\d{2}/;

/** The error with pair and day where the engine's message has one; undefined for any other message. */
export function statisticsOverflowIn(message: string, cause?: unknown): OverflowError | undefined {
    const [found] = REFUSED.exec(message) ?? [];
    return found === undefined
        ? undefined
        : new OverflowError(
              `${found}: leave the pair or its day out, or find the file that it comes from (flowlake explain) and retract or correct it`,
              { cause },
          );
}
