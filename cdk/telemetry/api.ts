/** The API of live telemetry: HTTP for messages and questions, WebSocket for events, who may call it, and the functions behind it. */
import { Aws, CfnOutput, Duration, RemovalPolicy, Stack, Tags, Validations } from 'aws-cdk-lib';
import {
    CfnApi,
    HttpApi,
    HttpMethod,
    HttpNoneAuthorizer,
    HttpRoute,
    HttpRouteKey,
    HttpStage,
    LogGroupLogDestination,
    WebSocketApi,
    WebSocketStage,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaAuthorizer, HttpLambdaResponseType } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration, WebSocketLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { LOG_PART, SOCKET_TABLE } from '#lake/cloud/socket-table';
import { STATE_TABLE } from '#lake/cloud/state-table';
import { TELEMETRY_TAGS } from '#lake/deployment';
import { tables } from '#lake/kinds';
import { CREDENTIALS_PREFIX, DEVICES_PREFIX } from '#lake/layout';
import { type AlarmRule, ownMetric, PERIOD } from '../alarms.ts';
import type { TelemetryJob } from '../bundle-lambda.ts';
import type { Graph } from '../dashboard.ts';
import { LakeFunction, logPolicyOf } from '../functions.ts';
import { RESULTS_PREFIX } from '../lake-bucket.ts';
import { grantKey } from '../lake-key.ts';
import type { Part, PartProps } from './part.ts';
import type { Readers } from './readers.ts';
import { grantPut } from './stream.ts';
import { createTable } from './table.ts';

/** How long API Gateway believes what the authorizer said of a token: a revoked one is nobody's within a minute. */
const TOKEN_BELIEVED = Duration.seconds(60);

/** API Gateway waits for half a minute, and a function that takes longer works for nobody. */
const ANSWER_SECONDS = 29;

/** Requests a second, of all clients. Default of TelemetryConfig.requestsPerSecond. */
const REQUESTS_PER_SECOND = 1_000;

/** WebSocket connections and messages a second. */
const SOCKET_RATE = { rateLimit: 100, burstLimit: 200 };

/** Prefix of profiles, as lake/telemetry/kind.ts has it. */
const PROFILES_PREFIX = 'profiles/';

/** Tables that questions for readings go to. */
const ASKED_PREFIXES = tables.filter(({ name }) => ['readings', 'metric_hours'].includes(name)).map(({ prefix }) => prefix);

const SOCKET_STAGE = 'live';

export class Api extends Construct implements Part {
    readonly watched: Part['watched'];
    readonly rules: readonly AlarmRule[];
    readonly graphs: readonly Graph[];
    readonly #props: PartProps;

