/**
 * What a deployment is called: the names that stand in the tags of its bucket, so that `--lake s3://bucket` is all that a user types.
 * cdk/ writes the tags, the command line reads them. One deployment serves every kind of data with two workers and their two queues:
 * messages name the table and the period, and each period of each table is a group of its own, so that no kind holds up another one.
 */

/** The parts of a deployment that the command line and the Lambdas talk to. Queues are named, not addressed: SQS gives the URL. */
export interface Deployment {
    /** Name of the lake among those of one account: `dev`, `prod`. */
    stage: string;
    /** Glue database, with the tables and views of all kinds. */
    database: string;
    /** Athena workgroup. */
    workgroup: string;
    /** Standard queue that S3 tells of new raw objects. */
    summarizeQueue: string;
    summarizeDeadLetters: string;
    /** FIFO queue, table and period as message group. */
    consolidateQueue: string;
    consolidateDeadLetters: string;
    /** Glue job for periods that are too large for a Lambda. */
    consolidateDaysJob: string;
    /** Glue job that writes what models are trained on. */
    exportFeaturesJob: string;
}

/** The bucket tag that holds each name. */
export const DEPLOYMENT_TAGS: Readonly<Record<keyof Deployment, string>> = {
    stage: 'flowlake:stage',
    database: 'flowlake:database',
    workgroup: 'flowlake:workgroup',
    summarizeQueue: 'flowlake:summarize-queue',
    summarizeDeadLetters: 'flowlake:summarize-dead-letters',
    consolidateQueue: 'flowlake:consolidate-queue',
    consolidateDeadLetters: 'flowlake:consolidate-dead-letters',
    consolidateDaysJob: 'flowlake:consolidate-days-job',
    exportFeaturesJob: 'flowlake:export-features-job',
};

/** The deployment that the bucket's tags describe, and the tags that are missing (none: it is whole). */
export function deploymentOf(tags: ReadonlyMap<string, string>): { deployment: Partial<Deployment>; missing: string[] } {
    const deployment: Partial<Deployment> = {};
    const missing: string[] = [];
    for (const [part, tag] of Object.entries(DEPLOYMENT_TAGS)) {
        const name = tags.get(tag);
        if (name === undefined || name === '') {
            missing.push(tag);
        } else {
            Object.assign(deployment, { [part]: name });
        }
    }
    return { deployment, missing };
}
