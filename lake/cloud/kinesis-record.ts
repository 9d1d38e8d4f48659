/**
 * What the records of the two streams say. A record is known by its stream, never by its own words: the stream `telemetry` is written by the IoT rule and the
 * intake function alone, each record an envelope of one message; the stream of programs holds what programs put there, known by the partition key.
 *
 *     from IoT Core   {"data": base64, "topic": "t/th-1/x", "at": 1767607200000, "client": "th-1", "principal": "<fingerprint>"}
 *     from HTTP       {"way": "http", "device": "th-1", "topic": "t/th-1", "headers": {...}, "at": 1767607200000, "data": base64, "refused": "..."}
 *
 * What is none of these is put aside: never thrown, never lost.
 */
import { isDeviceId } from '#lake/layout';
import type { NewMessage } from '#lake/live/inbox';
import { type Arrival, cutAside, judgeArrival } from '#lake/live/judge-arrival';
import type { KnownDevice } from '#lake/live/known-devices';
import type { ChainMessage } from '#lake/telemetry/chain-line';
import type { DeviceLookup } from './device-lookup.ts';
import { splitAggregated } from './kinesis-aggregated.ts';
import type { StreamRecord } from './kinesis-stream.ts';

/** Which stream a record is of: that of the lake's own ways in, or that of programs. */
export type RecordSource = 'telemetry' | 'programs';

export interface ReadRecordOptions {
    from: RecordSource;
    devices: DeviceLookup;
    /** Called where a device's entry in the registry is damaged: its messages have no profile until that is mended. */
    onDamaged?: ((why: string) => void) | undefined;
}

/** A message as its record says it, before the lake is asked about its device. */
type Told = { ok: true; arrival: Arrival; arrivedMs: number; principal?: string | undefined } | { ok: false; why: string };

/**
 * The messages of a record, all with its sequence number: one, or as many as a program has aggregated in it. Whatever the record holds, there is one at least.
 * @throws StorageError where the lake cannot be asked about a device; the record must be read again then
 */
export async function readRecord(record: StreamRecord, { from, devices, onDamaged }: ReadRecordOptions): Promise<ChainMessage[]> {
    const { sequence } = record;
    if (from === 'telemetry') {
        const told = readEnvelope(record);
        return [{ sequence, ...(await judge(record, told, { devices, onDamaged })) }];
    }
    const messages: ChainMessage[] = [];
    for (const { key, data } of splitAggregated(record.data) ?? [record]) {
        const own = { ...record, key, data };
        messages.push({ sequence, ...(await judge(own, await tellProgram(own, devices), { devices, onDamaged })) });
    }
    return messages.length > 0 ? messages : [{ sequence, ...putAside(record, 'an aggregated record without a message') }];
}

/** The envelope of a message that came by HTTP, as it goes into the stream. */
export function encodeEnvelope({ way, device, topic, headers, arrivedMs, payload, refused }: NewMessage): Buffer {
    return Buffer.from(JSON.stringify({ way, device, topic, headers, at: arrivedMs, data: payload.toString('base64'), refused }));
}

/** The message with what the lake says of its device. */
async function judge(
    record: StreamRecord,
    told: Told,
    { devices, onDamaged }: Pick<ReadRecordOptions, 'devices' | 'onDamaged'>,
): Promise<NewMessage> {
    if (!told.ok) {
        return putAside(record, told.why);
    }
    const { arrival, arrivedMs, principal } = told;
    const { device } = arrival;
    const find = async (readSinceMs?: number): Promise<KnownDevice | undefined> => {
        const found = await devices.find(device, { atMs: arrivedMs, ...(readSinceMs !== undefined && { readSinceMs }) });
        if (!found.ok && found.isDamaged) {
            onDamaged?.(found.why);
        }
        return found.ok ? found.device : undefined;
    };
    const refused =
        arrival.refused ??
        (principal === undefined ? undefined : await devices.whyNotItsCertificate(device, { fingerprint: principal, atMs: arrivedMs }));
    const message = judgeArrival({ ...arrival, refused }, { known: await find(), arrivedMs });
    if (message.refused === undefined || refused !== undefined) {
        return message;
    }
    // What is remembered of the device may be older than the message: its profile may have got other topics.
    return judgeArrival(arrival, { known: await find(arrivedMs), arrivedMs });
}

