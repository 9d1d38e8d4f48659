/** docs/security.md says what is deployed. */

import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { namesOf, telemetryNamesOf } from '#cdk/config';
import { derivations, kinds, kindsWithInputs } from '#lake/kinds';
import { listOf, ofType, synthesize, synthesizeTelemetry, TELEMETRY, textOf } from './synthesized.ts';

const text = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8');
const resources = synthesize({ stage: 'prod' });
const live = synthesizeTelemetry({ stage: 'prod' });

/** What IAM holds to no resource, or only to ids that nobody knows before. */
const NAMELESS = new Set([
    'cloudwatch:DescribeAlarms',
    'cloudwatch:GetMetricData',
    'iot:CreateCertificateFromCsr',
    'iot:DescribeEndpoint',
    'iot:ListCertificates',
    'iot:ListThings',
    'iot:ListTopicRules',
    'lambda:GetEventSourceMapping',
    'logs:DescribeLogGroups',
]);

/** What the page calls the prefixes of every kind of data. */
const OF_EVERY_KIND = {
    contributions: kinds.map(({ contributions }) => `${contributions.prefix}*`),
    merged: kinds.map(({ merged }) => `${merged.prefix}*`),
    rejects: kinds.map(({ rejects }) => `${rejects.prefix}*`),
    derived: derivations().map(({ derived }) => `${derived.table.prefix}*`),
    inputs: kindsWithInputs().map(({ inputs }) => `${inputs.prefix}*`),
};

/** The prefixes as the page names them; where a role has not those of every kind, each by itself. */
function cellOf(prefixes: readonly string[]): string {
    const words = Object.entries(OF_EVERY_KIND).filter(([, ofKinds]) => ofKinds.every((prefix) => prefixes.includes(prefix)));
    const named = new Set(words.flatMap(([, ofKinds]) => ofKinds));
    const others = prefixes.filter((prefix) => !named.has(prefix)).map((prefix) => `\`${prefix}\``);
    return [...others, ...words.map(([word]) => word)].join(', ') || 'nothing';
}

test.each(['summarize', 'consolidate', 'consolidate-days'])('the row of %s names what its role may read, write and delete', (job) => {
    const cells = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'].map((action) => cellOf(prefixesOf(job, action)));
    expect(text).toContain(`| \`${job}\` (${job.includes('-') ? 'Glue job' : 'Lambda'}) | ${cells.join(' | ')} |`);
});

test('the row of export-features names what its role may read, write and delete: of flows alone', () => {
    const cells = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'].map((action) =>
        prefixesOf('export-features', action)
            .map((prefix) => `\`${prefix}\``)
            .join(', '),
    );
    expect(text).toContain(`| \`export-features\` (Glue job) | ${cells.join(' | ')} |`);
});

test('the words for prefixes of every kind say which those of flows are', () => {
    const [contributions, merged, rejects] = Object.values(OF_EVERY_KIND).map(([ofFlows]) => `\`${ofFlows}\``);
    expect(text).toContain(`of flows ${contributions}, ${merged} and ${rejects}.`);
});

function prefixesOf(job: string, action: string): string[] {
    const [, role] = ofType(resources, 'AWS::IAM::Policy').find(([id]) => id.startsWith(`${job.replace('-', '')}role`))!;
    return role.Properties.PolicyDocument.Statement.filter(({ Action }: any) => listOf(Action).includes(action))
        .flatMap(({ Resource }: any) => listOf<any>(Resource).map(textOf))
        .flatMap((arn: string) => /^<lakebucket\w+\.Arn>\/(.+)$/.exec(arn)?.[1] ?? []);
}

test('its policies are such as IAM takes, for parts that exist, and give nobody whole services', () => {
    const policies = [...text.matchAll(/```json\n(.*?)```/gs)].map(([, json = '']) => JSON.parse(json));
    expect(policies).toHaveLength(6);
    const names = namesOf({ stage: 'prod' });
    const known = [
        ':s3:::flowlake-prod-111122223333-eu-central-1(/([a-z_-]+/)?\\*)?',
        `:athena:eu-central-1:111122223333:workgroup/${names.workgroup}`,
        `:glue:eu-central-1:111122223333:(catalog|database/${names.database}|table/${names.database}/\\*)`,
        ...ofType(resources, 'AWS::Glue::Job').map(([, { Properties }]) => `:glue:eu-central-1:111122223333:job/${Properties.Name}`),
        ':sqs:eu-central-1:111122223333:flowlake-prod-\\*',
        ':logs:eu-central-1:111122223333:log-group:/flowlake/prod/\\*',
        `:iot:eu-central-1:111122223333:(thing/\\*|cert/\\*|client/\\*|policy/${telemetryNamesOf({ stage: 'prod', telemetry: TELEMETRY }).devicePolicy})`,
        `:dynamodb:eu-central-1:111122223333:table/${telemetryNamesOf({ stage: 'prod', telemetry: TELEMETRY }).stateTable}`,
        ':iam::111122223333:role/cdk-hnb659fds-\\*-role-111122223333-eu-central-1',
        ':cloudformation:eu-central-1:111122223333:stack/flowlake-prod/\\*',
        ':lambda:eu-central-1:111122223333:function:flowlake-prod-\\*',
        ':kinesis:eu-central-1:111122223333:stream/flowlake-prod-\\*',
        ':dynamodb:eu-central-1:111122223333:table/flowlake-prod-\\*',
        ...ofType(live, 'AWS::IoT::TopicRule').map(([, { Properties }]) => `:iot:eu-central-1:111122223333:rule/${Properties.RuleName}`),
    ];
    for (const { Effect, Action, Resource } of policies.flatMap(({ Statement }) => Statement)) {
        expect(Effect).toBe('Allow');
        expect(listOf<string>(Action).filter((action) => action.includes('*'))).toEqual([]);
        const isMetricOrList = listOf(Action).every((action) => NAMELESS.has(String(action)));
        for (const resource of listOf<string>(Resource)) {
            expect(resource).toMatch(isMetricOrList ? /^\*$/ : new RegExp(`^arn:aws(${known.join('|')})$`));
        }
    }
    const prefixes = new Set(text.match(/eu-central-1\/[a-z_-]+\/\*/g)?.map((match) => match.slice('eu-central-1/'.length)));
    expect([...prefixes].sort()).toEqual(
        [
            ...['athena-results/*', 'devices/*', 'ledger/*', 'raw/*', 'tries/*'],
            ...[
                OF_EVERY_KIND.contributions,
                OF_EVERY_KIND.merged,
                OF_EVERY_KIND.rejects,
                OF_EVERY_KIND.derived,
                OF_EVERY_KIND.inputs,
            ].flat(),
        ].sort(),
    );
});

test('the table of what a device may do is the policy of devices', () => {
    const [[, policy] = []] = ofType(synthesizeTelemetry(), 'AWS::IoT::Policy');
    const rows = text.slice(text.indexOf('## What a device may do')).split('## ')[1] ?? '';
    const statements: any[] = policy?.Properties.PolicyDocument.Statement;
    const allowed = statements.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => listOf<string>(Action));
    const told = [...rows.matchAll(/`(iot:\w+)`/g)].map(([, action]) => action);
    expect(told).toEqual(allowed);
    for (const resource of statements.filter(({ Effect }) => Effect === 'Deny').flatMap(({ Resource }) => Resource)) {
        expect(rows).toContain(`\`${textOf(resource).split(':topic/')[1]}\``);
    }
});
