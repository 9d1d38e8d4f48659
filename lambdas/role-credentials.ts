/**
 * The credentials of the function's role. It takes the place of the SDK's own search for credentials in the bundles (see
 * cdk/bundle-lambda.ts): profiles, SSO and instance metadata are of no use in a Lambda, and loading what asks them took a third of the
 * start-up.
 */
import process from 'node:process';
import { UsageError } from '#lake/errors';

/** Named and shaped as @aws-sdk/credential-provider-node names and shapes it: the clients of the SDK import it by that name. */
export function defaultProvider() {
    return async () => {
        // https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html: the access keys obtained from the execution role.
        const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
        if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
            throw new UsageError(
                'the function has no credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set, as Lambda sets them',
            );
        }
        return {
            accessKeyId: AWS_ACCESS_KEY_ID,
            secretAccessKey: AWS_SECRET_ACCESS_KEY,
            ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
        };
    };
}
