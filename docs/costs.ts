/**
 * What live telemetry on AWS costs a month, worked out from one table of prices and one of assumptions, beside what the field usually builds. docs/generate.ts
 * puts the tables into docs/scale.md, so that no sum is made by hand.
 */

const MILLION = 1_000_000;
const GB = 1_000_000_000;

/** Date on which the prices were written down, from memory of these pages: nobody has looked them up. */
const WRITTEN_ON = '2026-11-30';

interface Price {
    what: string;
    usd: number;
    /** How many units the price is for. */
    per: number;
    page: string;
}

const PAGES = {
    iot: 'https://aws.amazon.com/iot-core/pricing/',
    kinesis: 'https://aws.amazon.com/kinesis/data-streams/pricing/',
    lambda: 'https://aws.amazon.com/lambda/pricing/',
    dynamo: 'https://aws.amazon.com/dynamodb/pricing/on-demand/',
    s3: 'https://aws.amazon.com/s3/pricing/',
    sqs: 'https://aws.amazon.com/sqs/pricing/',
    athena: 'https://aws.amazon.com/athena/pricing/',
    sns: 'https://aws.amazon.com/sns/pricing/',
    cloudwatch: 'https://aws.amazon.com/cloudwatch/pricing/',
    kms: 'https://aws.amazon.com/kms/pricing/',
    glue: 'https://aws.amazon.com/glue/pricing/',
    firehose: 'https://aws.amazon.com/firehose/pricing/',
    sitewise: 'https://aws.amazon.com/iot-sitewise/pricing/',
    timestream: 'https://aws.amazon.com/timestream/pricing/',
} as const;