    constructor(scope: Construct, id: string, { readers, ...props }: PartProps & { readers: Readers }) {
        super(scope, id);
        this.#props = props;
        const { names, lake, stream, stateTable, key } = props;
        // Connections and the last hour of events: nothing that is worth keeping.
        const socketTable = createTable(this, 'sockets', {
            ...{ name: `flowlake-${names.stage}-sockets`, shape: SOCKET_TABLE, key },
            removalPolicy: RemovalPolicy.DESTROY,
        });
        const readersOf = { READERS_ISSUER: readers.issuer, READERS_AUDIENCE: readers.audience };

        const authorize = this.#createFunction('authorize', {
            memoryMb: 512,
            environment: readersOf,
            ifFailing:
                'Messages that come by HTTP are answered with an error, because nobody can tell whose they are: devices that keep them send them again.',
        });
        lake.grantObjects(authorize.role, { get: [CREDENTIALS_PREFIX], put: [] });

        const intake = this.#createFunction('intake', {
            memoryMb: 1024,
            environment: { STREAM: names.stream },
            ifFailing: 'Messages that come by HTTP are not taken: devices that keep them send them again.',
        });
        lake.grantObjects(intake.role, { get: [DEVICES_PREFIX, PROFILES_PREFIX], put: [] });
        grantPut(stream, { role: intake.role, key });

        const api = this.#createFunction('api', {
            memoryMb: 1024,
            environment: {
                ...readersOf,
                STATE_TABLE: names.stateTable,
                SOCKET_TABLE: socketTable.tableName,
                DATABASE: names.database,
                WORKGROUP: names.workgroup,
            },
            ifFailing: 'People and dashboards see no latest state, no readings and no alerts. Messages are taken in all the same.',
        });
        lake.grantObjects(api.role, {
            get: [CREDENTIALS_PREFIX, DEVICES_PREFIX, PROFILES_PREFIX, ...ASKED_PREFIXES, RESULTS_PREFIX],
            put: [RESULTS_PREFIX],
        });
        this.#grantQuestions(api);
        grantItems(api, stateTable, ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem'], Object.keys(STATE_TABLE.indexes));
        grantItems(api, socketTable, ['GetItem', 'PutItem']);

        const push = this.#createFunction('push', {
            memoryMb: 512,
            environment: { SOCKET_TABLE: socketTable.tableName },
            ifFailing: 'Who listens by WebSocket is told of events late or not at all; alerts go to SNS all the same.',
        });
        grantKey(key, push.role);
        grantItems(push, socketTable, ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query']);
        // What changes in latest state, and then what was added to the log of events.
        follow(push, stateTable, {
            eventName: FilterRule.or('INSERT', 'MODIFY'),
            dynamodb: { NewImage: { is: { S: FilterRule.or('device', 'events') } } },
        });
        follow(push, socketTable, {
            eventName: FilterRule.isEqual('INSERT'),
            dynamodb: { Keys: { part: { S: FilterRule.isEqual(LOG_PART) } } },
        });

        const http = this.#createHttpApi({ authorize, intake, api });
        const socket = this.#createSocketApi({ api, push });
        Tags.of(lake.bucket).add(TELEMETRY_TAGS.apiUrl, http.apiEndpoint);
        this.#say('ApiUrl', http.apiEndpoint, 'The HTTP API');
        this.#say('LiveUrl', `${socket.apiEndpoint}/${SOCKET_STAGE}`, 'Live events by WebSocket');

        this.watched = [authorize, intake, api, push].map((one) => ({ function: one }));
        this.rules = [
            {
                name: 'api-broken',
                metric: http.metricServerError({ statistic: Stats.SUM, period: PERIOD }),
                above: 0,
                times: 3,
                breaks: 'The API answers requests with errors of its own, for a quarter of an hour: devices that send by HTTP keep their messages, and people see nothing.',
                type: `status, and read why: aws logs tail ${intake.logGroupName} --since 1h (and ${api.logGroupName})`,
            },
            {
                name: 'live-events-behind',
                metric: push.lambda.metric('IteratorAge', { statistic: Stats.MAXIMUM, period: PERIOD }),
                above: Duration.minutes(1).toMilliseconds(),
                times: 3,
                breaks: push.ifFailing,
                type: `status, and read why: aws logs tail ${push.logGroupName} --since 1h`,
            },
            {
                name: 'live-events-unreadable',
                metric: ownMetric(push, 'EventsUnreadable', Stats.SUM),
                above: 0,
                times: 1,
                breaks: 'A change of latest state could not be read as an event: who listens by WebSocket was not told of it.',
                type: `status, and read which: aws logs tail ${push.logGroupName} --since 1h`,
            },
        ];
        this.graphs = [
            {
                title: 'Requests to the API; those that are refused, and broken',
                metrics: [http.metricCount(), http.metricClientError(), http.metricServerError()],
            },
            {
                title: 'Answers of the API, p50 and p99 (ms)',
                metrics: [http.metricLatency({ statistic: 'p50' }), http.metricLatency({ statistic: 'p99' })],
            },
            {
                title: 'Events told by WebSocket; connections that ended',
                metrics: ['EventsTold', 'SocketsEnded'].map((name) => ownMetric(push, name, Stats.SUM)),
            },
        ];
    }

    #createFunction(
        job: TelemetryJob,
        props: Pick<ConstructorParameters<typeof LakeFunction>[2], 'memoryMb' | 'environment' | 'ifFailing'>,
    ): LakeFunction {
        const { config, code, key, lake } = this.#props;
        const { environment, ...more } = props;
        return new LakeFunction(this, job, {
            ...{ job, config, key, codeFolder: code[job], timeoutSeconds: ANSWER_SECONDS, ...more },
            environment: { LAKE_BUCKET: lake.bucket.bucketName, ...environment },
        });
    }

    #createHttpApi({ authorize, intake, api }: Record<'authorize' | 'intake' | 'api', LakeFunction>): HttpApi {
        const { config, names, telemetry, key } = this.#props;
        const http = new HttpApi(this, 'http', {
            apiName: names.api,
            description: `Messages, latest state and alerts of the lake flowlake-${names.stage}`,
            // No CORS: a dashboard stands beside the API under one name.
            createDefaultStage: false,
        });
        const logs = new LogGroup(this, 'access-logs', {
            logGroupName: `/flowlake/${names.stage}/api-access`,
            retention: config.logDays,
            removalPolicy: logPolicyOf(config),
            ...(key && { encryptionKey: key }),
        });
        const rateLimit = telemetry.requestsPerSecond ?? REQUESTS_PER_SECOND;
        new HttpStage(this, 'stage', {
            httpApi: http,
            stageName: '$default',
            autoDeploy: true,
            detailedMetricsEnabled: true,
            throttle: { rateLimit, burstLimit: rateLimit * 2 },
            accessLogSettings: { destination: new LogGroupLogDestination(logs) },
        });
        new HttpRoute(this, 'telemetry', {
            httpApi: http,
            routeKey: HttpRouteKey.with('/v1/telemetry', HttpMethod.POST),
            integration: new HttpLambdaIntegration('intake', intake.lambda),
            authorizer: new HttpLambdaAuthorizer('tokens', authorize.lambda, {
                authorizerName: `flowlake-${names.stage}-tokens`,
                responseTypes: [HttpLambdaResponseType.SIMPLE],
                identitySource: ['$request.header.Authorization'],
                resultsCacheTtl: TOKEN_BELIEVED,
            }),
        });
        const questions = new HttpRoute(this, 'questions', {
            httpApi: http,
            routeKey: HttpRouteKey.with('/v1/{proxy+}', HttpMethod.ANY),
            integration: new HttpLambdaIntegration('api', api.lambda),
            authorizer: new HttpNoneAuthorizer(),
        });
        Validations.of(questions).acknowledge({
            id: 'AwsSolutions-APIG4',
            reason:
                'The function checks the token by itself: readers have a JWT, devices a token of the lake for their own values, and a refusal says why (RFC 9457), ' +
                'which API Gateway’s authorizers cannot.',
        });
        return http;
    }

    #createSocketApi({ api, push }: Record<'api' | 'push', LakeFunction>): WebSocketApi {
        const { names } = this.#props;
        const socket = new WebSocketApi(this, 'socket', {
            apiName: `flowlake-${names.stage}-live`,
            description: `Live events of the lake flowlake-${names.stage}`,
            connectRouteOptions: { integration: new WebSocketLambdaIntegration('connect', api.lambda) },
            disconnectRouteOptions: { integration: new WebSocketLambdaIntegration('disconnect', push.lambda) },
            defaultRouteOptions: { integration: new WebSocketLambdaIntegration('follow', push.lambda) },
        });
        const stage = new WebSocketStage(this, 'socket-stage', {
            webSocketApi: socket,
            stageName: SOCKET_STAGE,
            autoDeploy: true,
            throttle: SOCKET_RATE,
        });
        Validations.of(socket).acknowledge({
            id: 'AwsSolutions-APIG4',
            reason: 'The function behind $connect checks the token or the ticket; a message comes over a connection that it has let in.',
        });
        Validations.of(stage).acknowledge({
            id: 'AwsSolutions-APIG1',
            reason: 'Logs of a WebSocket API need a role in the settings of the whole account, which no stack of ours changes; the functions log whom they refuse.',
        });
        push.lambda.addEnvironment('SOCKET_ENDPOINT', stage.callbackUrl);
        const ofStage = `execute-api:${Aws.REGION}:${Aws.ACCOUNT_ID}:${socket.apiId}/${SOCKET_STAGE}`;
        const resources = ['POST', 'DELETE'].map((method) => `arn:${Aws.PARTITION}:${ofStage}/${method}/@connections/*`);
        push.role.addToPolicy(new PolicyStatement({ actions: ['execute-api:ManageConnections'], resources }));
        for (const method of ['POST', 'DELETE']) {
            const shown = `arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<${Stack.of(this).getLogicalId(cfnApiOf(socket))}>`;
            Validations.of(push.role).acknowledge({
                id: `AwsSolutions-IAM5[Resource::${shown}/${SOCKET_STAGE}/${method}/@connections/*]`,
                reason: 'Nobody knows the ids of connections before clients connect; the right ends at the stage.',
            });
        }
        return socket;
    }

    /** Lets a function ask Athena for what stands in the lake's own tables. */
    #grantQuestions({ role }: LakeFunction): void {
        const { names, lake } = this.#props;
        const { database, workgroup } = names;
        const glue = `arn:${Aws.PARTITION}:glue:${Aws.REGION}:${Aws.ACCOUNT_ID}`;
        role.addToPolicy(
            new PolicyStatement({
                actions: ['athena:StartQueryExecution', 'athena:GetQueryExecution', 'athena:GetQueryResults', 'athena:StopQueryExecution'],
                resources: [`arn:${Aws.PARTITION}:athena:${Aws.REGION}:${Aws.ACCOUNT_ID}:workgroup/${workgroup}`],
            }),
        );
        role.addToPolicy(
            new PolicyStatement({
                actions: ['glue:GetDatabase', 'glue:GetTable', 'glue:GetPartitions'],
                resources: [
                    `${glue}:catalog`,
                    `${glue}:database/${database}`,
                    ...['readings', 'metric_hours'].map((table) => `${glue}:table/${database}/${table}`),
                ],
            }),
        );
        role.addToPolicy(new PolicyStatement({ actions: ['s3:GetBucketLocation'], resources: [lake.bucket.bucketArn] }));
    }

    #say(name: string, value: string, description: string): void {
        new CfnOutput(Stack.of(this), name, { value, description });
    }
}

