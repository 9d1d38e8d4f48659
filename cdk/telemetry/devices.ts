/**
 * IoT Core: the one policy that every device's certificate has, the rule that hands each message to the stream with every byte of it, what becomes of those that it
 * cannot hand on, and the daily look at certificates near their end. Devices themselves are made by `flowlake device add`.
 *
 * There is no rule for connects and disconnects: whether a device is there, its data says. A dead one keeps its session for up to half an hour, such events come
 * out of order or not at all, and each would cost a message and a write.
 */
import { Aws, Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnLogging, CfnPolicy, CfnTopicRule } from 'aws-cdk-lib/aws-iot';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { CREDENTIALS_PREFIX } from '#lake/layout';
import { type AlarmRule, ownMetric, type WatchedFunction } from '../alarms.ts';
import type { Graph } from '../dashboard.ts';
import { LakeFunction, logPolicyOf } from '../functions.ts';
import { grantKey } from '../lake-key.ts';
import type { Part, PartProps } from './part.ts';

/**
 * What of a message goes into the stream: all of its bytes, whatever they are, and what AWS knows of it. `SELECT *` would want JSON objects and write their numbers
 * anew. lake/cloud/kinesis-record.ts reads it.
 */
const ENVELOPE = "encode(*, 'base64') AS data, topic() AS topic, timestamp() AS at, clientid() AS client, principal() AS principal";

/** Log group that IoT Core writes to: https://docs.aws.amazon.com/iot/latest/developerguide/cloud-watch-logs.html */
const LOG_GROUP = 'AWSIotLogsV2';

export class Devices extends Construct implements Part {
    readonly watched: readonly WatchedFunction[];
    readonly rules: readonly AlarmRule[];
    readonly graphs: readonly Graph[];

    constructor(scope: Construct, id: string, props: PartProps) {
        super(scope, id);
        const { config, telemetry, names } = props;
        // It stays while devices are not let in: their certificates hold on to it.
        new CfnPolicy(this, 'policy', { policyName: names.devicePolicy, policyDocument: devicePolicy() });
        const certificates = this.createCertificateCheck(props);
        this.watched = [{ function: certificates }];
        const ending: AlarmRule = {
            name: 'certificates-ending',
            metric: ownMetric(certificates, 'CertificatesEnding', Stats.MAXIMUM),
            above: 0,
            // Its value comes once a day, and so does the alarm.
            times: 1,
            breaks: 'Devices have certificates that end within 30 days: from then on they cannot connect, and send nothing. The log names them.',
            type: 'device list',
        };
        if (!telemetry.isOn) {
            this.rules = [ending];
            this.graphs = [];
            return;
        }
        // Names of rules have no dash.
        const ruleName = `flowlake_${config.stage.replaceAll('-', '_')}_telemetry`;
        this.createRule(ruleName, props);
        this.createLogs(props);
        const told = (metricName: string, ActionType?: string): Metric =>
            new Metric({
                namespace: 'AWS/IoT',
                metricName,
                dimensionsMap: { RuleName: ruleName, ...(ActionType && { ActionType }) },
                statistic: Stats.SUM,
                period: Duration.minutes(5),
            });
        const failed = told('Failure', 'Kinesis');
        this.rules = [
            ending,
            {
                name: 'device-messages-lost',
                metric: told('ErrorActionFailure', 'SQS'),
                above: 0,
                times: 1,
                breaks: 'Messages of devices were acknowledged and are lost: IoT Core could hand them neither to the stream nor to the queue for what is given up. Its log says why.',
                type: 'doctor',
            },
            {
                name: 'device-messages-throttled',
                metric: told('RuleMessageThrottled'),
                above: 0,
                times: 1,
                breaks: 'Messages of devices were acknowledged and are lost: more came in a second than the account’s quota of rule evaluations lets IoT Core hand on. Ask AWS for more (docs/cloud.md).',
                type: 'doctor',
            },
            {
                name: 'device-messages-put-by',
                metric: failed,
                above: 0,
                times: 2,
                outOf: 3,
                breaks: 'IoT Core cannot hand messages of devices to the stream. They wait in the queue for what is given up, and come into the lake later than they should.',
                type: 'status',
            },
        ];
        this.graphs = [{ title: 'Messages of devices', metrics: [told('TopicMatch'), failed, told('RuleMessageThrottled')] }];
    }

