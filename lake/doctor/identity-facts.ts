/** Who AWS takes the caller for. */
import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import { type Answer, ask } from './finding.ts';

export interface Identity {
    account: string;
    arn: string;
}

/**
 * Identity that AWS takes the caller for. Asking needs no right:
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
export function gatherIdentity(client: STSClient): Promise<Answer<Identity>> {
    return ask(
        async () => {
            const { Account = '', Arn = '' } = await client.send(new GetCallerIdentityCommand({}));
            return { account: Account, arn: Arn };
        },
        { doing: 'ask AWS who you are' },
    );
}
