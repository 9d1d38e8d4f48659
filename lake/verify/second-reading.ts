/** How a second reader says that it cannot bring a source to figures, so that the judge knows it whatever the kind. */

/** The source has a construct that the second reading does not follow: it says neither right nor wrong. */
export class NotFollowedError extends Error {
    override name = 'NotFollowedError';
}

/** The source's bytes end too early, or cannot be unpacked. */
export class DamagedFileError extends Error {
    override name = 'DamagedFileError';
}
