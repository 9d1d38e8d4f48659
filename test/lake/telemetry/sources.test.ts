/** What is known of a file of messages beside its readings: what its beginning tells, which readings it begins with, and which messages figures come from. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { telemetry } from '#lake/telemetry/kind';
import { readBytes, sourceOf } from './support.ts';

const meter = {
    name: 'meter',
    device: { path: 'id' },
    time: [{ path: 't', unit: 's' }, 'arrival'],
    metrics: [
        { name: 'power', path: 'p', unit: 'W', digits: 1, max: 1000 },
        { name: 'state', path: 's', kind: 'text' },
    ],
    ignore: ['noise'],
};
const lake = { profiles: { meter }, profile: 'meter' };
const SECOND = 1_767_607_200;

function linesOf(count: number): string[] {
    return Array.from({ length: count }, (_, at) => `{"id":"m${at % 3}","t":${SECOND + at * 60},"p":${at}.5}`);
}

async function* once(bytes: Buffer | string): AsyncGenerator<Buffer> {
    yield Buffer.from(bytes as string);
}

describe('the beginning of a file', () => {
    it.each(['{"id":1}', '[{"id":1}]', '{\n "id": 1\n}', 'id;t;p\n1;2;3\n', '\ufeff{"id":1}'])(
        'tells that it may have messages: %j',
        async (text) => {
            expect(await telemetry.inspect(once(text))).toEqual({ is: 'usable' });
            expect(await telemetry.inspect(once(gzipSync(text)))).toEqual({ is: 'usable' });
        },
    );

    it.each([
        ['', 'the file is empty'],
        ['# Notes\n\nNothing.\n', 'no header'],
        ['%PDF-1.7\n', 'PDF'],
        ['PAR1', 'Parquet'],
    ])('tells that it has none: %j', async (text, why) => {
        expect(await telemetry.inspect(once(text))).toMatchObject({ is: 'unusable', why: expect.stringContaining(why) });
    });
});

describe('names of files', () => {
    it('are likely ones by their ending', () => {
        expect(['a.jsonl', 'a.ndjson.gz', 'a.JSON', 'a.csv.zst', 'a.senml'].filter((name) => !telemetry.isLikelyName(name))).toEqual([]);
        expect(['a.txt', 'README.md', 'json', 'a.pcap'].filter((name) => telemetry.isLikelyName(name))).toEqual([]);
    });
});

describe('hashes of the first messages', () => {
    const beginningOf = (text: string): Promise<readonly string[]> =>
        telemetry.beginning?.(sourceOf(Buffer.from(text), lake), { profile: 'meter' }) ?? Promise.resolve([]);

    it('are those that reading all of the file finds', async () => {
        for (const count of [0, 1, 3, 64, 500]) {
            const text = [...linesOf(count), '{"nonsense":1}', ''].join('\n');
            const { outcome } = await readBytes(text, lake);
            const first = await beginningOf(text);
            expect(first).toEqual(outcome.ok ? outcome.beginning : undefined);
            expect(first).toHaveLength(count === 0 ? 0 : Math.min(7, Math.floor(Math.log2(count)) + 1));
        }
    });

    it('are alike for files with the same readings in another form', async () => {
        const array = `[${linesOf(5).join()}]`;
        expect(await beginningOf(array)).toEqual(await beginningOf(linesOf(5).join('\n')));
        expect(await beginningOf(linesOf(5).toReversed().join('\n'))).not.toEqual(await beginningOf(array));
    });
});

describe('a source', () => {
    it('tells of fields that no profile names, of devices, and of clocks that were not believed', async () => {
        const lines = ['{"id":"a","p":1,"fw":"1.2","noise":3}', `{"id":"b","t":${SECOND},"p":1,"more":{"x":1}}`];
        const log = lines.map((payload) => JSON.stringify({ topic: 't', arrived_ms: SECOND * 1000, payload }));
        const { outcome } = await readBytes(log.join('\n'), lake);
        expect(outcome).toMatchObject({
            rowsRead: 2,
            rowsRejected: 0,
            found: { unknown_fields: 'fw, more', devices: 2, clock_arrival: 1, readings: 2 },
        });
        const doubts = telemetry.doubtsOf(outcome.found, { options: {}, now: new Date() });
        expect(doubts.map(({ text }) => text)).toEqual([
            expect.stringContaining('told no time that can be believed for 50 % of the readings'),
            expect.stringContaining('have fields that no profile names'),
        ]);
    });

    it('keeps what is sound of a message, and rejects the metric that is not', async () => {
        const { outcome, rejects } = await readBytes(`{"id":"a","t":${SECOND},"p":2000,"s":"on"}`, lake);
        expect(outcome).toMatchObject({
            rowsRead: 1,
            rowsRejected: 0,
            found: { readings: 1, metrics_rejected: 1, rejected: 'out_of_limits 1' },
        });
        expect(rejects).toMatchObject([
            { line_number: 1, metric: 'power', reason: 'out_of_limits', why: expect.stringContaining('above 1000') },
        ]);
        expect(telemetry.doubtsOf(outcome.found, { options: {}, now: new Date() })).toMatchObject([
            { text: expect.stringContaining('no reading') },
        ]);
    });

    it('has one reject of the whole message where none of its metrics is sound', async () => {
        const { outcome, rejects } = await readBytes(`{"id":"a","t":${SECOND},"p":2000}\n{"id":"a","t":${SECOND},"p":"much"}`, lake);
        expect(outcome).toMatchObject({ rowsRead: 2, rowsRejected: 2, found: { readings: 0, metrics_rejected: 2 } });
        expect(rejects.map(({ line_number, metric, reason }) => [line_number, metric, reason])).toEqual([
            [1, null, 'no_value'],
            [1, 'power', 'out_of_limits'],
            [2, null, 'no_value'],
            [2, 'power', 'wrong_type'],
        ]);
    });

    it('says which messages the figures of a metric in an hour come from', async () => {
        const text = linesOf(200).concat(linesOf(2)).join('\n');
        const found: unknown[] = [];
        const problem = await telemetry.trace(sourceOf(Buffer.from(text), lake), {
            key: ['m1', 'power'],
            period: '2026-01-05T11',
            options: { profile: 'meter' },
            found: {},
            onRow: ({ lineNumber, line, values }) => found.push([lineNumber, line, values.copies]),
        });
        expect(problem).toBeUndefined();
        const expected = linesOf(200).flatMap((line, at) => (at % 3 === 1 && Math.floor(at / 60) === 1 ? [[at + 1, line, 1n]] : []));
        expect(found).toEqual(expected);
    });
});
