/** Judges whether AWS knows the caller, and whether the region asked is the bucket's. */
import { type Answer, type Finding, judge, ok, problem, warning } from './finding.ts';
import type { Identity } from './identity-facts.ts';

/** Errors that say that AWS does not take the caller for anybody. */
const REFUSALS = [
    'CredentialsProviderError',
    'ExpiredToken',
    'ExpiredTokenException',
    'InvalidAccessKeyId',
    'InvalidClientTokenId',
    'SignatureDoesNotMatch',
    'TokenRefreshRequired',
    'UnrecognizedClientException',
];

export function judgeIdentity(answer: Answer<Identity>): readonly Finding[] {
    const check = 'credentials';
    if (answer.kind === 'unreadable' && REFUSALS.includes(answer.code ?? '')) {
        return [problem(check, answer.code ?? '', answer.why)];
    }
    return judge(check, answer, {
        missing: () => problem(check, 'nobody', 'run aws configure, or set AWS_PROFILE'),
        found: ({ arn, account }) => [ok(check, `${arn} of account ${account}`)],
    });
}

/** Findings on the region. @param own region that is set on this machine, `bucket` the one that S3 names for the bucket */
export function judgeRegion({ own, bucket }: { own: Answer<string>; bucket: Answer<string | undefined> }): readonly Finding[] {
    const check = 'region';
    const example = bucket.kind === 'found' ? (bucket.value ?? 'eu-central-1') : 'eu-central-1';
    if (own.kind !== 'found') {
        return [problem(check, 'none is set', `export AWS_REGION=${example}, or set it in your profile`)];
    }
    if (bucket.kind !== 'found' || bucket.value === undefined) {
        return [
            {
                check,
                result: 'could not check',
                found: `${own.value} is set; the bucket's is not known`,
                todo: 'see the finding on the bucket',
            },
        ];
    }
    return own.value === bucket.value
        ? [ok(check, own.value)]
        : [
              warning(
                  check,
                  `${own.value} is set, the bucket is in ${bucket.value}`,
                  `export AWS_REGION=${bucket.value}: other AWS tools look in ${own.value}`,
              ),
          ];
}