/** What a program says, by the right of the device that its partition key names. */
async function tellProgram({ key, data, arrivedMs }: StreamRecord, devices: DeviceLookup): Promise<Told> {
    const why = await devices.whyNoProgram(key, arrivedMs);
    return why === undefined ? { ok: true, arrival: { way: 'kinesis', device: key, key, payload: data }, arrivedMs } : { ok: false, why };
}

/** A record that is of no device: what it holds is kept as far as rejects are shown. */
function putAside({ key, data, arrivedMs }: StreamRecord, refused: string): NewMessage {
    return { arrivedMs, way: 'kinesis', key, refused, payload: cutAside(data) };
}

/** The envelope in a record of the stream `telemetry`. */
function readEnvelope({ key, data }: StreamRecord): Told {
    const fields = parseObject(data);
    if (!fields) {
        return noEnvelope('it is no JSON object');
    }
    const { at, topic, way, data: base64 } = fields;
    const payload = decodeBase64(base64);
    const device = way === undefined ? fields.client : fields.device;
    if (typeof at !== 'number' || !Number.isSafeInteger(at) || at < 0) {
        return noEnvelope('its at is no time in milliseconds');
    }
    if (!payload) {
        return noEnvelope('its data is no base64');
    }
    if (typeof device !== 'string' || !isDeviceId(device)) {
        return noEnvelope(`its ${way === undefined ? 'client' : 'device'} is no id of a device`);
    }
    if (device !== key) {
        return noEnvelope(`it is of device ${device}, and its partition key is ${JSON.stringify(key.slice(0, 200))}`);
    }
    if (way === undefined) {
        const { principal } = fields;
        if (typeof topic !== 'string' || typeof principal !== 'string') {
            return noEnvelope(`its ${typeof topic === 'string' ? 'principal' : 'topic'} is no text`);
        }
        return { ok: true, arrival: { way: 'mqtt', device, topic, payload }, arrivedMs: at, principal };
    }
    const headers = textsOf(fields.headers);
    const { refused } = fields;
    if (way !== 'http' || !isTextOrMissing(topic) || !headers || !isTextOrMissing(refused)) {
        return noEnvelope(way === 'http' ? 'its topic, headers or refused are no texts' : 'its way is not http');
    }
    const arrival: Arrival = { way, device, topic, payload, refused, ...(fields.headers !== undefined && { headers }) };
    return { ok: true, arrival, arrivedMs: at };
}

function noEnvelope(why: string): Told {
    return { ok: false, why: `no envelope of the IoT rule or of the HTTP API: ${why}` };
}

function parseObject(data: Buffer): Record<string, unknown> | undefined {
    try {
        const value: unknown = JSON.parse(data.toString());
        return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
    } catch {
        return undefined;
    }
}

/** Node skips what is no base64: only bytes that are written so again are what was sent. */
function decodeBase64(value: unknown): Buffer | undefined {
    if (typeof value !== 'string') {
        return undefined;
    }
    const bytes = Buffer.from(value, 'base64');
    return bytes.toString('base64') === value ? bytes : undefined;
}

function isTextOrMissing(value: unknown): value is string | undefined {
    return value === undefined || typeof value === 'string';
}

function textsOf(value: unknown): Record<string, string> | undefined {
    if (value === undefined) {
        return {};
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        return undefined;
    }
    const entries = Object.entries(value);
    return entries.every((entry): entry is [string, string] => typeof entry[1] === 'string') ? Object.fromEntries(entries) : undefined;
}
