/** Judges how the lake's bucket keeps, protects and announces its objects. */
import { DEPLOYMENT_TAGS, deploymentOf, TELEMETRY_TAGS, telemetryOf } from '#lake/deployment';
import { kindsWithInputs } from '#lake/kinds';
import { RAW_PREFIX } from '#lake/layout';
import type { BucketFacts, Notification } from './bucket-facts.ts';
import { type Answer, type Finding, judge, ok, orOk, problem, warning } from './finding.ts';
import { deniesPlainHttp } from './policy.ts';

export function judgePlace(bucket: string, answer: Answer<string | undefined>): readonly Finding[] {
    const check = 'bucket';
    return judge(check, answer, {
        missing: () => problem(check, `there is no bucket ${bucket}`, 'check its name (aws s3 ls), or deploy the lake (docs/deploy.md)'),
        found: () => [ok(check, `s3://${bucket} is there and may be listed`)],
    });
}

/** Findings on the settings of the bucket. @param redeploy command that brings back what the deployment had */
export function judgeBucket(bucket: string, facts: BucketFacts, { redeploy }: { redeploy: string }): readonly Finding[] {
    return [
        ...judge('bucket versioning', facts.versioning, {
            missing: () => unversioned(bucket, ''),
            found: (status) => (status === 'Enabled' ? [ok('bucket versioning', 'on')] : [unversioned(bucket, status)]),
        }),
        ...judge('bucket encryption', facts.encryption, {
            missing: () => unencrypted(bucket),
            found: (algorithm) => (algorithm === '' ? [unencrypted(bucket)] : [ok('bucket encryption', algorithm)]),
        }),
        ...judge('bucket TLS', facts.policy, {
            missing: () => problem('bucket TLS', 'the bucket has no policy', redeploy),
            found: (statements) =>
                deniesPlainHttp(statements, bucket)
                    ? [ok('bucket TLS', 'the policy denies plain HTTP')]
                    : [problem('bucket TLS', 'the policy does not deny plain HTTP', redeploy)],
        }),
        ...judge('bucket public access', facts.publicAccessBlock, {
            missing: () => unblocked(bucket, 'nothing is blocked by the bucket itself'),
            found: (blocks) => {
                const off = Object.keys(blocks).filter((name) => blocks[name] !== true);
                return off.length === 0 ? [ok('bucket public access', 'blocked')] : [unblocked(bucket, `not set: ${off.join(', ')}`)];
            },
        }),
    ];
}

function unversioned(bucket: string, status: string): Finding {
    const found = status === '' ? 'off: what is replaced or deleted cannot be had back' : status;
    return problem(
        'bucket versioning',
        found,
        `aws s3api put-bucket-versioning --bucket ${bucket} --versioning-configuration Status=Enabled`,
    );
}

/**
 * Finding on a bucket without encryption of its own. Since 2023 S3 encrypts new objects whatever is set:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
 */
function unencrypted(bucket: string): Finding {
    const rule = '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}';
    const todo = `aws s3api put-bucket-encryption --bucket ${bucket} --server-side-encryption-configuration '${rule}'`;
    return warning('bucket encryption', 'no default is set: S3 uses its own keys', todo);
}

function unblocked(bucket: string, found: string): Finding {
    const all = 'BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true';
    const todo = `aws s3api put-public-access-block --bucket ${bucket} --public-access-block-configuration ${all}`;
    return problem('bucket public access', found, todo);
}

/** A warning for each kind of which a new version of an input is told to nobody. */
function judgeInputNews(own: readonly Notification[], { queue, redeploy }: { queue: string; redeploy: string }): Finding[] {
    const isTold = (prefix: string): boolean => own.some((told) => prefix.startsWith(told.prefix) && told.suffix === '');
    return kindsWithInputs()
        .filter(({ inputs }) => !isTold(inputs.prefix))
        .map(({ inputs }) =>
            warning(
                'upload events',
                `queue ${queue} is not told of ${inputs.prefix}*`,
                `what was read by an older ${inputs.noun} stays so until flowlake reconcile: ${redeploy}`,
            ),
        );
}

/** Findings on what the bucket tells the summarize queue. @param queue name of the queue; undefined where the tags do not name it */
export function judgeNotifications(
    answer: Answer<Notification[]>,
    { queue, redeploy }: { queue: string | undefined; redeploy: string },
): readonly Finding[] {
    const check = 'upload events';
    const lost = `uploads stay out of the figures: ${redeploy}, then flowlake reconcile`;
    return judge(check, answer, {
        missing: () => problem(check, 'the bucket tells nobody of uploads', lost),
        found: (notifications) => {
            if (queue === undefined) {
                const found = `the bucket tells ${notifications.map(({ queueArn }) => nameOf(queueArn)).join(', ') || 'no queue'}`;
                return [{ check, result: 'could not check', found, todo: 'the bucket tag with the queue that it should be is missing' }];
            }
            const own = notifications.filter(({ queueArn }) => nameOf(queueArn) === queue);
            if (own.length === 0) {
                return [problem(check, `the bucket does not tell queue ${queue} of uploads`, lost)];
            }
            const complete = own.filter(({ prefix, suffix }) => RAW_PREFIX.startsWith(prefix) && suffix === '');
            if (complete.length === 0) {
                const filters = own.map(({ prefix, suffix }) => `${prefix}*${suffix}`).join(', ');
                return [problem(check, `queue ${queue} is told of ${filters} only, not of ${RAW_PREFIX}*`, lost)];
            }
            return [
                complete.some(({ events }) => events.includes('s3:ObjectCreated:*'))
                    ? ok(check, `s3:ObjectCreated:* under ${RAW_PREFIX} to ${queue}`)
                    : problem(
                          check,
                          `only ${complete.flatMap(({ events }) => events).join(', ')}: large files are completed, not put`,
                          lost,
                      ),
                ...judgeInputNews(own, { queue, redeploy }),
            ];
        },
    });
}

export function judgeTags(bucket: string, answer: Answer<ReadonlyMap<string, string>>): readonly Finding[] {
    const check = 'bucket tags';
    const todo = `the tags name the parts of the lake: npx cdk deploy --revert-drift, or aws s3api put-bucket-tagging --bucket ${bucket} (it replaces all tags)`;
    return judge(check, answer, {
        missing: () => problem(check, 'the bucket has no tags: it is no lake, or lost them', todo),
        found: (tags) => {
            const { missing: ofLake, deployment } = deploymentOf(tags);
            const hasTelemetry = tags.has(TELEMETRY_TAGS.stream);
            const missing = [...ofLake, ...(hasTelemetry ? telemetryOf(tags).missing : [])];
            const wrong = missing.length === 0 ? [] : [problem(check, `missing: ${missing.join(', ')}`, todo)];
            return orOk(
                check,
                wrong,
                `stage ${deployment.stage}, all ${Object.keys(DEPLOYMENT_TAGS).length} tags${hasTelemetry ? ', and those of live telemetry' : ''}`,
            );
        },
    });
}

/** The last part of a queue's ARN. */
export function nameOf(arn: string): string {
    return arn.slice(arn.lastIndexOf(':') + 1);
}
