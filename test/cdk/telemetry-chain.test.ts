/** How the streams are handed to the chain: each fault that would lose messages, or hide that they are lost, is found in a template. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { listOf, ofType, type Resource, type Resources, synthesizeTelemetry, textOf } from './synthesized.ts';

/** What is wrong with how the chain gets its messages; none where it is in order. */
function faultsOfChain(resources: Resources): string[] {
    const chain = functionOf(resources, 'chain');
    const givenUp = functionOf(resources, 'given-up');
    const streams = ofType(resources, 'AWS::Kinesis::Stream').map(([id]) => id);
    const mappings = ofType(resources, 'AWS::Lambda::EventSourceMapping').map(([, { Properties }]) => Properties);
    const ofChain = mappings.filter(({ FunctionName }) => FunctionName.Ref === chain);
    const faults = streams
        .filter((id) => ofChain.filter(({ EventSourceArn }) => textOf(EventSourceArn) === `<${id}.Arn>`).length !== 1)
        .map((id) => `${id} is not handed to the chain once`);
    for (const mapping of ofChain) {
        const of = textOf(mapping.EventSourceArn);
        const queue = textOf(mapping.DestinationConfig?.OnFailure?.Destination ?? '').slice(1, -'.Arn>'.length);
        const isTakenFrom = mappings.some(
            ({ EventSourceArn, FunctionName }) => FunctionName.Ref === givenUp && textOf(EventSourceArn) === `<${queue}.Arn>`,
        );
        const isToldBack = [...statementsOf(resources, chain)].some(
            ({ Action, Resource }) => listOf(Action).includes('sqs:SendMessage') && listOf(Resource).map(textOf).includes(`<${queue}.Arn>`),
        );
        const rules: [boolean, string][] = [
            [mapping.ParallelizationFactor === 1, 'is handed over in several batches of a shard at once: the chain loses messages'],
            [listOf(mapping.FunctionResponseTypes).includes('ReportBatchItemFailures'), 'does not ask which record failed'],
            [queue in resources && isTakenFrom, 'tells nobody who works on it what was given up'],
            [isToldBack, 'may not tell what was given up'],
            [mapping.BisectBatchOnFunctionError === true, 'has a whole batch given up for one record'],
            [mapping.StartingPosition === 'TRIM_HORIZON', 'begins with what comes after it was deployed'],
            [mapping.MaximumBatchingWindowInSeconds === 60, 'makes an object of other than a minute'],
            [mapping.FilterCriteria === undefined, 'leaves messages out'],
            [
                mapping.MaximumRecordAgeInSeconds > 0 && mapping.MaximumRecordAgeInSeconds * 2 <= keptSeconds(resources, of),
                'is given up when the stream has no time left to be read again',
            ],
            [mapping.MaximumRetryAttempts > 0, 'is tried for ever, or not once more'],
        ];
        faults.push(...rules.filter(([holds]) => !holds).map(([, fault]) => `${of} ${fault}`));
    }
    const ages = ofType(resources, 'AWS::CloudWatch::Alarm').filter(
        ([, { Properties }]) =>
            Properties.MetricName === 'IteratorAge' && listOf<any>(Properties.Dimensions).some(({ Value }) => Value.Ref === chain),
    );
    return [...faults, ...(ages.length === 0 ? ['nobody is told that the chain is behind'] : [])];
}

function functionOf(resources: Resources, job: string): string {
    const found = ofType(resources, 'AWS::Lambda::Function').find(([, { Properties }]) => Properties.FunctionName.endsWith(`-${job}`));
    return found?.[0] ?? '';
}

/** The statements of the policies of a function's role. */
function* statementsOf(resources: Resources, lambda: string): Generator<any> {
    const role = textOf(resources[lambda]?.Properties.Role ?? '').slice(1, -'.Arn>'.length);
    for (const [, { Properties }] of ofType(resources, 'AWS::IAM::Policy')) {
        if (listOf<any>(Properties.Roles).some(({ Ref }) => Ref === role)) {
            yield* Properties.PolicyDocument.Statement;
        }
    }
}

