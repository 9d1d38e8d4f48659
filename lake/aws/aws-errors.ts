/** What errors of AWS mean for people. */
import { StorageError } from '#lake/errors';

/** What an error means for people, by the error's name as the services and the SDK spell it. */
const MEANINGS: Readonly<Record<string, string>> = {
    AccessDenied: 'your AWS identity may not do that; docs/security.md lists the rights that each command needs',
    AccessDeniedException: 'your AWS identity may not do that; docs/security.md lists the rights that each command needs',
    CredentialsProviderError: 'no AWS credentials were found; run aws configure, or set AWS_PROFILE',
    ExpiredToken: 'your AWS session is over; log in again (aws sso login)',
    ExpiredTokenException: 'your AWS session is over; log in again (aws sso login)',
    InvalidAccessKeyId: 'AWS does not know this access key; check AWS_PROFILE and AWS_ACCESS_KEY_ID',
    InvalidClientTokenId: 'AWS does not know this access key; check AWS_PROFILE and AWS_ACCESS_KEY_ID',
    UnrecognizedClientException: 'AWS does not know this access key; check AWS_PROFILE and AWS_ACCESS_KEY_ID',
    SignatureDoesNotMatch: 'the secret key does not fit the access key; check AWS_PROFILE and AWS_SECRET_ACCESS_KEY',
    TokenRefreshRequired: 'your AWS session is over; log in again (aws sso login)',
    NoSuchBucket: 'there is no such bucket; check its name, or deploy the lake first (docs/deploy.md)',
    QueueDoesNotExist: 'there is no such queue; run flowlake doctor',
    PermanentRedirect: 'the bucket is in another region; set AWS_REGION to the one it is in',
    AuthorizationHeaderMalformed: 'the bucket is in another region; set AWS_REGION to the one it is in',
    SlowDown: 'S3 asks for fewer requests and did so until the last attempt; run it again later',
    RequestTimeTooSkewed: 'the clock of this machine is wrong; set it right',
    InvalidObjectState: 'the object is in an archive class; restore it first (aws s3api restore-object)',
    ENOTFOUND: 'the service was not found; check the network, the region and AWS_ENDPOINT_URL',
    EAI_AGAIN: 'the service was not found; check the network, the region and AWS_ENDPOINT_URL',
    ECONNREFUSED: 'nothing answers there; check the network and AWS_ENDPOINT_URL',
    TimeoutError: 'no answer came in time; check the network and run it again',
};

/** Code of an error, `NoSuchKey`, `ECONNREFUSED` and the like; undefined for what is no error of AWS or of the way there. */
export function awsCodeOf(error: unknown): string | undefined {
    if (!(error instanceof Error)) {
        return undefined;
    }
    if ('code' in error && typeof error.code === 'string' && /^E[A-Z_]+$/.test(error.code)) {
        return error.code;
    }
    return '$metadata' in error || error.name in MEANINGS ? error.name : undefined;
}

/** The HTTP status that came with the error, if one did. */
export function awsStatusOf(error: unknown): number | undefined {
    if (!(error instanceof Error) || !('$metadata' in error) || typeof error.$metadata !== 'object' || error.$metadata === null) {
        return undefined;
    }
    const { httpStatusCode } = error.$metadata as { httpStatusCode?: unknown };
    return typeof httpStatusCode === 'number' ? httpStatusCode : undefined;
}

/** Runs AWS calls; what AWS or the way there refuses becomes a StorageError that says what was done, and what would help. */
export async function translated<T>(work: () => Promise<T>, { doing }: { doing: string }): Promise<T> {
    try {
        return await work();
    } catch (error) {
        throw asStorageError(error, { doing });
    }
}

/** A StorageError for an error of AWS or of the way there; any other error as it is. */
export function asStorageError(error: unknown, { doing }: { doing: string }): unknown {
    const code = awsCodeOf(error);
    if (code === undefined || !(error instanceof Error)) {
        if (error instanceof Error && error.message === 'Region is missing') {
            return new StorageError(`cannot ${doing}: no AWS region is set; export AWS_REGION=eu-central-1, or the one you use`, {
                cause: error,
            });
        }
        return error;
    }
    const known = MEANINGS[code] ?? meaningOfStatus(awsStatusOf(error));
    return new StorageError(`cannot ${doing}: ${known ?? error.message} (${code})`, { cause: error });
}

/** What a status means: a HEAD has no body, so S3 can say no more than the status. */
function meaningOfStatus(status: number | undefined): string | undefined {
    if (status !== undefined && status >= 500) {
        return `AWS failed, at the last attempt too (HTTP ${status}); run it again later`;
    }
    return status === 403 ? MEANINGS.AccessDenied : status === 301 ? MEANINGS.PermanentRedirect : undefined;
}
