/**
 * Files that only the first reader reads so far: the second reader (lake/verify/flows) and the plain one of the fuzzer do not know JSON. When
 * they do, this file goes, with all that asks it.
 */

/** True for files of JSON, by their first byte. */
export function isReadOnce(bytes: Uint8Array): boolean {
    return /^\s*[[{]/.test(Buffer.from(bytes.subarray(0, 64)).toString().replace('\uFEFF', ''));
}