/** Lets a function do these things with the records of a table, and of its indexes where they are named. */
function grantItems({ role }: LakeFunction, table: Table, actions: readonly string[], indexes: readonly string[] = []): void {
    role.addToPolicy(
        new PolicyStatement({
            actions: actions.map((action) => `dynamodb:${action}`),
            resources: [table.tableArn, ...indexes.map((name) => `${table.tableArn}/index/${name}`)],
        }),
    );
}

function cfnApiOf(api: WebSocketApi): CfnApi {
    const child = api.node.defaultChild;
    if (!(child instanceof CfnApi)) {
        throw new TypeError('the construct holds no AWS::ApiGatewayV2::Api: aws-cdk-lib changed, see its release notes');
    }
    return child;
}

/** Has a function told of those changes of a table that the filter lets through, from now on, and again until it has taken them. */
function follow(worker: LakeFunction, table: Table, filter: Record<string, unknown>): void {
    const stream = table.tableStreamArn;
    if (stream === undefined) {
        throw new TypeError(`table ${table.tableName} has no stream`);
    }
    new EventSourceMapping(worker, `${table.node.id}-changes`, {
        target: worker.lambda,
        eventSourceArn: stream,
        startingPosition: StartingPosition.LATEST,
        batchSize: 500,
        // One at a time of a shard: events get their numbers in the order in which they were written.
        parallelizationFactor: 1,
        filters: [FilterCriteria.filter(filter)],
    });
    worker.role.addToPolicy(
        new PolicyStatement({
            actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
            resources: [stream],
        }),
    );
}
