/** How the lake's Athena workgroup is set up. */
import { type AthenaClient, GetWorkGroupCommand } from '@aws-sdk/client-athena';
import { type Answer, ask } from './finding.ts';

export interface WorkgroupFacts {
    isEnabled: boolean;
    /** True if clients have to take the workgroup's settings. */
    isEnforced: boolean;
    /** Address of the results, `s3://.../`; undefined where Athena manages them, or where none is set. */
    resultLocation: string | undefined;
    scanLimitBytes: number | undefined;
    engineVersion: string;
}

export function gatherWorkgroup(client: AthenaClient, name: string): Promise<Answer<WorkgroupFacts>> {
    return ask(
        async () => {
            const { WorkGroup } = await client.send(new GetWorkGroupCommand({ WorkGroup: name }));
            const { Configuration } = WorkGroup ?? {};
            const { SelectedEngineVersion, EffectiveEngineVersion } = Configuration?.EngineVersion ?? {};
            return {
                isEnabled: WorkGroup?.State === 'ENABLED',
                isEnforced: Configuration?.EnforceWorkGroupConfiguration === true,
                resultLocation: Configuration?.ResultConfiguration?.OutputLocation,
                scanLimitBytes: Configuration?.BytesScannedCutoffPerQuery,
                engineVersion: EffectiveEngineVersion ?? SelectedEngineVersion ?? '',
            };
        },
        {
            doing: `look at Athena workgroup ${name}`,
            // Athena has no error of its own for it: "WorkGroup x is not found."
            isMissing: (error) => error.name === 'InvalidRequestException' && /not found/i.test(error.message),
        },
    );
}