/** List prices of us-east-1, in US dollars. */
export const PRICES = {
    iotMinute: { what: 'IoT Core, minutes of connection', usd: 0.08, per: MILLION, page: PAGES.iot },
    iotMessage: { what: 'IoT Core, messages of 5 KB, the first thousand million a month', usd: 1, per: MILLION, page: PAGES.iot },
    iotMessageMore: { what: 'the same, the next four thousand million', usd: 0.8, per: MILLION, page: PAGES.iot },
    iotMessageMost: { what: 'the same, beyond', usd: 0.7, per: MILLION, page: PAGES.iot },
    iotRule: { what: 'IoT Core, rules that a message triggers', usd: 0.15, per: MILLION, page: PAGES.iot },
    iotAction: { what: 'IoT Core, actions of rules', usd: 0.15, per: MILLION, page: PAGES.iot },
    streamHour: { what: 'Kinesis on demand, hours of a stream', usd: 0.04, per: 1, page: PAGES.kinesis },
    streamIn: { what: 'Kinesis on demand, written, each record as whole KB', usd: 0.08, per: GB, page: PAGES.kinesis },
    streamOut: { what: 'Kinesis on demand, read', usd: 0.04, per: GB, page: PAGES.kinesis },
    streamFanOut: { what: 'Kinesis on demand, read by enhanced fan-out', usd: 0.05, per: GB, page: PAGES.kinesis },
    streamKept: { what: 'Kinesis on demand, kept a month beyond the first day', usd: 0.1, per: GB, page: PAGES.kinesis },
    shardHour: { what: 'Kinesis provisioned, hours of a shard', usd: 0.015, per: 1, page: PAGES.kinesis },
    shardPut: { what: 'Kinesis provisioned, records of 25 KB', usd: 0.014, per: MILLION, page: PAGES.kinesis },
    shardKeptHour: { what: 'Kinesis provisioned, hours of a shard that keeps up to 7 days', usd: 0.02, per: 1, page: PAGES.kinesis },
    shardFanOutHour: { what: 'Kinesis provisioned, hours of a shard and fan-out consumer', usd: 0.015, per: 1, page: PAGES.kinesis },
    shardFanOut: { what: 'Kinesis provisioned, read by enhanced fan-out', usd: 0.013, per: GB, page: PAGES.kinesis },
    lambdaRequest: { what: 'Lambda, invocations', usd: 0.2, per: MILLION, page: PAGES.lambda },
    lambdaGbSecond: { what: 'Lambda on Arm, GB-seconds', usd: 0.0000133334, per: 1, page: PAGES.lambda },
    dynamoWrite: { what: 'DynamoDB on demand, writes of 1 KB', usd: 0.625, per: MILLION, page: PAGES.dynamo },
    dynamoRead: { what: 'DynamoDB on demand, consistent reads of 4 KB', usd: 0.125, per: MILLION, page: PAGES.dynamo },
    dynamoKept: { what: 'DynamoDB, kept a month, with point-in-time recovery', usd: 0.45, per: GB, page: PAGES.dynamo },
    s3Put: { what: 'S3, puts and lists', usd: 0.005, per: 1_000, page: PAGES.s3 },
    s3Get: { what: 'S3, gets', usd: 0.0004, per: 1_000, page: PAGES.s3 },
    s3Kept: { what: 'S3 Standard, kept a month', usd: 0.023, per: GB, page: PAGES.s3 },
    sqsCall: { what: 'SQS FIFO, calls', usd: 0.5, per: MILLION, page: PAGES.sqs },
    athenaScan: { what: 'Athena, scanned', usd: 5, per: 1_000 * GB, page: PAGES.athena },
    snsMessage: { what: 'SNS, messages', usd: 0.5, per: MILLION, page: PAGES.sns },
    logsIn: { what: 'CloudWatch Logs, written', usd: 0.5, per: GB, page: PAGES.cloudwatch },
    ownMetric: { what: 'CloudWatch, metrics of one’s own', usd: 0.3, per: 1, page: PAGES.cloudwatch },
    alarm: { what: 'CloudWatch, alarms', usd: 0.1, per: 1, page: PAGES.cloudwatch },
    kmsKey: { what: 'KMS, keys', usd: 1, per: 1, page: PAGES.kms },
    kmsCall: { what: 'KMS, calls', usd: 0.03, per: 10_000, page: PAGES.kms },
    dpuHour: { what: 'Glue, DPU-hours', usd: 0.44, per: 1, page: PAGES.glue },
    firehoseIn: { what: 'Data Firehose, taken in, each record as whole 5 KB', usd: 0.029, per: GB, page: PAGES.firehose },
    firehoseConverted: { what: 'Data Firehose, converted to Parquet', usd: 0.018, per: GB, page: PAGES.firehose },
    sitewiseMessage: { what: 'IoT SiteWise, messages taken in', usd: 1, per: MILLION, page: PAGES.sitewise },
    influxMediumHour: { what: 'Timestream for InfluxDB, hours of db.influx.medium', usd: 0.119, per: 1, page: PAGES.timestream },
    influxLargestHour: { what: 'Timestream for InfluxDB, hours of db.influx.8xlarge', usd: 3.83, per: 1, page: PAGES.timestream },
    influxKept: { what: 'Timestream for InfluxDB, kept a month', usd: 0.1, per: GB, page: PAGES.timestream },
} as const satisfies Record<string, Price>;

