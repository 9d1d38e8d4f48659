/** What a device may do at IoT Core, what becomes of each message there, and what rings. */
import { describe, expect, test } from '@jest/globals';
import { ofType, type Resource, type Resources, synthesizeTelemetry, textOf } from './synthesized.ts';

const resources = synthesizeTelemetry();
const OWN = `\${iot:Connection.Thing.ThingName}`;
const HERE = 'arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>';

function only(all: Resources, type: string): Resource {
    const found = ofType(all, type).map(([, resource]) => resource);
    expect(found).toHaveLength(1);
    return found[0]!;
}

/** Rules of IoT Core that would lose what they cannot hand on, or any byte of it; each by its logical id. */
function leakyRules(all: Resources): string[] {
    return ofType(all, 'AWS::IoT::TopicRule')
        .filter(([, { Properties }]) => {
            const { ErrorAction, Sql, AwsIotSqlVersion, Actions, RuleDisabled } = Properties.TopicRulePayload;
            const isKept = ErrorAction?.Sqs?.QueueUrl?.Ref in all;
            const isWhole = Sql.startsWith("SELECT encode(*, 'base64') AS data, ") && AwsIotSqlVersion === '2016-03-23';
            return !(
                isKept &&
                isWhole &&
                Actions.length === 1 &&
                Actions[0].Kinesis.PartitionKey === `\${clientid()}` &&
                RuleDisabled === false
            );
        })
        .map(([id]) => id);
}

describe('the policy of devices', () => {
    const { Properties } = only(resources, 'AWS::IoT::Policy');
    const statements: any[] = Properties.PolicyDocument.Statement.map((one: any) => ({
        ...one,
        Action: [one.Action].flat(),
        Resource: [one.Resource].flat().map(textOf),
    }));
    const allowed = (action: string) => statements.filter(({ Effect, Action }) => Effect === 'Allow' && Action.includes(action));

    test('lets a device connect as its own thing alone', () => {
        expect(Properties.PolicyName).toBe('flowlake-dev-device');
        expect(allowed('iot:Connect')).toMatchObject([
            { Resource: [`${HERE}:client/${OWN}`], Condition: { Bool: { 'iot:Connection.Thing.IsAttached': 'true' } } },
        ]);
    });

    test('lets it publish, but nothing to AWS and no commands; so what it publishes comes to no other device', () => {
        expect(allowed('iot:Publish')).toMatchObject([
            { Resource: [`${HERE}:topic/*`], Condition: { Bool: { 'iot:Connection.Thing.IsAttached': 'true' } } },
        ]);
        const denied = statements.filter(({ Effect }) => Effect === 'Deny');
        expect(denied).toMatchObject([
            { Action: ['iot:Publish', 'iot:RetainPublish'], Resource: [`${HERE}:topic/$*`, `${HERE}:topic/cmd/*`] },
        ]);
        const readable = [...allowed('iot:Subscribe'), ...allowed('iot:Receive')].flatMap(({ Resource }) => Resource);
        expect(readable).toEqual(
            ['topicfilter', 'topic'].flatMap((kind) => [`${HERE}:${kind}/cmd/${OWN}`, `${HERE}:${kind}/cmd/${OWN}/*`]),
        );
    });

    test('gives it nothing else', () => {
        const actions = new Set(statements.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => Action));
        expect([...actions].sort()).toEqual(['iot:Connect', 'iot:Publish', 'iot:Receive', 'iot:RetainPublish', 'iot:Subscribe']);
    });

    test('is as short as AWS takes it', () => {
        expect(textOf(JSON.stringify(Properties.PolicyDocument)).length).toBeLessThan(2_048);
    });
});

