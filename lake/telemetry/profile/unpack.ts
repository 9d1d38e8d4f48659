/** Scans payloads with the texts in them that hold JSON themselves. */
import type { UnpackWords } from './document.ts';
import { ESCAPED_TEXT, TEXT } from './fields.ts';
import { parsePath } from './paths.ts';
import { compileConditions } from './sources.ts';
import type { Context, Scope } from './tokens.ts';

/** Scans one value of JSON for the scope's inner fields. @throws UnreadableError */
export type Scan = (context: Context, bytes: Uint8Array, start: number, end: number) => void;

/**
 * A scan that unpacks what the words name. A condition is asked of the message as it is by then: with what stands before it in the list unpacked, and
 * nothing behind. So a value with conditions is scanned again for each text that is unpacked.
 */
export function compileScan(words: readonly UnpackWords[], scope: Scope): Scan {
    const { scanner, tree } = scope.inner;
    const texts = words.map(({ path, as, only }) => ({
        field: tree.at(parsePath(path).map((segment) => segment.literal ?? '')),
        as,
        only: only === undefined ? undefined : compileConditions(only, scope),
    }));
    const conditional = texts.findIndex(({ only }) => only !== undefined);
    const inTurn = conditional < 0 ? [] : texts.splice(conditional);
    for (const { field, as } of texts) {
        field.unpack = as;
    }
    if (inTurn.length === 0) {
        return (_, bytes, start, end) => scanner.read(bytes, start, end);
    }
    return (context, bytes, start, end) => {
        const { hasPayload } = context;
        scanner.read(bytes, start, end);
        context.hasPayload = true;
        try {
            for (const { field, as, only } of inTurn) {
                const isText = field.scan === scanner.scan && (field.type === TEXT || field.type === ESCAPED_TEXT);
                if (isText && only?.holds(context) !== false) {
                    field.unpack = as;
                    scanner.read(bytes, start, end);
                }
            }
        } finally {
            context.hasPayload = hasPayload;
            for (const { field } of inTurn) {
                field.unpack = undefined;
            }
        }
    };
}