/** What the sums rest on beside the prices. */
export const ASSUMED = {
    days: { value: 30, says: 'days of a month' },
    messagesADay: { value: 1_440, says: 'messages of a device a day: one a minute, all day, over MQTT, always connected' },
    payloadBytes: { value: 200, says: 'bytes of a payload, with three metrics in it' },
    readings: { value: 3, says: 'readings of a message' },
    recordBytes: { value: 500, says: 'bytes of a record in the stream: the payload as base64, topic, client, principal' },
    streamDays: { value: 7, says: 'days that the stream keeps' },
    chainBytes: { value: 80, says: 'bytes of a message in a chain object, packed' },
    readingBytes: { value: 10, says: 'bytes of a reading in readings and in what sources contribute together' },
    shardUse: { value: 0.5, says: 'share of a shard’s 1,000 records a second that is used, so that a burst finds room' },
    leastShards: { value: 4, says: 'shards of an on-demand stream at least' },
    messagesABatch: { value: 10_000, says: 'messages of a batch of the chain at most; a batch is taken after 60 seconds at the latest' },
    latestABatch: { value: 10, says: 'messages of a batch of latest state, where so many come within one invocation’s time' },
    latestMs: { value: 60, says: 'milliseconds of an invocation of latest state' },
    chainMs: { value: 1_500, says: 'milliseconds of an invocation of the chain, and of one that summarizes its object' },
    memoryGb: { value: 1.769, says: 'GB of memory of these functions' },
    itemBytes: { value: 1_000, says: 'bytes of a device’s item of latest state: one write unit' },
    putsAnObject: {
        value: 8,
        says: 'puts that a chain object comes to: itself, ledger twice, contributions, rejects, a share of its hour’s objects',
    },
    getsAnObject: { value: 25, says: 'gets that it comes to' },
    callsAnObject: { value: 12, says: 'calls of queues that it comes to' },
    logBytes: { value: 600, says: 'bytes that an invocation logs' },
    questionGb: { value: 300, says: 'GB that people’s questions scan a month' },
    ownMetrics: { value: 60, says: 'metrics of the lake’s own' },
    alarms: { value: 45, says: 'alarms' },
    jobHours: { value: 6, says: 'DPU-hours of the nightly Spark jobs, small as they are' },
} as const;

/** Sizes of fleets that are worked out. */
export const FLEETS = [100, 10_000, 1_000_000] as const;

/** A line of a bill: US dollars a month. */
interface CostLine {
    part: string;
    usd: number;
}

type PriceName = keyof typeof PRICES;

/** The cost of so many units. */
export function costOf(name: PriceName, units: number): number {
    const { usd, per } = PRICES[name];
    return (units / per) * usd;
}

const assumed = (name: keyof typeof ASSUMED): number => ASSUMED[name].value;

const messagesOf = (devices: number): number => devices * assumed('messagesADay') * assumed('days');

const perSecond = (devices: number): number => (devices * assumed('messagesADay')) / 86_400;

/** Size of a record as it is billed: whole units of this many bytes. */
function billed(bytes: number, unit: number): number {
    return Math.ceil(bytes / unit) * unit;
}

function iotMessages(messages: number): number {
    const [first, next] = [1_000 * MILLION, 4_000 * MILLION];
    const ofFirst = Math.min(messages, first);
    const ofNext = Math.min(messages - ofFirst, next);
    return costOf('iotMessage', ofFirst) + costOf('iotMessageMore', ofNext) + costOf('iotMessageMost', messages - ofFirst - ofNext);
}

function iotLines(devices: number): CostLine[] {
    const messages = messagesOf(devices);
    return [
        { part: 'IoT Core: connectivity', usd: costOf('iotMinute', devices * assumed('days') * 1_440) },
        { part: 'IoT Core: messages', usd: iotMessages(messages) },
        { part: 'IoT Core: rule and its action', usd: costOf('iotRule', messages) + costOf('iotAction', messages) },
    ];
}

/** Shards that the fleet's messages need. */
export function shardsOf(devices: number, { least }: { least: number }): number {
    return Math.max(least, Math.ceil(perSecond(devices) / (1_000 * assumed('shardUse'))));
}

const hours = (): number => assumed('days') * 24;

function onDemand(devices: number): { stream: number; fanOut: number } {
    const messages = messagesOf(devices);
    const bytes = messages * billed(assumed('recordBytes'), 1_024);
    const kept = (bytes / assumed('days')) * (assumed('streamDays') - 1);
    return {
        stream: costOf('streamHour', hours()) + costOf('streamIn', bytes) + costOf('streamOut', bytes) + costOf('streamKept', kept),
        fanOut: costOf('streamFanOut', bytes),
    };
}

