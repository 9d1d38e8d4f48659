/** How a Glue job of the lake is set up. */
import { GetJobCommand, type GlueClient } from '@aws-sdk/client-glue';
import { type Answer, ask } from './finding.ts';

export interface JobFacts {
    glueVersion: string;
    /** Address of the script, `s3://...`; empty where none is set. */
    script: string;
    workers: number;
    timeoutMinutes: number;
}

export function gatherJob(client: GlueClient, name: string): Promise<Answer<JobFacts>> {
    return ask(
        async () => {
            const { Job: { GlueVersion = '', Command, NumberOfWorkers = 0, Timeout = 0 } = {} } = await client.send(
                new GetJobCommand({ JobName: name }),
            );
            return { glueVersion: GlueVersion, script: Command?.ScriptLocation ?? '', workers: NumberOfWorkers, timeoutMinutes: Timeout };
        },
        { doing: `look at Glue job ${name}`, isMissing: (error) => error.name === 'EntityNotFoundException' },
    );
}
