/** Who may read the API: whoever the row of the stage says signs readers' tokens, else a user pool of Cognito, which is kept while telemetry is turned off. */
import { Aws, CfnOutput, Duration, Stack, Validations } from 'aws-cdk-lib';
import { UserPool, UserPoolClient } from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import type { PartProps } from './part.ts';

export class Readers extends Construct {
    /** Claim `iss` of their tokens. */
    readonly issuer: string;
    /** Claim `aud` of their tokens, or `client_id` where they have no `aud`. */
    readonly audience: string;

    constructor(scope: Construct, id: string, props: Pick<PartProps, 'telemetry' | 'names' | 'removalPolicy'>) {
        super(scope, id);
        const { issuer, audience } = props.telemetry.readers ?? createPool(this, props);
        this.issuer = issuer;
        this.audience = audience;
    }
}

/** A pool that nobody can sign up to by himself. */
function createPool(
    scope: Construct,
    { names, removalPolicy }: Pick<PartProps, 'names' | 'removalPolicy'>,
): { issuer: string; audience: string } {
    const pool = new UserPool(scope, 'pool', {
        userPoolName: `flowlake-${names.stage}-readers`,
        selfSignUpEnabled: false,
        signInAliases: { email: true },
        passwordPolicy: { minLength: 12, requireDigits: true, requireLowercase: true, requireSymbols: true, requireUppercase: true },
        removalPolicy,
    });
    Validations.of(pool).acknowledge(
        {
            id: 'AwsSolutions-COG2',
            reason: 'Whether readers need a second factor is the account’s to say: aws cognito-idp set-user-pool-mfa-config.',
        },
        {
            id: 'AwsSolutions-COG3',
            reason: 'Threat protection needs the plan Plus, which costs by the reader; nobody can sign up by himself.',
        },
        {
            id: 'AwsSolutions-COG8',
            reason: 'The plan Plus costs by the reader, and what it adds is of use where anybody can sign up; here nobody can.',
        },
    );
    const client = new UserPoolClient(scope, 'client', {
        userPool: pool,
        userPoolClientName: `flowlake-${names.stage}-api`,
        authFlows: { userSrp: true, userPassword: true },
        generateSecret: false,
        preventUserExistenceErrors: true,
        accessTokenValidity: Duration.hours(1),
        idTokenValidity: Duration.hours(1),
    });
    new CfnOutput(Stack.of(scope), 'ReaderPool', { value: pool.userPoolId, description: 'Who may read the API' });
    new CfnOutput(Stack.of(scope), 'ReaderClient', { value: client.userPoolClientId, description: 'By whom readers sign in' });
    return { issuer: `https://cognito-idp.${Aws.REGION}.${Aws.URL_SUFFIX}/${pool.userPoolId}`, audience: client.userPoolClientId };
}
