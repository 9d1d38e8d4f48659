/** What a decoder makes of a payload. */

/** JSON of a payload, and why parts of it are no records. */
export interface Decoded {
    json: string;
    problems: { reason: string; metric?: string }[];
}

/** Decoders whose payloads are lists of records, each of which is a message and says its `name`. */
const OF_RECORDS: readonly (string | undefined)[] = ['senml', 'senml-cbor', 'sparkplug-b'];

export function givesRecords(decoder: string | undefined): boolean {
    return OF_RECORDS.includes(decoder);
}