    private createRule(ruleName: string, { stream, givenUpQueue, key }: PartProps): void {
        const ruleArn = `arn:${Aws.PARTITION}:iot:${Aws.REGION}:${Aws.ACCOUNT_ID}:rule/${ruleName}`;
        const role = new Role(this, 'rule-role', {
            assumedBy: new ServicePrincipal('iot.amazonaws.com', {
                conditions: { ArnEquals: { 'aws:SourceArn': ruleArn }, StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
            }),
        });
        role.addToPolicy(new PolicyStatement({ actions: ['kinesis:PutRecord'], resources: [stream.streamArn] }));
        role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [givenUpQueue.queue.queueArn] }));
        grantKey(key, role);
        const rule = new CfnTopicRule(this, 'rule', {
            ruleName,
            topicRulePayload: {
                description: 'Hands every message of devices to the stream, byte by byte',
                awsIotSqlVersion: '2016-03-23',
                // AWS’s own topics begin with a dollar sign; a wildcard does not take them in, which only a real account can confirm for rules.
                sql: `SELECT ${ENVELOPE} FROM '#' WHERE topic(1) <> '$aws'`,
                ruleDisabled: false,
                // The policy holds a client id to the thing, and that is the device: its messages stay in order.
                actions: [{ kinesis: { streamName: stream.streamName, partitionKey: `\${clientid()}`, roleArn: role.roleArn } }],
                errorAction: { sqs: { queueUrl: givenUpQueue.queue.queueUrl, roleArn: role.roleArn, useBase64: false } },
            },
        });
        // IoT Core tries the rights of a role when a rule is made.
        rule.node.addDependency(role);
    }

    private createLogs({ config, telemetry }: PartProps): void {
        const level = telemetry.deviceLogs ?? 'ERROR';
        if (level === 'of the account') {
            return;
        }
        const logs = new LogGroup(this, 'logs', {
            logGroupName: LOG_GROUP,
            retention: config.logDays,
            removalPolicy: logPolicyOf(config),
        });
        const role = new Role(this, 'log-role', {
            assumedBy: new ServicePrincipal('iot.amazonaws.com', { conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } } }),
        });
        logs.grantWrite(role);
        const logging = new CfnLogging(this, 'logging', { accountId: Aws.ACCOUNT_ID, defaultLogLevel: level, roleArn: role.roleArn });
        logging.node.addDependency(logs, role);
    }

    private createCertificateCheck({ config, lake, key, code }: PartProps): LakeFunction {
        const check = new LakeFunction(this, 'certificates', {
            job: 'certificates',
            config,
            codeFolder: code.certificates,
            memoryMb: 512,
            timeoutSeconds: 900,
            environment: { LAKE_BUCKET: lake.bucket.bucketName },
            key,
            ifFailing: 'Nobody looks whether certificates of devices end soon: a device whose certificate has ended cannot connect.',
        });
        lake.grantObjects(check.role, { get: [CREDENTIALS_PREFIX], put: [] });
        new Rule(this, 'daily', {
            description: 'Certificates of devices that end soon',
            schedule: Schedule.rate(Duration.days(1)),
            targets: [new LambdaTarget(check.lambda)],
        });
        return check;
    }
}

/**
 * What a device may do, the same for all of them. It connects as its own thing alone, so its client id says who sends. It may publish to any topic but those of AWS
 * and those of commands: what is not its own is put aside by whoever reads the stream. A refused message would close the connection, and every client would send it
 * again for ever, with nothing behind it getting through. No device gets what another one sends: it may subscribe to commands for itself alone, and none can send
 * those.
 */
function devicePolicy(): object {
    const own = `\${iot:Connection.Thing.ThingName}`;
    const resource = (name: string): string => `arn:${Aws.PARTITION}:iot:${Aws.REGION}:${Aws.ACCOUNT_ID}:${name}`;
    // It holds for connections by MQTT alone: by HTTPS to IoT Core nobody would know who sends.
    const isOfThing = { Bool: { 'iot:Connection.Thing.IsAttached': 'true' } };
    return {
        Version: '2012-10-17',
        Statement: [
            {
                Effect: 'Allow',
                Action: 'iot:Connect',
                Resource: resource(`client/${own}`),
                Condition: {
                    ...isOfThing,
                    // Sessions that outlast a connection, and wills: https://docs.aws.amazon.com/iot/latest/developerguide/connect-policy.html
                    'ForAllValues:StringEquals': { 'iot:ConnectAttributes': ['PersistentConnect', 'LastWill'] },
                },
            },
            { Effect: 'Allow', Action: ['iot:Publish', 'iot:RetainPublish'], Resource: resource('topic/*'), Condition: isOfThing },
            {
                Effect: 'Deny',
                Action: ['iot:Publish', 'iot:RetainPublish'],
                Resource: [resource('topic/$*'), resource('topic/cmd/*')],
            },
            {
                Effect: 'Allow',
                Action: 'iot:Subscribe',
                Resource: [resource(`topicfilter/cmd/${own}`), resource(`topicfilter/cmd/${own}/*`)],
            },
            { Effect: 'Allow', Action: 'iot:Receive', Resource: [resource(`topic/cmd/${own}`), resource(`topic/cmd/${own}/*`)] },
        ],
    };
}
