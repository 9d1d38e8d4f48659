/** What the queues carry is understood as S3 and this program write it, and nothing else is. */
import fc from 'fast-check';
import { groupOf, parsePeriodNews, parseSourceNews, periodMessage, sourceMessage } from '#lake/work/messages';
import { ofDay } from '#test/support/flow-tables';

const AT = new Date('2026-03-31T10:00:00.000Z');

/** A record as S3 sends it, shortened by what nobody reads. */
function record(key: string, bucket = 'lake') {
    return {
        eventSource: 'aws:s3',
        eventTime: AT.toISOString(),
        eventName: 'ObjectCreated:Put',
        s3: { bucket: { name: bucket }, object: { key } },
    };
}

const parse = (...records: unknown[]) => parseSourceNews(JSON.stringify({ Records: records }));

test('a key is read as a form writes it: a plus is a blank, and everything else stands in percent signs', () => {
    expect(parse(record('raw/site%3Dberlin/a+b%2Bc%25.csv'))).toEqual([
        { bucket: 'lake', key: 'raw/site=berlin/a b+c%.csv', uploadedAt: AT },
    ]);
    expect(parse(record('raw/Z%C3%BCrich.csv'), record('raw/b.csv')).map(({ key }) => key)).toEqual(['raw/Zürich.csv', 'raw/b.csv']);
});

test('a test event, another prefix and a folder of the console are news of nothing', () => {
    expect(parseSourceNews(JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'lake' }))).toEqual([]);
    expect(parse(record('exports/a.csv'), record('raw/site%3Dberlin/'))).toEqual([]);
});

test.each([
    ['no JSON', 'hello'],
    ['no object', '7'],
    ['no records', '{}'],
    ['a record without a key', JSON.stringify({ Records: [{ s3: { bucket: { name: 'lake' } } }] })],
    ['a record without a time', JSON.stringify({ Records: [{ s3: { bucket: { name: 'lake' }, object: { key: 'raw/a' } } }] })],
    ['a key that is no form', JSON.stringify({ Records: [record('raw/%E0%A4%A')] })],
])('%s is an error, so that a person sees it', (_, body) => {
    expect(() => parseSourceNews(body)).toThrow();
});

describe('news by another way than from S3 itself', () => {
    const fromTopic = (message: unknown) =>
        JSON.stringify({
            Type: 'Notification',
            MessageId: 'm',
            TopicArn: 'arn:aws:sns:eu-central-1:1:raw',
            Message: JSON.stringify(message),
        });
    const event = (key: string, more = {}) => ({
        ...{ version: '0', 'detail-type': 'Object Created', source: 'aws.s3', time: AT.toISOString() },
        detail: { version: '0', bucket: { name: 'lake' }, object: { key, size: 1 }, reason: 'PutObject' },
        ...more,
    });

    test('from a topic of SNS, and from one that a topic hands on to, is what S3 wrote', () => {
        const s3 = { Records: [record('raw/site%3Dberlin/a+b.csv')] };
        const news = [{ bucket: 'lake', key: 'raw/site=berlin/a b.csv', uploadedAt: AT }];
        expect(parseSourceNews(fromTopic(s3))).toEqual(news);
        expect(parseSourceNews(fromTopic(JSON.parse(fromTopic(s3))))).toEqual(news);
        expect(parseSourceNews(fromTopic({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'lake' }))).toEqual([]);
    });

    test('of EventBridge names the key as it is: a plus is a plus', () => {
        const news = [{ bucket: 'lake', key: 'raw/a+b 100%.csv', uploadedAt: AT }];
        expect(parseSourceNews(JSON.stringify(event('raw/a+b 100%.csv')))).toEqual(news);
        expect(parseSourceNews(fromTopic(event('raw/a+b 100%.csv')))).toEqual(news);
        expect(parseSourceNews(JSON.stringify(event('exports/a.csv')))).toEqual([]);
    });

    test.each([
        [
            'an event that names no object',
            JSON.stringify(event('x', { detail: { bucket: { name: 'lake' } } })),
            /names no bucket or no key/,
        ],
        ['an event without a time', JSON.stringify(event('raw/a', { time: undefined })), /does not say when/],
        ['an event of another service', JSON.stringify(event('raw/a', { source: 'aws.ec2' })), /no S3 event notification/],
        ['a notification around no JSON', JSON.stringify({ Type: 'Notification', TopicArn: 't', Message: 'hello' }), SyntaxError],
        [
            'a topic that asks to be confirmed',
            JSON.stringify({
                Type: 'SubscriptionConfirmation',
                TopicArn: 'arn:aws:sns:eu-central-1:1:raw',
                Message: 'You have chosen',
                Token: 's3cr3t',
            }),
            /^arn:aws:sns:eu-central-1:1:raw asks whether .* confirm it/,
        ],
    ])('%s is an error, so that a person sees it', (_, body, what) => {
        expect(() => parseSourceNews(body)).toThrow(what as RegExp);
    });
});

test('what is sent again is understood as what S3 sent, whatever the key is', () => {
    fc.assert(
        fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
            const news = { bucket: 'lake', key: `raw/${name}x`, uploadedAt: AT };
            expect(parseSourceNews(sourceMessage(news))).toEqual([news]);
        }),
    );
});

test('a day is understood as it was sent, and nothing else is a day', () => {
    const news = { ...ofDay('2026-03-31'), uploadedAt: AT };
    expect(parsePeriodNews(periodMessage(news))).toEqual(news);
    expect(() => parsePeriodNews('{}')).toThrow('names no table');
    expect(() => parsePeriodNews('{"table":"pair_days"}')).toThrow('names no day');
    expect(() => parsePeriodNews('{"table":"pair_days","period":"2026-03-31"}')).toThrow('does not say when');
    expect(() => parsePeriodNews('{"table":"pair_days","period":"../x","uploaded_at":"2026-03-31T10:00:00Z"}')).toThrow('names no day');
    expect(() => parsePeriodNews('{"table":"pair_days","period":"2026-03-31T13","uploaded_at":"2026-03-31T10:00:00Z"}')).toThrow(
        'names no day (YYYY-MM-DD)',
    );
});

test('a day that an earlier version sent, without a table, is a day of flows', () => {
    expect(parsePeriodNews('{"day":"2026-03-31","uploaded_at":"2026-03-31T10:00:00.000Z"}')).toEqual({
        ...ofDay('2026-03-31'),
        uploadedAt: AT,
    });
    expect(() => parsePeriodNews('{"day":"2026-03-31"}')).toThrow('does not say when');
    expect(() => parsePeriodNews('{"day":"../x","uploaded_at":"2026-03-31T10:00:00Z"}')).toThrow('names no day');
});

test('a table that this program does not consolidate is refused, and those that it does are named', () => {
    for (const table of ['device_readings', 'flow_summaries', 'sources']) {
        const message = periodMessage({ table, period: '2026-03-31', uploadedAt: AT });
        expect(() => parsePeriodNews(message)).toThrow(/^the message names no table whose periods are consolidated \(pair_days\b/);
    }
});

test('periods of two tables do not hold each other up', () => {
    const groups = [
        { table: 'pair_days', period: '2026-03-31' },
        { table: 'device_days', period: '2026-03-31' },
        { table: 'device_hours', period: '2026-03-31T13' },
        { table: 'device_hours', period: '2026-03-31T14' },
    ].map(groupOf);
    expect(new Set(groups).size).toBe(groups.length);
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagegroupid-property.html
    expect(groups.every((group) => /^[\w!"#$%&'()*+,\-./:;<=>?@[\\\]^`{|}~]{1,128}$/.test(group))).toBe(true);
});
