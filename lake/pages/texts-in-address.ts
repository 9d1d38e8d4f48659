/** Lists of texts in an address: as a JSON array. */
import { z } from '@hono/zod-openapi';

/** Reads such a list; `fault` says what any other text is not. No text is longer than `maxLength`. */
export function textsInAddress(fault: string, { maxLength }: { maxLength?: number } = {}) {
    const Texts = z.array(maxLength === undefined ? z.string() : z.string().max(maxLength));
    return z.string().transform((text, context): string[] => {
        const found = Texts.safeParse(parseJson(text));
        if (found.success) {
            return found.data;
        }
        context.addIssue({ code: 'custom', message: fault });
        return z.NEVER;
    });
}

function parseJson(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}
