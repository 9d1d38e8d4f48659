/** Ranges of time in addresses of pages: days, both inclusive, or instants. */
import { z } from '@hono/zod-openapi';
import { INSTANT_RULE, readInstant } from '#lake/instant';

const DAY_MS = 86_400_000;

/** First and last day of a range, `YYYY-MM-DD`. */
export const Days = { from: z.iso.date('Expected a day, YYYY-MM-DD.'), to: z.iso.date('Expected a day, YYYY-MM-DD.') };

const instant = (options: { isEnd?: boolean } = {}) =>
    z.string().transform((given, { addIssue }) => {
        const found = readInstant(given, options);
        if (found === undefined) {
            addIssue({ code: 'custom', message: INSTANT_RULE });
            return z.NEVER;
        }
        return Date.parse(found);
    });

/** Beginning and end of a range, a time of UTC or a day; the end is exclusive, of a day its end. They are epoch milliseconds once they are read. */
export const Instants = { from: instant(), to: instant({ isEnd: true }) };

/** The UTC day of an instant. */
export function dayOf(ms: number): string {
    return new Date(ms).toISOString().slice(0, 'yyyy-mm-dd'.length);
}

/** The days of which some part lies between the instants, the end exclusive. */
export function daysOf({ from, to }: { from: number; to: number }): { from: string; to: string } {
    return { from: dayOf(from), to: dayOf(Math.max(from, to - 1)) };
}

/** The instants that the days span, the end exclusive. */
export function instantsOf({ from, to }: { from: string; to: string }): { fromMs: number; toMs: number } {
    return { fromMs: Date.parse(from), toMs: Date.parse(to) + DAY_MS };
}
