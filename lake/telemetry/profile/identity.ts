/** What makes a message the same one when it comes again. */
import { hash } from 'node:crypto';
import { type Context, type Source, textOf } from './tokens.ts';

/** 16 hex digits of the SHA-256 of a payload. */
export function hashOf(payload: Uint8Array): string {
    return hash('sha256', payload, 'hex').slice(0, 16);
}

const MAX_IDENTITY_CHARACTERS = 128;

/** The parts of an identity, joined so that no two lists of parts give one text; undefined where a part is absent. */
export function identityOf(parts: readonly Source[] | undefined, context: Context): string | undefined {
    if (parts === undefined) {
        return undefined;
    }
    const texts: string[] = [];
    for (const part of parts) {
        const text = textOf(part(context));
        if (text === undefined) {
            return undefined;
        }
        texts.push(text.replace(/[%:]/g, encodeURIComponent));
    }
    const text = texts.join(':');
    return text.length <= MAX_IDENTITY_CHARACTERS ? text : hash('sha256', text, 'hex').slice(0, 32);
}