function provisioned(devices: number): { stream: number; fanOut: number } {
    const messages = messagesOf(devices);
    const shardHours = shardsOf(devices, { least: 1 }) * hours();
    return {
        stream: costOf('shardHour', shardHours) + costOf('shardKeptHour', shardHours) + costOf('shardPut', messages),
        fanOut: costOf('shardFanOutHour', shardHours) + costOf('shardFanOut', messages * assumed('recordBytes')),
    };
}

/** Objects of the chain a month: one a shard and minute at least where messages come, more where a minute's messages are more than a batch. */
function objectsOf(devices: number): number {
    const shards = shardsOf(devices, { least: assumed('leastShards') });
    return Math.max(shards * assumed('days') * 1_440, messagesOf(devices) / assumed('messagesABatch'));
}

function lambdaLines(devices: number): { lines: CostLine[]; invocations: number } {
    const latest = messagesOf(devices) / (perSecond(devices) < 100 ? 1 : assumed('latestABatch'));
    const objects = objectsOf(devices);
    const gbSeconds = (invocations: number, ms: number): number => (invocations * ms * assumed('memoryGb')) / 1_000;
    const cost = (invocations: number, ms: number): number =>
        costOf('lambdaRequest', invocations) + costOf('lambdaGbSecond', gbSeconds(invocations, ms));
    return {
        lines: [
            { part: 'Lambda: latest state', usd: cost(latest, assumed('latestMs')) },
            { part: 'Lambda: chain, readings, hours', usd: 3 * cost(objects, assumed('chainMs')) },
        ],
        invocations: latest + 3 * objects,
    };
}

/** The bill of a fleet of so many devices, as the stack is deployed. */
export function costsOf(devices: number): CostLine[] {
    const messages = messagesOf(devices);
    const objects = objectsOf(devices);
    const { stream, fanOut } = onDemand(devices);
    const { lines: lambda, invocations } = lambdaLines(devices);
    const stored = messages * (assumed('chainBytes') + assumed('readings') * assumed('readingBytes'));
    return [
        ...iotLines(devices),
        { part: 'Kinesis on demand: stream, chain’s reads, seven days', usd: stream },
        { part: 'Kinesis on demand: enhanced fan-out for latest state', usd: fanOut },
        ...lambda,
        {
            part: 'DynamoDB: latest state, a read and a write a message',
            usd: costOf('dynamoWrite', messages) + costOf('dynamoRead', messages),
        },
        {
            part: 'DynamoDB: kept; index of chain objects',
            usd: costOf('dynamoKept', devices * assumed('itemBytes') + objects * 1_000) + costOf('dynamoWrite', 4 * objects),
        },
        {
            part: 'S3: requests',
            usd: costOf('s3Put', objects * assumed('putsAnObject')) + costOf('s3Get', objects * assumed('getsAnObject')),
        },
        { part: 'S3: what a month adds, kept a month', usd: costOf('s3Kept', stored) },
        { part: 'SQS', usd: costOf('sqsCall', objects * assumed('callsAnObject')) },
        { part: 'Athena', usd: costOf('athenaScan', assumed('questionGb') * GB) },
        { part: 'SNS: an alert a device and month', usd: costOf('snsMessage', devices) },
        {
            part: 'CloudWatch: logs, metrics, alarms',
            usd:
                costOf('logsIn', invocations * assumed('logBytes')) +
                costOf('ownMetric', assumed('ownMetrics')) +
                costOf('alarm', assumed('alarms')),
        },
        {
            part: 'KMS: the key; a call an object of each kind',
            usd: costOf('kmsKey', 1) + costOf('kmsCall', objects * assumed('putsAnObject')),
        },
        { part: 'Glue: nightly jobs', usd: costOf('dpuHour', assumed('jobHours')) },
    ];
}