describe('the rule', () => {
    test('takes every topic but AWS’s own, with every byte, and hands it to the stream by client id', () => {
        const { RuleName, TopicRulePayload } = only(resources, 'AWS::IoT::TopicRule').Properties;
        expect(RuleName).toBe('flowlake_dev_telemetry');
        expect(TopicRulePayload.Sql).toBe(
            "SELECT encode(*, 'base64') AS data, topic() AS topic, timestamp() AS at, clientid() AS client, principal() AS principal FROM '#' WHERE topic(1) <> '$aws'",
        );
        const stream = ofType(resources, 'AWS::Kinesis::Stream').find(([, one]) => one.Properties.Name === 'flowlake-dev-telemetry');
        expect(TopicRulePayload.Actions[0].Kinesis.StreamName).toEqual({ Ref: stream?.[0] });
        expect(textOf(TopicRulePayload.ErrorAction.Sqs.QueueUrl)).toMatch(/^<telemetrygivenupqueue/);
        expect(leakyRules(resources)).toEqual([]);
    });

    test.each<[string, (payload: any) => void]>([
        ['no error action', (payload) => delete payload.ErrorAction],
        ['an error action that goes nowhere', (payload) => (payload.ErrorAction.Sqs.QueueUrl = 'https://sqs.example/1/q')],
        ['JSON alone', (payload) => (payload.Sql = "SELECT *, topic(2) AS d FROM 'devices/#'")],
        ['the first version of the language', (payload) => delete payload.AwsIotSqlVersion],
        ['one partition for all', (payload) => (payload.Actions[0].Kinesis.PartitionKey = 'all')],
        ['no action', (payload) => payload.Actions.pop()],
        ['its switch off', (payload) => (payload.RuleDisabled = true)],
    ])('is found out with %s', (_, plant) => {
        const broken = structuredClone(resources);
        plant(only(broken, 'AWS::IoT::TopicRule').Properties.TopicRulePayload);
        expect(leakyRules(broken)).toHaveLength(1);
    });

    test('may put into this stream and this queue, as this rule of this account, and do nothing else', () => {
        const roles = ofType(resources, 'AWS::IAM::Role').filter(([id]) => id.startsWith('telemetrydevicesrulerole'));
        expect(roles).toHaveLength(1);
        const [[id, role] = ['', undefined]] = roles;
        const [trust] = role?.Properties.AssumeRolePolicyDocument.Statement ?? [];
        expect(textOf(trust.Condition.ArnEquals['aws:SourceArn'])).toBe(`${HERE}:rule/flowlake_dev_telemetry`);
        const rights = ofType(resources, 'AWS::IAM::Policy')
            .filter(([, { Properties }]) => Properties.Roles.some(({ Ref }: any) => Ref === id))
            .flatMap(([, { Properties }]) =>
                Properties.PolicyDocument.Statement.map(({ Action, Resource }: any) => [Action, textOf(Resource)]),
            );
        expect(rights).toEqual([
            ['kinesis:PutRecord', expect.stringMatching(/^<telemetrystream\w+\.Arn>$/)],
            ['sqs:SendMessage', expect.stringMatching(/^<telemetrygivenupqueue\w+\.Arn>$/)],
        ]);
    });
});

test('turned off, telemetry keeps the policy that certificates hold on to, and takes nothing in', () => {
    const off = synthesizeTelemetry({ telemetry: { isOn: false, hasProgramStream: true } });
    expect(ofType(off, 'AWS::IoT::Policy')).toHaveLength(1);
    expect(ofType(off, 'AWS::IoT::TopicRule')).toEqual([]);
    expect(ofType(off, 'AWS::IoT::Logging')).toEqual([]);
});

test('IoT Core’s log has an end, and is left alone where the account has its own', () => {
    expect(only(resources, 'AWS::IoT::Logging').Properties).toMatchObject({ DefaultLogLevel: 'ERROR' });
    const [log] = ofType(resources, 'AWS::Logs::LogGroup').filter(([, { Properties }]) => Properties.LogGroupName === 'AWSIotLogsV2');
    expect(log?.[1].Properties.RetentionInDays).toBe(30);
    const other = synthesizeTelemetry({ telemetry: { isOn: true, hasProgramStream: true, deviceLogs: 'of the account' } });
    expect(ofType(other, 'AWS::IoT::Logging')).toEqual([]);
});

test('what is lost, late or near its end rings', () => {
    const names = ofType(resources, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties.AlarmName);
    for (const name of ['certificates-ending', 'device-messages-lost', 'device-messages-throttled', 'device-messages-put-by']) {
        expect(names).toContain(`flowlake-dev-${name}`);
    }
    const rules = ofType(resources, 'AWS::Events::Rule').map(([, { Properties }]) => Properties);
    const [daily] = rules.filter(({ Targets = [] }) =>
        Targets.some(({ Arn }: any) => textOf(Arn).startsWith('<telemetrydevicescertificates')),
    );
    expect(daily).toMatchObject({ ScheduleExpression: 'rate(1 day)', State: 'ENABLED' });
});
