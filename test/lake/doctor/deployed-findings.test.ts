/** What somebody has turned off, deleted or lowered by hand is told, with what to type. */
import { expect, test } from '@jest/globals';
import type { DeployedFacts } from '#lake/doctor/deployed-facts';
import { judgeDeployed } from '#lake/doctor/deployed-findings';
import type { Answer, Finding } from '#lake/doctor/finding';

const CONTEXT = { stack: 'flowlake-prod', redeploy: 'npx cdk deploy' };

const FUNCTION = { state: 'Active', why: '', lastUpdate: 'Successful', reserved: undefined };
const QUEUE_SOURCE = {
    function: 'flowlake-prod-summarize',
    source: 'arn:aws:sqs:eu-central-1:1:flowlake-prod-summarize',
    state: 'Enabled',
    lastResult: '',
    parallel: 1,
    reportsFailures: true,
    ifGivenUp: undefined,
};
const STREAM_SOURCE = {
    ...QUEUE_SOURCE,
    function: 'flowlake-prod-chain',
    source: 'arn:aws:kinesis:eu-central-1:1:stream/flowlake-prod-telemetry',
    lastResult: 'OK',
    ifGivenUp: 'arn:aws:sqs:eu-central-1:1:flowlake-prod-given-up',
};
const LATEST_SOURCE = {
    ...STREAM_SOURCE,
    function: 'flowlake-prod-latest',
    source: `${STREAM_SOURCE.source}/consumer/flowlake-prod-latest:1234`,
};
const ALARM = {
    state: 'OK',
    since: new Date('2026-03-01T00:00:00Z'),
    isEnabled: true,
    destinations: ['arn:aws:sns:eu-central-1:1:alarms'],
};

function found<T>(parts: Record<string, T>): ReadonlyMap<string, Answer<T>> {
    return new Map(Object.entries(parts).map(([name, value]) => [name, { kind: 'found', value }]));
}

function judged(change: Partial<DeployedFacts>): readonly Finding[] {
    const value: DeployedFacts = {
        functions: found({ 'flowlake-prod-summarize': FUNCTION, 'flowlake-prod-chain': FUNCTION }),
        eventSources: found({ 'uuid-1': QUEUE_SOURCE, 'uuid-2': STREAM_SOURCE, 'uuid-3': LATEST_SOURCE }),
        alarms: { names: ['figures-lag'], found: { kind: 'found', value: [{ name: 'figures-lag', ...ALARM }] } },
        streams: found({ 'flowlake-prod-telemetry': { status: 'ACTIVE', retentionHours: 168, isEncrypted: true, shards: 4 } }),
        tables: found({ 'flowlake-prod-state': { status: 'ACTIVE', isRestorable: true } }),
        rules: found({ flowlake_prod: { isEnabled: true, hasErrorAction: true } }),
        ...change,
    };
    return judgeDeployed({ kind: 'found', value }, CONTEXT);
}

test('a stack whose parts are all at work is well, a sort at a time', () => {
    expect(judged({}).map(({ check, result, found: what }) => [check, result, what])).toEqual([
        ['functions', 'ok', '2, all at work'],
        ['event sources', 'ok', '3, all at work'],
        ['alarms', 'ok', '1, none rings; they go by mail'],
        ['streams', 'ok', '1, all at work'],
        ['tables', 'ok', '1, all at work'],
        ['rules', 'ok', '1, all at work'],
    ]);
});

test('a stage without telemetry has no rows for it', () => {
    expect(judged({ streams: new Map(), tables: new Map(), rules: new Map() }).map(({ check }) => check)).toEqual([
        'functions',
        'event sources',
        'alarms',
    ]);
});

