/** What records of the two streams become: known by their stream and never by their own words, and nothing is lost of what is not understood. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type DeviceLookup, openDeviceLookup } from '#lake/cloud/device-lookup';
import { encodeEnvelope, type RecordSource, readRecord } from '#lake/cloud/kinesis-record';
import type { StreamRecord } from '#lake/cloud/kinesis-stream';
import { addCertificate, allowPrograms } from '#lake/credentials';
import { registerDevice } from '#lake/devices';
import { StorageError } from '#lake/errors';
import { addInput } from '#lake/inputs';
import { deviceKey } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import { type ChainMessage, decodeLine, encodeMessage } from '#lake/telemetry/chain-line';
import { aggregatedRecord } from '#test/support/aggregated-record';
import { memoryStore } from '#test/support/memory-store';

const AT_MS = Date.UTC(2026, 0, 5, 10);
const CAME_MS = AT_MS + 250;
const PRINCIPAL = 'ab'.repeat(32);
const PAYLOAD = Buffer.from('{"t": 21.30}');

let store: ObjectStore;
let devices: DeviceLookup;
let clock: { ms: number };
let damaged: string[];

beforeEach(async () => {
    store = memoryStore();
    clock = { ms: CAME_MS + 1_000 };
    damaged = [];
    devices = openDeviceLookup({ store, now: () => clock.ms });
    for (const device of ['th-1', 'th-2']) {
        await registerDevice(store, { device, profile: 'thermostat', site: 'shed' }, { today: '2026-01-05' });
        await addCertificate(store, device, {
            fingerprint: PRINCIPAL,
            serial: '1',
            not_after: '2027-01-01T00:00:00Z',
            added: '2026-01-01T00:00:00Z',
        });
    }
    await allowPrograms(store, 'th-1', { now: new Date(0) });
});

const record = (fields: Partial<StreamRecord> = {}): StreamRecord => ({
    sequence: '49',
    key: 'th-1',
    data: PAYLOAD,
    arrivedMs: CAME_MS,
    ...fields,
});

const envelope = (fields: Record<string, unknown> = {}): Buffer =>
    Buffer.from(
        JSON.stringify({ data: PAYLOAD.toString('base64'), topic: 't/th-1/x', at: AT_MS, client: 'th-1', principal: PRINCIPAL, ...fields }),
    );

/** The messages of a record. Each can stand in a chain object, and comes back from it as it was. */
async function read(from: RecordSource, fields: Partial<StreamRecord>): Promise<ChainMessage[]> {
    const messages = await readRecord(record(fields), { from, devices, onDamaged: (why) => damaged.push(why) });
    expect(messages.length).toBeGreaterThan(0);
    for (const message of messages) {
        expect(message.sequence).toBe('49');
        expect(decodeLine(encodeMessage(message))).toEqual({
            is: 'message',
            message: JSON.parse(JSON.stringify({ ...message, payload: 0 }), (name, value) =>
                name === 'payload' ? message.payload : value,
            ),
        });
    }
    return messages;
}

async function readOne(from: RecordSource, fields: Partial<StreamRecord>): Promise<ChainMessage> {
    const [message, ...others] = await read(from, fields);
    expect(others).toEqual([]);
    return message as ChainMessage;
}

