/** The errors of the lake. Each class says whether trying again can help; `cause` keeps what the adapter was told. */

/** The command was used wrongly or asks for something that does not exist; trying again the same way cannot help. */
export class UsageError extends Error {
    override name = 'UsageError';
}

/** What was asked for is not there, and nothing is broken; trying again helps once it is. */
export class NotFoundError extends Error {
    override name = 'NotFoundError';
}

/** Another writer was faster: a conditional write found another etag than expected (HTTP 412). Look again, then try again. */
export class ConflictError extends Error {
    override name = 'ConflictError';
}

/** The world is broken (disk full, folder not writable, file unreadable); trying again helps once that is mended. */
export class StorageError extends Error {
    override name = 'StorageError';
}

/** A figure would leave the range of its column. The source is refused as a whole: never a wrap, never a null. */
export class OverflowError extends Error {
    override name = 'OverflowError';
}

/** The engine refuses the SQL; the message shows the place. */
export class SqlError extends Error {
    override name = 'SqlError';
}
