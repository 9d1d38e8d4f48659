/** Errors that end the reading of a Parquet file, each with a message for whoever uploaded it. */
import { DamagedFileError } from '../../zstd-frames.ts';

/** The file is sound, as far as was looked, and holds something that is not read. */
export class RefusedParquetError extends Error {
    override name = 'RefusedParquetError';
}

/** The error for bytes that no writer of Parquet leaves behind. */
export function damaged(what: string, cause?: unknown): DamagedFileError {
    return new DamagedFileError(`Parquet data is damaged or ends too early (${what})`, { cause });
}