describe('a record of the stream telemetry', () => {
    test('from IoT Core is the message of its client, as it arrived there, byte by byte', async () => {
        for (const payload of [PAYLOAD, Buffer.alloc(0), Buffer.from([0xff, 0x00, 0xfe])]) {
            expect(await readOne('telemetry', { data: envelope({ data: payload.toString('base64') }) })).toEqual({
                ...{
                    sequence: '49',
                    arrivedMs: AT_MS,
                    way: 'mqtt',
                    device: 'th-1',
                    topic: 't/th-1/x',
                    session: undefined,
                    headers: undefined,
                },
                ...{ profile: 'thermostat', site: 'shed', refused: undefined, payload },
            });
        }
    });

    test('from HTTP is what the intake has encoded', async () => {
        const message = {
            arrivedMs: AT_MS,
            way: 'http' as const,
            device: 'th-1',
            topic: undefined,
            headers: { 'x-unit': 'Cel' },
            payload: PAYLOAD,
        };
        expect(await readOne('telemetry', { data: encodeEnvelope(message) })).toMatchObject({
            ...{ arrivedMs: AT_MS, way: 'http', device: 'th-1', headers: { 'x-unit': 'Cel' }, profile: 'thermostat', payload: PAYLOAD },
        });
        const refused = { ...message, refused: 'its payload has 140000 bytes, of 131072 at most' };
        expect(await readOne('telemetry', { data: encodeEnvelope(refused) })).toMatchObject({ device: 'th-1', refused: refused.refused });
    });

    test.each([
        ['a foreign topic', { topic: 't/th-2/x' }, 'topic "t/th-2/x" is none of device th-1'],
        ['a payload that is too large', { data: Buffer.alloc(131_073).toString('base64') }, 'its payload has 131073 bytes'],
        ['another certificate', { principal: 'cd'.repeat(32) }, 'the lake knows no certificate cdcdcdcdcdcd... of device th-1'],
    ])('with %s is put aside as the device’s', async (_, fields, why) => {
        const message = await readOne('telemetry', { data: envelope(fields) });
        expect(message).toMatchObject({ device: 'th-1', refused: expect.stringContaining(why) });
        expect(message.payload.length).toBeLessThanOrEqual(4_096);
    });

    test.each([
        ['no JSON', Buffer.from('21.3'), 'no JSON object'],
        ['bytes', Buffer.from([0xff, 0xfe]), 'no JSON object'],
        ['nothing', Buffer.alloc(0), 'no JSON object'],
        ['a list', Buffer.from('[]'), 'no JSON object'],
        ['no time', envelope({ at: '5' }), 'its at is no time'],
        ['no data', envelope({ data: undefined }), 'its data is no base64'],
        ['data that Node would cut', envelope({ data: 'e30' }), 'its data is no base64'],
        ['data with a line end', envelope({ data: 'e30=\n' }), 'its data is no base64'],
        ['no client', envelope({ client: undefined }), 'its client is no id of a device'],
        ['another client than its key', envelope({ client: 'th-2' }), 'it is of device th-2, and its partition key is "th-1"'],
        ['no topic', envelope({ topic: undefined }), 'its topic is no text'],
        ['no principal', envelope({ principal: undefined }), 'its principal is no text'],
        ['another way', envelope({ way: 'kinesis', device: 'th-1' }), 'its way is not http'],
        ['headers that are no texts', envelope({ way: 'http', device: 'th-1', headers: { a: 1 } }), 'topic, headers or refused'],
        ['an aggregated record', aggregatedRecord([{ key: 'th-1', data: envelope() }]), 'no JSON object'],
    ])('that holds %s is put aside, of no device, with what it holds', async (_, data, why) => {
        const message = await readOne('telemetry', { data });
        expect(message).toMatchObject({
            arrivedMs: CAME_MS,
            way: 'kinesis',
            key: 'th-1',
            refused: expect.stringContaining(why),
            payload: data,
        });
        expect(message.device).toBeUndefined();
    });

    test('of a device that is not registered, or whose record is damaged, has no profile, and is no reason to stop', async () => {
        await store.delete(deviceKey('th-1'));
        expect(await readOne('telemetry', { data: envelope() })).toMatchObject({ device: 'th-1', profile: undefined, refused: undefined });
        await store.put(deviceKey('th-2'), Buffer.from('{'));
        const data = envelope({ topic: 't/th-2', client: 'th-2' });
        expect(await readOne('telemetry', { key: 'th-2', data })).toMatchObject({ device: 'th-2', profile: undefined, refused: undefined });
        expect(damaged).toEqual([expect.stringContaining('devices/th-2.json is no record')]);
    });

    test('on a topic that its profile has got since it was remembered is the device’s own', async () => {
        await addInput(store, 'profiles/', 'thermostat', { name: 'thermostat' });
        await readOne('telemetry', { data: envelope() });
        await addInput(store, 'profiles/', 'thermostat', { name: 'thermostat', topics: ['tele/{device}/s'], device: { text: '{device}' } });
        clock.ms += 60_000;
        const data = envelope({ topic: 'tele/th-1/s', at: clock.ms });
        clock.ms += 1;
        expect(await readOne('telemetry', { data })).toMatchObject({ topic: 'tele/th-1/s', refused: undefined });
    });

    test('is not put aside because the lake cannot be read: it has to come again', async () => {
        const broken = openDeviceLookup({
            now: () => clock.ms,
            store: {
                get: async () => {
                    throw new StorageError('S3 does not answer');
                },
            },
        });
        await expect(readRecord(record({ data: envelope() }), { from: 'telemetry', devices: broken })).rejects.toThrow(
            'S3 does not answer',
        );
        await expect(readRecord(record(), { from: 'programs', devices: broken })).rejects.toThrow('S3 does not answer');
    });
});

