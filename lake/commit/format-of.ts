/** The format in which the rows of an object were read, as the object itself tells it. */
import type { Kind } from '#lake/kind';
import { type FooterFacts, readFactsAtEnd } from '#lake/parquet';
import type { MergedTable } from '#lake/tables';

/** Format of an object that lacks columns and does not say which one it is: older than any that is said. */
const SOME_OLDER_FORMAT = 0;

/** The format in which all rows of an object were read; of rows that were read in several, the lowest. */
export function formatOf({ saidFormat, lacksColumns }: FooterFacts, { format, unsaidFormat = format }: Kind): number {
    return saidFormat ?? (lacksColumns ? SOME_OLDER_FORMAT : unsaidFormat);
}

/** The format in which all rows of a whole object of the table were read; of several, the lowest. @throws where they are no Parquet file */
export function formatOfBytes(bytes: Uint8Array<ArrayBuffer>, { kind, table }: { kind: Kind; table: MergedTable }): number {
    const found = readFactsAtEnd(bytes, { sizeBytes: bytes.length, table });
    return found ? formatOf(found, kind) : SOME_OLDER_FORMAT;
}