test.each<[string, Partial<DeployedFacts>, string, string]>([
    ['a function that is gone', { functions: new Map([['f', { kind: 'missing' }]]) }, 'f is gone', 'npx cdk deploy'],
    [
        'a function that cannot run',
        { functions: found({ f: { ...FUNCTION, state: 'Failed', why: 'its role is gone' } }) },
        'f is Failed (its role is gone)',
        'npx cdk deploy',
    ],
    [
        'a function that may not run',
        { functions: found({ f: { ...FUNCTION, reserved: 0 } }) },
        'f may not run',
        'delete-function-concurrency',
    ],
    [
        'a function whose last change failed',
        { functions: found({ f: { ...FUNCTION, lastUpdate: 'Failed' } }) },
        'the last change of f failed',
        'npx cdk deploy',
    ],
    [
        'an event source that is disabled',
        { eventSources: found({ u: { ...QUEUE_SOURCE, state: 'Disabled' } }) },
        'what hands flowlake-prod-summarize to flowlake-prod-summarize is disabled: nothing is taken from it',
        'aws lambda update-event-source-mapping --uuid u --enabled',
    ],
    [
        'an event source that cannot read',
        { eventSources: found({ u: { ...STREAM_SOURCE, lastResult: 'PROBLEM: Function call failed' } }) },
        'PROBLEM: Function call failed',
        'npx cdk deploy',
    ],
    [
        'two batches of a shard at once',
        { eventSources: found({ u: { ...STREAM_SOURCE, parallel: 2 } }) },
        'what hands flowlake-prod-telemetry to flowlake-prod-chain gives it 2 batches of a shard at once: the chain loses messages',
        '--uuid u --parallelization-factor 1',
    ],
    [
        'a stream whose given-up records go nowhere',
        { eventSources: found({ u: { ...STREAM_SOURCE, ifGivenUp: undefined } }) },
        'nowhere to put what it gives up',
        'npx cdk deploy',
    ],
    [
        'whole batches that come again',
        { eventSources: found({ u: { ...QUEUE_SOURCE, reportsFailures: false } }) },
        'brings back whole batches',
        'npx cdk deploy',
    ],
    [
        'latest state by a plain iterator',
        { eventSources: found({ u: { ...LATEST_SOURCE, source: STREAM_SOURCE.source } }) },
        'looks once a second',
        'npx cdk deploy',
    ],
    ['an alarm that is gone', { alarms: { names: ['a'], found: { kind: 'found', value: [] } } }, 'a is gone', 'npx cdk deploy'],
    [
        'an alarm that rings',
        { alarms: { names: ['a'], found: { kind: 'found', value: [{ name: 'a', ...ALARM, state: 'ALARM' }] } } },
        'a rings since 2026-03-01T00:00:00.000Z',
        'aws cloudwatch describe-alarms --alarm-names a',
    ],
    [
        'an alarm that may tell nobody',
        { alarms: { names: ['a'], found: { kind: 'found', value: [{ name: 'a', ...ALARM, isEnabled: false }] } } },
        'a may tell nobody',
        'aws cloudwatch enable-alarm-actions --alarm-names a',
    ],
    ['a stream that is gone', { streams: new Map([['s', { kind: 'missing' }]]) }, 's is gone: devices cannot send', 'npx cdk deploy'],
    [
        'a stream that keeps a day only',
        { streams: found({ s: { status: 'ACTIVE', retentionHours: 24, isEncrypted: true, shards: 1 } }) },
        'keeps messages for 24 hours only',
        'npx cdk deploy',
    ],
    [
        'a stream in the clear',
        { streams: found({ s: { status: 'ACTIVE', retentionHours: 168, isEncrypted: false, shards: 1 } }) },
        'in the clear',
        'npx cdk deploy',
    ],
    ['a table without restore', { tables: found({ t: { status: 'ACTIVE', isRestorable: false } }) }, 'recovery is off', 'npx cdk deploy'],
    ['a table that goes', { tables: found({ t: { status: 'DELETING', isRestorable: true } }) }, 't is deleting', 'npx cdk deploy'],
    [
        'a rule that is disabled',
        { rules: found({ r: { isEnabled: false, hasErrorAction: true } }) },
        'is acknowledged and lost',
        'aws iot enable-topic-rule --rule-name r',
    ],
    [
        'a rule without error action',
        { rules: found({ r: { isEnabled: true, hasErrorAction: false } }) },
        'no error action',
        'npx cdk deploy',
    ],
])('%s is a problem, and nothing else is', (_, change, what, todo) => {
    const wrong = judged(change).filter(({ result }) => result !== 'ok');
    expect(wrong).toMatchObject([{ result: 'problem', found: expect.stringContaining(what), todo: expect.stringContaining(todo) }]);
});

test('alarms that nobody hears are well where the row wants it so, and it is said', () => {
    const silent = { name: 'figures-lag', ...ALARM, destinations: [] };
    expect(judged({ alarms: { names: ['figures-lag'], found: { kind: 'found', value: [silent] } } })[2]).toMatchObject({
        result: 'ok',
        found: '1, none rings; seen in CloudWatch only (alarmEmail in cdk/config.ts sends them)',
    });
});

test('a stack that is not there is one problem', () => {
    expect(judgeDeployed({ kind: 'missing' }, CONTEXT)).toMatchObject([{ check: 'stack', result: 'problem' }]);
});
