/** What the stack of a deployment has made: whatever is listed there should be found, and at work. */
import { type CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { type Answer, ask } from './finding.ts';

/** A resource that the stack has made. */
export interface StackResource {
    /** `AWS::Lambda::Function`. */
    type: string;
    /** Name or id by which its service knows it. */
    name: string;
}

/** The resources of the stack, as it knows them: one that somebody has deleted is among them. */
export function gatherStack(client: CloudFormationClient, name: string): Promise<Answer<readonly StackResource[]>> {
    return ask(
        async () => {
            const resources: StackResource[] = [];
            for await (const { StackResourceSummaries = [] } of paginateListStackResources({ client }, { StackName: name })) {
                for (const {
                    ResourceType: type = '',
                    PhysicalResourceId: physical,
                    ResourceStatus: status = '',
                } of StackResourceSummaries) {
                    if (physical !== undefined && !status.startsWith('DELETE_')) {
                        resources.push({ type, name: physical });
                    }
                }
            }
            return resources;
        },
        // https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html has no code of its own for it.
        {
            doing: `list what stack ${name} has made`,
            isMissing: (error) => error.name === 'ValidationError' && /not exist/.test(error.message),
        },
    );
}
