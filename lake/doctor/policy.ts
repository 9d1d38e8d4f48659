/** Policies of buckets and queues, as far as a lake depends on them. */

export interface PolicyStatement {
    isAllow: boolean;
    /** Whom the statement is about: `*`, or `s3.amazonaws.com` and the like. */
    principals: readonly string[];
    actions: readonly string[];
    resources: readonly string[];
    /** The condition block as it stands. */
    conditions: string;
}

/** The statements of a policy's JSON. @throws SyntaxError where it is none */
export function parsePolicy(text: string): PolicyStatement[] {
    const policy: unknown = JSON.parse(text);
    const statements = isObject(policy) ? policy.Statement : [];
    return (Array.isArray(statements) ? statements : [statements]).filter(isObject).map((statement) => ({
        isAllow: statement.Effect === 'Allow',
        principals: isObject(statement.Principal) ? Object.values(statement.Principal).flatMap(textsOf) : textsOf(statement.Principal),
        actions: textsOf(statement.Action),
        resources: textsOf(statement.Resource),
        conditions: JSON.stringify(statement.Condition ?? {}),
    }));
}

/** True if nobody may reach the bucket's objects without TLS. */
export function deniesPlainHttp(statements: readonly PolicyStatement[], bucket: string): boolean {
    return statements.some(
        ({ isAllow, principals, actions, resources, conditions }) =>
            !isAllow &&
            principals.includes('*') &&
            actions.some((action) => action === '*' || action === 's3:*') &&
            resources.some((resource) => resource === '*' || resource.endsWith(`:::${bucket}/*`)) &&
            /"Bool":\{"aws:SecureTransport":\[?"?false/i.test(conditions),
    );
}

/** True if S3 may tell the queue of the bucket's objects. */
export function letsS3Send(statements: readonly PolicyStatement[], bucket: string): boolean {
    return statements.some(
        ({ isAllow, principals, actions, conditions }) =>
            isAllow &&
            principals.some((principal) => principal === 's3.amazonaws.com' || principal === '*') &&
            actions.some((action) => /^(\*|sqs:(\*|send\*|sendmessage))$/i.test(action)) &&
            (!conditions.includes('aws:SourceArn') || conditions.includes(`:::${bucket}"`)),
    );
}

function textsOf(value: unknown): string[] {
    return (Array.isArray(value) ? value : [value]).filter((text) => typeof text === 'string');
}

function isObject(value: unknown): value is Record<string, unknown> {
    return typeof value === 'object' && value !== null;
}
