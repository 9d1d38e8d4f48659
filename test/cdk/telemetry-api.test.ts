/** The API in the template: who may call what, and what its functions may do. */
import { describe, expect, test } from '@jest/globals';
import { GUARDED, listOf, ofType, type Resource, synthesizeTelemetry, TELEMETRY, textOf } from './synthesized.ts';

const resources = synthesizeTelemetry();

const propertiesOf = (type: string, all = resources): any[] => ofType(all, type).map(([, { Properties }]) => Properties);

const functionOf = (job: string): [string, Resource] =>
    ofType(resources, 'AWS::Lambda::Function').find(([, { Properties }]) => Properties.FunctionName === `flowlake-dev-${job}`)!;

/** The statements of a function's role. */
function rightsOf(job: string): { actions: string[]; resources: string[] }[] {
    const [, { Properties }] = functionOf(job);
    const role = textOf(Properties.Role).replace(/^<(.*)\.Arn>$/, '<$1>');
    return propertiesOf('AWS::IAM::Policy')
        .filter(({ Roles }) => Roles.map(textOf).includes(role))
        .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
        .map(({ Action, Resource }: any) => ({ actions: listOf<string>(Action), resources: listOf<any>(Resource).map(textOf) }));
}

const actionsOf = (job: string): string[] => rightsOf(job).flatMap(({ actions }) => actions);

describe('HTTP', () => {
    test('messages are let through by the authorizer, whose word holds for a minute at most', () => {
        const [authorizer, ...others] = propertiesOf('AWS::ApiGatewayV2::Authorizer');
        expect(others).toEqual([]);
        expect(authorizer).toMatchObject({
            AuthorizerType: 'REQUEST',
            AuthorizerPayloadFormatVersion: '2.0',
            EnableSimpleResponses: true,
            IdentitySource: ['$request.header.Authorization'],
        });
        expect(authorizer.AuthorizerResultTtlInSeconds).toBeLessThanOrEqual(60);
        expect(textOf(authorizer.AuthorizerUri)).toContain(functionOf('authorize')[0]);
        const routes = propertiesOf('AWS::ApiGatewayV2::Route').filter(({ RouteKey }) => RouteKey.includes(' '));
        expect(routes.map(({ RouteKey, AuthorizationType }) => `${RouteKey}: ${AuthorizationType}`).sort()).toEqual([
            'ANY /v1/{proxy+}: NONE',
            'POST /v1/telemetry: CUSTOM',
        ]);
    });

    test('requests are bounded, and each is logged', () => {
        const [stage] = propertiesOf('AWS::ApiGatewayV2::Stage').filter(({ StageName }) => StageName === '$default');
        expect(stage.DefaultRouteSettings).toMatchObject({ ThrottlingRateLimit: 1000, ThrottlingBurstLimit: 2000 });
        expect(textOf(stage.AccessLogSettings.DestinationArn)).toContain('accesslogs');
        const bounded = synthesizeTelemetry({ telemetry: { ...TELEMETRY, requestsPerSecond: 50 } });
        const [other] = propertiesOf('AWS::ApiGatewayV2::Stage', bounded).filter(({ StageName }) => StageName === '$default');
        expect(other.DefaultRouteSettings).toMatchObject({ ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 });
        const logs = propertiesOf('AWS::Logs::LogGroup', synthesizeTelemetry({ changes: GUARDED })).find(
            ({ LogGroupName }) => LogGroupName === '/flowlake/dev/api-access',
        );
        expect(logs.KmsKeyId).toBeDefined();
    });

    test('pages of other sites are let in nowhere', () => {
        for (const api of propertiesOf('AWS::ApiGatewayV2::Api')) {
            expect(api.CorsConfiguration).toBeUndefined();
        }
    });
});

