/** Judges that everything that the stack has made is there and at work. */
import type { AlarmFacts } from './alarm-facts.ts';
import type { DeployedFacts } from './deployed-facts.ts';
import { type Answer, type Finding, judge, orOk, problem } from './finding.ts';
import type { EventSourceFacts, FunctionFacts } from './function-facts.ts';
import type { RuleFacts, StreamFacts, TableFacts } from './telemetry-facts.ts';

interface Context {
    /** Command that deploys the stage once more, for people to type. */
    redeploy: string;
    stack: string;
}

/** How long a stream must keep messages at least: what an event source gave up is read there again. */
const MIN_RETENTION_HOURS = 24;

export function judgeDeployed(answer: Answer<DeployedFacts>, context: Context): readonly Finding[] {
    const { stack, redeploy } = context;
    return judge('stack', answer, {
        missing: () => problem('stack', `there is no stack ${stack}: nothing takes in what is uploaded`, redeploy),
        found: ({ functions, eventSources, alarms, streams, tables, rules }) => [
            ...(functions.size === 0 ? [problem('functions', `stack ${stack} has none: nothing is read`, redeploy)] : []),
            ...judgeEach('functions', functions, { missing: 'is gone: what it does is not done', judgeOne: judgeFunction, context }),
            ...judgeEach('event sources', eventSources, {
                missing: 'is gone: a function gets nothing',
                judgeOne: judgeEventSource,
                context,
            }),
            ...judgeAlarms(alarms, context),
            ...judgeEach('streams', streams, { missing: 'is gone: devices cannot send', judgeOne: judgeStream, context }),
            ...judgeEach('tables', tables, { missing: 'is gone', judgeOne: judgeTable, context }),
            ...judgeEach('rules', rules, { missing: 'is gone: what devices publish by MQTT comes nowhere', judgeOne: judgeRule, context }),
        ],
    });
}

/** The findings on all parts of a sort, or one that says that they are well; none where there is no such part. */
function judgeEach<T>(
    check: string,
    parts: ReadonlyMap<string, Answer<T>>,
    {
        missing,
        judgeOne,
        context,
    }: {
        missing: string;
        judgeOne: (name: string, facts: T, context: Context & { check: string }) => Finding[];
        context: Context;
    },
): readonly Finding[] {
    if (parts.size === 0) {
        return [];
    }
    const wrong = [...parts].flatMap(([name, answer]) =>
        judge(check, answer, {
            missing: () => problem(check, `${name} ${missing}`, context.redeploy),
            found: (facts) => judgeOne(name, facts, { ...context, check }),
        }),
    );
    return orOk(check, wrong, `${parts.size}, all at work`);
}

function judgeFunction(
    name: string,
    { state, why, lastUpdate, reserved }: FunctionFacts,
    { check, redeploy }: Context & { check: string },
): Finding[] {
    const said = why === '' ? '' : ` (${why})`;
    if (reserved === 0) {
        return [
            problem(
                check,
                `${name} may not run: its concurrency is set to 0`,
                `aws lambda delete-function-concurrency --function-name ${name}`,
            ),
        ];
    }
    // A function that nobody called for weeks is made ready again when somebody does.
    if (!['Active', 'Inactive', ''].includes(state)) {
        return [problem(check, `${name} is ${state}${said}`, redeploy)];
    }
    return lastUpdate === 'Failed' ? [problem(check, `the last change of ${name} failed${said}: it is as it was before`, redeploy)] : [];
}

function judgeEventSource(id: string, facts: EventSourceFacts, { check, redeploy }: Context & { check: string }): Finding[] {
    const { function: name, source, state, lastResult, parallel, reportsFailures, ifGivenUp } = facts;
    const of = `what hands ${nameOfSource(source)} to ${name}`;
    const isOfStream = source.includes(':kinesis:');
    const wrong: Finding[] = [];
    if (!['Enabled', 'Enabling', 'Creating', 'Updating'].includes(state)) {
        const found = `${of} is ${state.toLowerCase()}: nothing is taken from it`;
        wrong.push(problem(check, found, `aws lambda update-event-source-mapping --uuid ${id} --enabled`));
    }
    if (lastResult.startsWith('PROBLEM')) {
        wrong.push(problem(check, `${of} cannot: ${lastResult}`, redeploy));
    }
    if (!reportsFailures) {
        wrong.push(problem(check, `${of} brings back whole batches where one message failed`, redeploy));
    }
    if (isOfStream && parallel !== 1) {
        const found = `${of} gives it ${parallel} batches of a shard at once: the chain loses messages`;
        wrong.push(problem(check, found, `aws lambda update-event-source-mapping --uuid ${id} --parallelization-factor 1`));
    }
    if (isOfStream && ifGivenUp === undefined) {
        wrong.push(problem(check, `${of} has nowhere to put what it gives up: those messages are lost`, redeploy));
    }
    if (isOfStream && name.endsWith('-latest') && !source.includes('/consumer/')) {
        wrong.push(problem(check, `${of} looks once a second, without a consumer of its own: latest state comes late`, redeploy));
    }
    return wrong;
}

