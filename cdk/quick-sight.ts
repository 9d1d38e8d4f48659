/** QuickSight over the lake, where a stage wants it: a data source with rights of its own, data sets that ask Athena, and an analysis of them. */
import { Aws } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnAnalysis, CfnDataSet, CfnDataSource } from 'aws-cdk-lib/aws-quicksight';
import { Construct } from 'constructs';
import type { Deployment } from '#lake/deployment';
import { tables } from '#lake/kinds';
import { VIEW_NAMES } from '#lake/query/sql-files';
import type { QuickSightConfig } from './config.ts';
import { type LakeBucket, RESULTS_PREFIX } from './lake-bucket.ts';
import { analysisOf } from './quick-sight-analysis.ts';
import { dataSetsOf, type QuickSightDataSet } from './quick-sight-data.ts';

interface QuickSightProps {
    quickSight: QuickSightConfig;
    names: Deployment;
    lake: LakeBucket;
}

/** What QuickSight calls the right to use something, and to have it: https://docs.aws.amazon.com/quicksight/latest/developerguide/set-permissions.html */
const MAY_USE = {
    dataSource: ['DescribeDataSource', 'DescribeDataSourcePermissions', 'PassDataSource'],
    dataSet: ['DescribeDataSet', 'DescribeDataSetPermissions', 'PassDataSet', 'DescribeIngestion', 'ListIngestions'],
    analysis: [
        'DescribeAnalysis',
        'QueryAnalysis',
        'UpdateAnalysis',
        'RestoreAnalysis',
        'DeleteAnalysis',
        'DescribeAnalysisPermissions',
        'UpdateAnalysisPermissions',
    ],
} as const;

export class QuickSight extends Construct {
    constructor(scope: Construct, id: string, { quickSight, names, lake }: QuickSightProps) {
        super(scope, id);
        const name = `flowlake-${names.stage}`;
        const permissionsOf = (what: keyof typeof MAY_USE) =>
            quickSight.people.map((principal) => ({ principal, actions: MAY_USE[what].map((action) => `quicksight:${action}`) }));
        const role = createRole(this, { names, lake });
        const source = new CfnDataSource(this, 'source', {
            awsAccountId: Aws.ACCOUNT_ID,
            dataSourceId: name,
            name,
            type: 'ATHENA',
            // The role of this source, instead of the one that the account has for all of QuickSight.
            dataSourceParameters: { athenaParameters: { workGroup: names.workgroup, roleArn: role.roleArn } },
            sslProperties: { disableSsl: false },
            permissions: permissionsOf('dataSource'),
        });
        // QuickSight tries the source when it is made.
        source.node.addDependency(role);
        const sets = dataSetsOf({ database: names.database, days: quickSight.days }).map((set) => {
            const made = createDataSet(this, { set, name, source });
            made.permissions = permissionsOf('dataSet');
            return { set, arn: made.attrArn };
        });
        new CfnAnalysis(this, 'analysis', {
            awsAccountId: Aws.ACCOUNT_ID,
            analysisId: name,
            name,
            definition: analysisOf({ sets, days: quickSight.days }),
            permissions: permissionsOf('analysis'),
            validationStrategy: { mode: 'STRICT' },
        });
    }
}

function createDataSet(
    scope: Construct,
    { set, name, source }: { set: QuickSightDataSet; name: string; source: CfnDataSource },
): CfnDataSet {
    return new CfnDataSet(scope, set.name, {
        awsAccountId: Aws.ACCOUNT_ID,
        dataSetId: `${name}-${set.name}`,
        name: `${name} ${set.name}`,
        // Athena is asked at each look: no copy in QuickSight that could be older than the lake.
        importMode: 'DIRECT_QUERY',
        physicalTableMap: {
            // Its own name for the table, which may have no underscore.
            [set.name.replaceAll('_', '-')]: {
                customSql: {
                    dataSourceArn: source.attrArn,
                    name: set.name,
                    sqlQuery: set.sql,
                    columns: set.columns.map(({ name: column, type }) => ({ name: column, type })),
                },
            },
        },
    });
}

/** The role in which QuickSight asks Athena: it reads tables and writes answers. */
function createRole(scope: Construct, { names, lake }: Pick<QuickSightProps, 'names' | 'lake'>): Role {
    const role = new Role(scope, 'role', {
        assumedBy: new ServicePrincipal('quicksight.amazonaws.com', {
            conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
        }),
        description: `Asks the lake flowlake-${names.stage} for QuickSight`,
    });
    lake.grantObjects(role, { get: [...tables.map(({ prefix }) => prefix), RESULTS_PREFIX], put: [RESULTS_PREFIX] });
    const arn = (service: string, resource: string) => `arn:${Aws.PARTITION}:${service}:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}`;
    role.addToPolicy(new PolicyStatement({ actions: ['s3:GetBucketLocation'], resources: [lake.bucket.bucketArn] }));
    role.addToPolicy(
        new PolicyStatement({
            actions: [
                'athena:GetWorkGroup',
                'athena:StartQueryExecution',
                'athena:GetQueryExecution',
                'athena:GetQueryResults',
                'athena:GetQueryResultsStream',
                'athena:StopQueryExecution',
            ],
            resources: [arn('athena', `workgroup/${names.workgroup}`)],
        }),
    );
    role.addToPolicy(
        new PolicyStatement({
            actions: ['glue:GetDatabase', 'glue:GetTable', 'glue:GetTables', 'glue:GetPartitions'],
            resources: [
                arn('glue', 'catalog'),
                arn('glue', `database/${names.database}`),
                ...[...tables.map(({ name }) => name), ...VIEW_NAMES].map((relation) => arn('glue', `table/${names.database}/${relation}`)),
            ],
        }),
    );
    return role;
}