describe('a record of the stream of programs', () => {
    test('is of the device that its partition key names, where programs may write as it', async () => {
        expect(await readOne('programs', {})).toMatchObject({
            ...{
                arrivedMs: CAME_MS,
                way: 'kinesis',
                device: 'th-1',
                key: 'th-1',
                profile: 'thermostat',
                site: 'shed',
                refused: undefined,
                payload: PAYLOAD,
            },
        });
    });

    test('is put aside where they may not, whatever its payload says', async () => {
        for (const data of [PAYLOAD, envelope(), encodeEnvelope({ arrivedMs: AT_MS, way: 'http', device: 'th-1', payload: PAYLOAD })]) {
            const message = await readOne('programs', { key: 'th-2', data });
            expect(message).toMatchObject({
                way: 'kinesis',
                key: 'th-2',
                refused: expect.stringContaining('programs may not write as device th-2'),
                payload: data,
            });
            expect(message.device).toBeUndefined();
        }
        expect(await readOne('programs', { key: 'no id!' })).toMatchObject({ refused: '"no id!" is no id of a device' });
        expect(await readOne('programs', { key: 'th-9' })).toMatchObject({ refused: expect.stringContaining('device add th-9 --program') });
    });

    test('that is aggregated holds messages of several devices, each by its own right, all with one number', async () => {
        const entries = [
            { key: 'th-1', data: '{"n":1}' },
            { key: 'th-2', data: '{"n":2}' },
            { key: 'th-1', data: Buffer.from([0xff]) },
        ];
        const messages = await read('programs', { key: 'a', data: aggregatedRecord(entries) });
        expect(messages.map(({ key, device, payload }) => [key, device, payload])).toEqual([
            ['th-1', 'th-1', Buffer.from('{"n":1}')],
            ['th-2', undefined, Buffer.from('{"n":2}')],
            ['th-1', 'th-1', Buffer.from([0xff])],
        ]);
        expect(messages[1]?.refused).toContain('programs may not write as device th-2');
    });

    test.each([
        ['whose digest is another', (whole: Buffer) => Buffer.concat([whole.subarray(0, -1), Buffer.of((whole.at(-1) ?? 0) ^ 1)])],
        ['that is cut', (whole: Buffer) => whole.subarray(0, 40)],
        ['that is its mark alone', (whole: Buffer) => whole.subarray(0, 4)],
    ])('%s is one message, as it is', async (_, spoil) => {
        const data = spoil(aggregatedRecord([{ key: 'th-1', data: 'x'.repeat(100) }]));
        expect(await readOne('programs', { data })).toMatchObject({ device: 'th-1', payload: data });
    });

    test.each([
        ['is cut inside', (body: Buffer) => body.subarray(0, -3)],
        ['names a key that is not there', (body: Buffer) => body.subarray(body.indexOf(18))],
        ['is no protobuf', () => Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])],
    ])('whose message %s under a right digest is one message, as it is', async (_, spoil) => {
        const data = aggregatedRecord([{ key: 'th-1', data: '{}' }], { spoil });
        expect(await readOne('programs', { data })).toMatchObject({ device: 'th-1', payload: data });
    });

    test('that is aggregated of nothing is put aside', async () => {
        expect(await readOne('programs', { data: aggregatedRecord([]) })).toMatchObject({
            refused: 'an aggregated record without a message',
        });
    });
});
