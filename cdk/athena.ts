/** The Athena workgroup, where questions are asked, with its limits; the questions with parameters as saved queries. */
import { Aws } from 'aws-cdk-lib';
import { CfnNamedQuery, CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Deployment } from '#lake/deployment';
import { QUERY_NAMES, readQuery } from '#lake/query/sql-files';
import type { StageConfig } from './config.ts';
import { RESULTS_PREFIX } from './lake-bucket.ts';

interface AthenaProps {
    config: StageConfig;
    names: Deployment;
    bucket: IBucket;
    key?: Key | undefined;
}

export class Athena extends Construct {
    constructor(scope: Construct, id: string, { config, names, bucket, key }: AthenaProps) {
        super(scope, id);
        const workgroup = new CfnWorkGroup(this, 'workgroup', {
            name: names.workgroup,
            description: `SQL over the lake flowlake-${config.stage}`,
            // What was asked goes with the lake; the results are objects of the bucket.
            recursiveDeleteOption: true,
            workGroupConfiguration: {
                // Else a client could write its results elsewhere, in the clear, and read without a limit.
                enforceWorkGroupConfiguration: true,
                publishCloudWatchMetricsEnabled: true,
                bytesScannedCutoffPerQuery: config.maxScanBytes,
                engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
                resultConfiguration: {
                    outputLocation: bucket.s3UrlForObject(RESULTS_PREFIX),
                    expectedBucketOwner: Aws.ACCOUNT_ID,
                    encryptionConfiguration: key ? { encryptionOption: 'SSE_KMS', kmsKey: key.keyArn } : { encryptionOption: 'SSE_S3' },
                },
            },
        });
        for (const name of QUERY_NAMES) {
            const sql = readQuery(name);
            const query = new CfnNamedQuery(this, name, {
                name,
                description: headCommentOf(sql),
                database: names.database,
                queryString: sql,
                workGroup: names.workgroup,
            });
            query.addResourceDependency(workgroup);
        }
    }
}

/** The head of a file of SQL: its first lines of comment, as one. */
function headCommentOf(sql: string): string {
    const [head = ''] = /^(?:-- .*\n)+/.exec(sql) ?? [];
    return head.replace(/^-- /gm, '').trim().replaceAll('\n', ' ');
}
