"""The errors of the jobs, as lake/errors.ts has them. An overflow is Python's own OverflowError, its message in the words of the lake."""


class UsageError(Exception):
    """The job was started wrongly; starting it again the same way cannot help."""


class ConflictError(Exception):
    """Another writer was faster: an object has another etag than expected. Look again, then try again."""


class StorageError(Exception):
    """An object is gone, damaged or cannot be read; trying again helps once that is mended."""


class NotFollowedError(Exception):
    """What this reader of telemetry does not follow, though the lake's own does; trying again cannot help."""