function keptSeconds(resources: Resources, arn: string): number {
    return (resources[arn.slice(1, -'.Arn>'.length)]?.Properties.RetentionPeriodHours ?? 24) * 3600;
}

let resources: Resources;

beforeAll(() => {
    resources = synthesizeTelemetry();
});

test('the chain gets every record of both streams, and what is given up is worked on', () => {
    expect(faultsOfChain(resources)).toEqual([]);
    const withoutPrograms = synthesizeTelemetry({ telemetry: { isOn: true, hasProgramStream: false } });
    expect(ofType(withoutPrograms, 'AWS::Kinesis::Stream')).toHaveLength(1);
    expect(faultsOfChain(withoutPrograms)).toEqual([]);
});

test('what was acknowledged goes on into the lake while no device is let in', () => {
    expect(faultsOfChain(synthesizeTelemetry({ telemetry: { isOn: false, hasProgramStream: true } }))).toEqual([]);
});

describe('found is', () => {
    const PLANTS: [string, (mapping: any, all: Resources) => void, string][] = [
        ['a ParallelizationFactor of 2', (mapping) => (mapping.ParallelizationFactor = 2), 'several batches of a shard at once'],
        ['one that is left to AWS', (mapping) => delete mapping.ParallelizationFactor, 'several batches of a shard at once'],
        ['a missing queue of what is given up', (mapping) => delete mapping.DestinationConfig, 'tells nobody who works on it'],
        [
            'a queue that nobody takes from',
            (_, all) => {
                for (const [id, { Properties }] of ofType(all, 'AWS::Lambda::EventSourceMapping')) {
                    if (Properties.FunctionName.Ref === functionOf(all, 'given-up')) {
                        delete all[id];
                    }
                }
            },
            'tells nobody who works on it',
        ],
        [
            'a right that is missing',
            (_, all) => {
                for (const statement of statementsOf(all, functionOf(all, 'chain'))) {
                    statement.Action = listOf(statement.Action).filter((action) => action !== 'sqs:SendMessage');
                }
            },
            'may not tell what was given up',
        ],
        ['an answer that nobody asks for', (mapping) => delete mapping.FunctionResponseTypes, 'does not ask which record failed'],
        ['no bisection', (mapping) => (mapping.BisectBatchOnFunctionError = false), 'a whole batch given up'],
        ['a beginning at the end', (mapping) => (mapping.StartingPosition = 'LATEST'), 'begins with what comes after'],
        ['no window', (mapping) => delete mapping.MaximumBatchingWindowInSeconds, 'makes an object of other than a minute'],
        ['a filter', (mapping) => (mapping.FilterCriteria = { Filters: [] }), 'leaves messages out'],
        ['no age', (mapping) => (mapping.MaximumRecordAgeInSeconds = -1), 'no time left to be read again'],
        ['the age of the stream', (mapping) => (mapping.MaximumRecordAgeInSeconds = 7 * 24 * 3600), 'no time left to be read again'],
        ['tries without end', (mapping) => (mapping.MaximumRetryAttempts = -1), 'is tried for ever'],
        ['another function', (mapping) => (mapping.FunctionName.Ref = 'other'), 'is not handed to the chain once'],
        [
            'no alarm',
            (_, all) => {
                for (const [id, { Properties }] of ofType(all, 'AWS::CloudWatch::Alarm')) {
                    if (Properties.MetricName === 'IteratorAge') {
                        delete all[id];
                    }
                }
            },
            'nobody is told that the chain is behind',
        ],
    ];

    test.each(PLANTS)('%s', (_, plant, fault) => {
        const planted = structuredClone(resources);
        const chain = functionOf(planted, 'chain');
        const mapping = ofType(planted, 'AWS::Lambda::EventSourceMapping').find(
            ([, { Properties }]) => Properties.FunctionName.Ref === chain,
        ) as [string, Resource];
        plant(mapping[1].Properties, planted);
        expect(faultsOfChain(planted)).toContainEqual(expect.stringContaining(fault));
    });
});