/** Other ways to the same messages, each from the device to where it can be asked. */
export function othersOf(devices: number): CostLine[] {
    const messages = messagesOf(devices);
    const iot = totalOf(iotLines(devices));
    const taken = messages * billed(assumed('payloadBytes'), 5_000);
    const { stream, fanOut } = onDemand(devices);
    const own = totalOf(costsOf(devices)) - stream - fanOut;
    const provisionedStream = provisioned(devices);
    const influxHour = costOf(devices > 100_000 ? 'influxLargestHour' : 'influxMediumHour', hours());
    return [
        { part: 'flowlake, as deployed', usd: own + stream + fanOut },
        { part: 'flowlake, with a provisioned stream', usd: own + provisionedStream.stream + provisionedStream.fanOut },
        {
            part: 'IoT Core, Firehose, Parquet on S3, Athena: no latest state, repeats stay, a minute late',
            usd: iot + costOf('firehoseIn', taken) + costOf('firehoseConverted', taken) + costOf('athenaScan', assumed('questionGb') * GB),
        },
        {
            part: 'IoT Core, IoT SiteWise: a message a property; without storage and computation',
            usd: iot + costOf('sitewiseMessage', messages * assumed('readings')),
        },
        {
            part: 'IoT Core, a Lambda a rule, Timestream for InfluxDB: one instance, one zone',
            usd:
                iot +
                costOf('lambdaRequest', messages) +
                costOf('lambdaGbSecond', messages * 0.00625) +
                influxHour +
                costOf('influxKept', 100 * GB),
        },
    ];
}

export function totalOf(lines: readonly CostLine[]): number {
    return lines.reduce((sum, { usd }) => sum + usd, 0);
}

/** The part of docs/scale.md that is computed. */
export function describeCosts(): string {
    const heads = FLEETS.map((devices) => `${whole(devices)} devices`);
    const costs = FLEETS.map(costsOf);
    const total = ['**together**', ...costs.map((lines) => `**${dollars(totalOf(lines))}**`)];
    const perDevice = ['a device', ...costs.map((lines, at) => dollars(totalOf(lines) / (FLEETS[at] ?? 1)))];
    return [
        `US dollars a month, by list prices of us-east-1 as they were written down from memory on ${WRITTEN_ON}, which are **to be looked up** (below); without the free tier, taxes and traffic out of AWS:`,
        tableOf(['part', ...heads], [...byPart(costs), total, perDevice]),
        'The same messages by other ways:',
        tableOf(['way', ...heads], byPart(FLEETS.map(othersOf))),
        'Assumed:',
        tableOf(
            ['value', 'of'],
            Object.values(ASSUMED).map(({ value, says }) => [value < 1 ? String(value) : whole(value), says]),
        ),
        `Messages a second: ${FLEETS.map((devices) => `${whole(perSecond(devices))} of ${whole(devices)} devices`).join(', ')}. Shards: ${FLEETS.map((devices) => shardsOf(devices, { least: assumed('leastShards') })).join(', ')}. ` +
            `Chain objects a day: ${FLEETS.map((devices) => whole(objectsOf(devices) / assumed('days'))).join(', ')}.`,
        'Prices (written down from memory of the pages named, **to be looked up there before anybody relies on them**):',
        tableOf(
            ['price', 'US dollars', 'for', 'page'],
            Object.values(PRICES).map(({ what, usd, per, page }) => [
                what,
                String(usd),
                per === GB ? '1 GB' : per === 1_000 * GB ? '1 TB' : whole(per),
                page,
            ]),
        ),
    ].join('\n\n');
}

function byPart(bills: readonly (readonly CostLine[])[]): string[][] {
    return (bills[0] ?? []).map(({ part }, at) => [part, ...bills.map((lines) => dollars(lines[at]?.usd ?? 0))]);
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
    const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
    return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Two digits that count: more would say what nobody knows. */
function dollars(usd: number): string {
    if (usd < 0.005) {
        return usd < 0.0005 ? '0' : usd.toFixed(3);
    }
    return usd < 10 ? usd.toFixed(2) : whole(Number(usd.toPrecision(2)));
}

function whole(value: number): string {
    return Math.round(value).toLocaleString('en-US');
}