/** The queue or stream of an ARN, without what follows: `stream/x/consumer/y:1` is x. */
function nameOfSource(arn: string): string {
    const resource = arn.split(':').slice(5).join(':');
    return /^(?:stream|table)\/([^/]+)/.exec(resource)?.[1] ?? resource;
}

function judgeAlarms({ names, found }: DeployedFacts['alarms'], { redeploy }: Context): readonly Finding[] {
    const check = 'alarms';
    return judge(check, found, {
        missing: () => problem(check, 'none', redeploy),
        found: (alarms) => {
            const there = new Set(alarms.map(({ name }) => name));
            const wrong = [
                ...names.filter((name) => !there.has(name)).map((name) => problem(check, `${name} is gone: nobody is told`, redeploy)),
                ...alarms.flatMap((alarm) => judgeAlarm(alarm, check)),
            ];
            const isHeard = alarms.some(({ destinations }) => destinations.length > 0);
            const where = isHeard ? 'they go by mail' : 'seen in CloudWatch only (alarmEmail in cdk/config.ts sends them)';
            return names.length === 0 ? [] : orOk(check, wrong, `${names.length}, none rings; ${where}`);
        },
    });
}

function judgeAlarm({ name, state, since, isEnabled }: AlarmFacts, check: string): Finding[] {
    const wrong: Finding[] = [];
    if (!isEnabled) {
        wrong.push(problem(check, `${name} may tell nobody`, `aws cloudwatch enable-alarm-actions --alarm-names ${name}`));
    }
    if (state === 'ALARM') {
        const when = since === undefined ? '' : ` since ${since.toISOString()}`;
        wrong.push(
            problem(
                check,
                `${name} rings${when}`,
                `what it says: aws cloudwatch describe-alarms --alarm-names ${name} --query MetricAlarms[].AlarmDescription`,
            ),
        );
    }
    return wrong;
}

function judgeStream(
    name: string,
    { status, retentionHours, isEncrypted, shards }: StreamFacts,
    { check, redeploy }: Context & { check: string },
): Finding[] {
    const wrong: Finding[] = [];
    if (!['ACTIVE', 'UPDATING'].includes(status)) {
        wrong.push(problem(check, `${name} is ${status.toLowerCase()}: devices cannot send`, redeploy));
    }
    if (retentionHours <= MIN_RETENTION_HOURS) {
        const found = `${name} keeps messages for ${retentionHours} hours only: a reader that fails over a weekend loses them`;
        wrong.push(problem(check, found, redeploy));
    }
    if (!isEncrypted) {
        wrong.push(problem(check, `${name} keeps messages in the clear`, redeploy));
    }
    if (shards === 0) {
        wrong.push(problem(check, `${name} has no open shard`, redeploy));
    }
    return wrong;
}

function judgeTable(name: string, { status, isRestorable }: TableFacts, { check, redeploy }: Context & { check: string }): Finding[] {
    return [
        ...(['ACTIVE', 'UPDATING'].includes(status) ? [] : [problem(check, `${name} is ${status.toLowerCase()}`, redeploy)]),
        ...(isRestorable ? [] : [problem(check, `${name} cannot be brought back as it was: point-in-time recovery is off`, redeploy)]),
    ];
}

function judgeRule(name: string, { isEnabled, hasErrorAction }: RuleFacts, { check, redeploy }: Context & { check: string }): Finding[] {
    return [
        ...(isEnabled
            ? []
            : [
                  problem(
                      check,
                      `${name} is disabled: what devices publish by MQTT is acknowledged and lost`,
                      `aws iot enable-topic-rule --rule-name ${name}`,
                  ),
              ]),
        ...(hasErrorAction ? [] : [problem(check, `${name} has no error action: what it cannot hand on is lost`, redeploy)]),
    ];
}