describe('WebSocket', () => {
    test('who connects is asked who it is, and what it says goes to who tells it', () => {
        const [api] = ofType(resources, 'AWS::ApiGatewayV2::Api').find(([, { Properties }]) => Properties.ProtocolType === 'WEBSOCKET')!;
        const routes = propertiesOf('AWS::ApiGatewayV2::Route').filter(({ ApiId }) => textOf(ApiId) === `<${api}>`);
        const leads = routes.map(({ RouteKey, Target }) => {
            const [, integration = ''] = /<([^>]+)>$/.exec(textOf(Target)) ?? [];
            const uri = textOf(resources[integration]?.Properties.IntegrationUri);
            return `${RouteKey}: ${['api', 'push'].find((job) => uri.includes(`<${functionOf(job)[0]}.Arn>`))}`;
        });
        expect(leads.sort()).toEqual(['$connect: api', '$default: push', '$disconnect: push']);
    });

    test('events come from both tables in their order, and are tried until they are taken', () => {
        const sources = propertiesOf('AWS::Lambda::EventSourceMapping').filter(
            ({ FunctionName }) => textOf(FunctionName) === `<${functionOf('push')[0]}>`,
        );
        expect(sources).toHaveLength(2);
        for (const source of sources) {
            expect(source).toMatchObject({ ParallelizationFactor: 1, StartingPosition: 'LATEST' });
            expect([source.MaximumRetryAttempts, source.MaximumRecordAgeInSeconds, source.BisectBatchOnFunctionError]).toEqual([
                undefined,
                undefined,
                undefined,
            ]);
        }
        const patterns = sources.map(({ FilterCriteria }) => JSON.parse(FilterCriteria.Filters[0].Pattern));
        expect(patterns).toEqual([
            { eventName: ['INSERT', 'MODIFY'], dynamodb: { NewImage: { is: { S: ['device', 'events'] } } } },
            { eventName: ['INSERT'], dynamodb: { Keys: { part: { S: ['log'] } } } },
        ]);
    });
});

describe('readers', () => {
    test('sign in at a pool that nobody can sign up to', () => {
        expect(propertiesOf('AWS::Cognito::UserPool')).toMatchObject([{ AdminCreateUserConfig: { AllowAdminCreateUserOnly: true } }]);
        const { READERS_ISSUER, READERS_AUDIENCE } = functionOf('api')[1].Properties.Environment.Variables;
        expect(textOf(READERS_ISSUER)).toMatch(/^https:\/\/cognito-idp\.<AWS::Region>\.<AWS::URLSuffix>\/<telemetryreaderspool\w+>$/);
        expect(textOf(READERS_AUDIENCE)).toMatch(/^<telemetryreadersclient\w+>$/);
    });

    test('are those of another issuer where the row says so', () => {
        const own = synthesizeTelemetry({ telemetry: { ...TELEMETRY, readers: { issuer: 'https://id.example.com', audience: 'lake' } } });
        expect(propertiesOf('AWS::Cognito::UserPool', own)).toEqual([]);
        const api = propertiesOf('AWS::Lambda::Function', own).find(({ FunctionName }) => FunctionName === 'flowlake-dev-api');
        expect(api.Environment.Variables).toMatchObject({ READERS_ISSUER: 'https://id.example.com', READERS_AUDIENCE: 'lake' });
    });
});

describe('functions may do no more than they have to', () => {
    test('whoever takes messages puts them into the one stream, and writes nothing else', () => {
        const puts = rightsOf('intake').filter(({ actions }) => actions.includes('kinesis:PutRecords'));
        expect(puts.flatMap((right) => right.resources)).toEqual([expect.stringMatching(/^<telemetrystreamstelemetry\w+\.Arn>$/)]);
        expect(actionsOf('intake').filter((action) => /s3:(Put|Delete)|dynamodb/.test(action))).toEqual([]);
    });

    test('whoever says whose a token is reads credentials, and nothing else', () => {
        expect(rightsOf('authorize').flatMap(({ actions, resources: on }) => (actions.includes('s3:GetObject') ? on : []))).toEqual([
            expect.stringMatching(/\/credentials\/\*$/),
        ]);
        expect(actionsOf('authorize').filter((action) => !/^(s3:(GetObject|ListBucket)|logs:)/.test(action))).toEqual([]);
    });

    test('whoever answers questions changes alerts alone, and takes no messages', () => {
        expect(actionsOf('api').filter((action) => /^kinesis|s3:Delete|dynamodb:Delete|glue:(Create|Update|Delete)/.test(action))).toEqual(
            [],
        );
        expect(rightsOf('api').flatMap(({ actions, resources: on }) => (actions.includes('s3:PutObject') ? on : []))).toEqual([
            expect.stringMatching(/\/athena-results\/\*$/),
        ]);
    });

    test('whoever tells of events reaches connections of its own stage alone', () => {
        const [right] = rightsOf('push').filter(({ actions }) => actions.includes('execute-api:ManageConnections'));
        expect(right?.resources.map((arn) => arn.replace(/^.*<telemetryapisocket\w+>/, ''))).toEqual([
            '/live/DELETE/@connections/*',
            '/live/POST/@connections/*',
        ]);
    });
});
