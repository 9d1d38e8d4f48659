/** The Spark jobs of a stage with telemetry: who starts them, what they may do, and who hears of it when they fail. */
import { expect, test } from '@jest/globals';
import { Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { HOUSE_RULES } from './house-rules.ts';
import { createStack, ofType, synthesize, synthesizeTelemetry, TELEMETRY, textOf } from './synthesized.ts';

const resources = synthesizeTelemetry();

const propertiesOf = (type: string) => ofType(resources, type).map(([, { Properties }]) => Properties);

/** Statements of all policies of a role, by the description of the role or by its function. */
function statementsOf(isRole: (properties: any) => boolean): { Action: string | string[]; Resource: any; Condition?: object }[] {
    const roles = ofType(resources, 'AWS::IAM::Role')
        .filter(([, { Properties }]) => isRole(Properties))
        .map(([id]) => id);
    expect(roles).toHaveLength(1);
    return propertiesOf('AWS::IAM::Policy')
        .filter(({ Roles }) => Roles.some(({ Ref }: { Ref: string }) => Ref === roles[0]))
        .flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

const saying = (statements: ReturnType<typeof statementsOf>, action: string): string[] =>
    statements
        .filter(({ Action }) => [Action].flat().includes(action))
        .flatMap(({ Resource }) => [Resource].flat().map(textOf))
        .map((text) => text.replace(/^<lakebucket\w+\.Arn>\//, ''))
        .sort();

test('nobody starts a job by hand: a trigger each night, for days back, of jobs that run once at a time', () => {
    const triggers = propertiesOf('AWS::Glue::Trigger');
    expect(triggers.map(({ Type, Schedule, StartOnCreation, Actions }) => ({ Type, Schedule, StartOnCreation, Actions }))).toEqual([
        {
            ...{ Type: 'SCHEDULED', Schedule: 'cron(30 2 * * ? *)', StartOnCreation: true },
            Actions: [{ JobName: 'flowlake-dev-transform-readings', Arguments: { '--from': '30-days-ago', '--to': 'yesterday' } }],
        },
        {
            ...{ Type: 'SCHEDULED', Schedule: 'cron(0 3 * * ? *)', StartOnCreation: true },
            Actions: [{ JobName: 'flowlake-dev-wide-tables', Arguments: { '--from': '30-days-ago', '--to': 'yesterday' } }],
        },
    ]);
    const jobs = new Map(propertiesOf('AWS::Glue::Job').map(({ Name, ExecutionProperty }) => [Name, ExecutionProperty.MaxConcurrentRuns]));
    expect(triggers.flatMap(({ Actions }) => Actions.map(({ JobName }: any) => jobs.get(JobName)))).toEqual([1, 1]);
    expect(jobs.get('flowlake-dev-consolidate-days')).toBe(1);
});

test('what is too large for the function that consolidates it hands to the job, and it may start no other', () => {
    const consolidate = propertiesOf('AWS::Lambda::Function').find(({ FunctionName }) => FunctionName === 'flowlake-dev-consolidate');
    expect(consolidate.Environment.Variables.CONSOLIDATE_DAYS_JOB).toBe('flowlake-dev-consolidate-days');
    const started = propertiesOf('AWS::IAM::Policy')
        .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
        .filter(({ Action }) => [Action].flat().some((action: string) => action === 'glue:StartJobRun'));
    expect(started.map(({ Resource }) => textOf(Resource))).toEqual([
        'arn:<AWS::Partition>:glue:<AWS::Region>:<AWS::AccountId>:job/flowlake-dev-consolidate-days',
    ]);
});

test('each job may read what it is made of, and write what it makes', () => {
    const wide = statementsOf(({ Description }) => String(Description).startsWith('Writes the wide tables'));
    expect(saying(wide, 's3:GetObject').filter((one) => !one.startsWith('arn:'))).toEqual([
        '_flowlake*',
        'ledger/*',
        'profiles/*',
        'raw/kind=telemetry/*',
        'wide/*',
        'wide_columns/*',
    ]);
    expect(saying(wide, 's3:PutObject')).toEqual(['_flowlake*', 'wide/*', 'wide_columns/*']);
    // What is remembered of columns is never taken away.
    expect(saying(wide, 's3:DeleteObject')).toEqual(['_flowlake*', 'wide/*']);
    expect(saying(wide, 'glue:StartCrawler')).toEqual([
        'arn:<AWS::Partition>:glue:<AWS::Region>:<AWS::AccountId>:crawler/flowlake-dev-wide-tables',
    ]);
    const readings = statementsOf(({ Description }) => String(Description).startsWith('Reads days of telemetry anew'));
    expect(saying(readings, 's3:PutObject')).toEqual(['_flowlake*', 'exports/readings/*']);
    expect(saying(readings, 's3:GetObject')).toContain('devices/*');
    const crawler = statementsOf(({ Description }) => String(Description).startsWith('Crawls the wide tables'));
    expect(saying(crawler, 's3:GetObject')).toEqual(['wide/*']);
    expect(saying(crawler, 's3:PutObject')).toEqual([]);
    expect(saying(crawler, 'glue:DeleteTable')).toEqual([]);
});

test('the crawler adds columns and never changes or drops one, a table for each folder of wide/', () => {
    const [crawler] = propertiesOf('AWS::Glue::Crawler');
    expect(crawler).toMatchObject({
        Name: 'flowlake-dev-wide-tables',
        DatabaseName: 'flowlake_dev',
        TablePrefix: 'wide_',
        SchemaChangePolicy: { UpdateBehavior: 'UPDATE_IN_DATABASE', DeleteBehavior: 'LOG' },
    });
    expect(textOf(crawler.Targets.S3Targets[0].Path)).toMatch(/^s3:\/\/<lakebucket\w+>\/wide\/$/);
    expect(JSON.parse(crawler.Configuration)).toEqual({
        Version: 1,
        CrawlerOutput: { Tables: { AddOrUpdateBehavior: 'MergeNewColumns' }, Partitions: { AddOrUpdateBehavior: 'InheritFromTable' } },
        Grouping: { TableLevelConfiguration: 3 },
    });
    const [job] = propertiesOf('AWS::Glue::Job').filter(({ Name }) => Name === 'flowlake-dev-wide-tables');
    expect(job.DefaultArguments).toMatchObject({ '--crawler': crawler.Name, '--stage': 'dev' });
});

test('a field that no column can hold rings, and so does a run that failed', () => {
    const alarms = new Map(propertiesOf('AWS::CloudWatch::Alarm').map(({ AlarmName, ...alarm }) => [AlarmName, alarm]));
    expect(alarms.get('flowlake-dev-wide-fields-rejected')).toMatchObject({
        Namespace: 'flowlake',
        MetricName: 'WideFieldsRejected',
        Dimensions: [
            { Name: 'service', Value: 'wide-tables' },
            { Name: 'stage', Value: 'dev' },
        ],
        Threshold: 0,
    });
    const [rule] = propertiesOf('AWS::Events::Rule').filter(({ Name }) => Name === 'flowlake-dev-failed-jobs');
    expect(rule.EventPattern).toMatchObject({ source: ['aws.glue'], detail: { state: ['FAILED', 'TIMEOUT', 'STOPPED'] } });
    expect(rule.EventPattern.detail.jobName).toEqual(
        propertiesOf('AWS::Glue::Job')
            .map(({ Name }) => Name)
            .filter((name) => !name.endsWith('export-features'))
            .sort((a, b) => rule.EventPattern.detail.jobName.indexOf(a) - rule.EventPattern.detail.jobName.indexOf(b)),
    );
    expect(alarms.get('flowlake-dev-failed-jobs')).toMatchObject({
        Namespace: 'AWS/Events',
        Dimensions: [{ Name: 'RuleName', Value: rule.Name }],
    });
});

test('the index of chain objects is noted by who summarizes, who may look at and change single items', () => {
    const summarize = propertiesOf('AWS::Lambda::Function').find(({ FunctionName }) => FunctionName === 'flowlake-dev-summarize');
    expect(summarize.Environment.Variables.DATASETS_TABLE).toBe('flowlake-dev-datasets');
    const [table] = propertiesOf('AWS::DynamoDB::Table').filter(({ TableName }) => TableName === 'flowlake-dev-datasets');
    expect(table).toMatchObject({
        KeySchema: [
            { AttributeName: 'chain', KeyType: 'HASH' },
            { AttributeName: 'place', KeyType: 'RANGE' },
        ],
        GlobalSecondaryIndexes: [{ IndexName: 'arrivals' }],
    });
});

test('a stage without telemetry has none of it', () => {
    const plain = synthesize();
    for (const type of ['AWS::Glue::Trigger', 'AWS::Glue::Crawler', 'AWS::DynamoDB::Table']) {
        expect(ofType(plain, type)).toEqual([]);
    }
    expect(
        ofType(plain, 'AWS::Glue::Job')
            .map(([, { Properties }]) => Properties.Name)
            .sort(),
    ).toEqual(['flowlake-dev-consolidate-days', 'flowlake-dev-export-features']);
});

test.each(Object.entries(HOUSE_RULES))('with telemetry too: %s', (_, rule) => {
    expect(rule(resources).filter((one) => /glue|Glue|datasets/.test(one))).toEqual([]);
});

test('cdk-nag agrees', () => {
    const { app } = createStack({ changes: { telemetry: TELEMETRY } });
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).not.toThrow();
});
