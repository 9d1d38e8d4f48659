/** How every AWS client of the lake is set up: where it connects, how long it waits, how it tries again. */

/** The variables of the process: the SDK reads most of them itself. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface ClientOptions {
    environment: Environment;
    /** Region of the bucket; undefined leaves it to the SDK (AWS_REGION, the profile). */
    region?: string | undefined;
}

/**
 * Attempts at a call. The standard mode waits between attempts with jitter and stops when a service stays overloaded
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html); its three attempts are too few for a burst of 503.
 */
const MAX_ATTEMPTS = 6;

/** A lost connection must not hold a worker until its end. */
const CONNECT_WITHIN_MS = 5_000;
const ANSWER_WITHIN_MS = 60_000;

/** The options that all clients share; `service` is how AWS_ENDPOINT_URL_<service> spells it. */
export function clientConfig({ environment, region }: ClientOptions, service: string) {
    const endpoint = endpointOf(environment, service);
    return {
        ...(region !== undefined && { region }),
        ...(endpoint !== undefined && { endpoint }),
        maxAttempts: MAX_ATTEMPTS,
        retryMode: 'standard',
        requestHandler: { connectionTimeout: CONNECT_WITHIN_MS, requestTimeout: ANSWER_WITHIN_MS, throwOnRequestTimeout: true },
    } as const;
}

/** An address of one's own instead of AWS: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html. */
export function endpointOf(environment: Environment, service: string): string | undefined {
    return environment[`AWS_ENDPOINT_URL_${service}`] ?? environment.AWS_ENDPOINT_URL;
}
