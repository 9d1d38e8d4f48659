/** Made-up kinds of data beside those of the program, for the tests of one file: each has a program of its own. */
import type { Kind } from '#lake/kind';
import { kinds } from '#lake/kinds';

/** Adds the kinds to those that the commit rules know. */
export function knowAlso(...more: readonly Kind[]): void {
    (kinds as unknown as Kind[]).push(...more);
}
