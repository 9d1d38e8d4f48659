/** Sparkplug B (3.0): its protobuf payloads as a list of records. Names and data types of aliases come from the last births. */
import { isUtf8 } from 'node:buffer';
import { Reader } from 'protobufjs/minimal.js';
import type { Problem } from '../../reading.ts';
import { UnreadableError } from '../json-scanner.ts';
import { doubleText, numberText } from './cbor.ts';
import { shortestFloat32 } from './floats.ts';

/** What a birth says of a metric. */
interface Born {
    name: string;
    datatype: number | undefined;
}

/** What is known of an edge node and its devices since its last birth. */
interface Node {
    byAlias: Map<bigint, Born>;
    /** Data types by device and name. */
    datatypes: Map<string, number>;
}

/** A metric as it travels. */
interface Metric {
    name: string | undefined;
    alias: bigint | undefined;
    timestamp: bigint | undefined;
    datatype: number | undefined;
    isHistorical: boolean;
    isNull: boolean;
    properties: string[];
    value: { kind: 'integer'; bits: bigint } | { kind: 'json'; text: string } | undefined;
}

const INTEGERS: Readonly<Record<number, { bits: number; isSigned: boolean }>> = {
    1: { bits: 8, isSigned: true },
    2: { bits: 16, isSigned: true },
    3: { bits: 32, isSigned: true },
    4: { bits: 64, isSigned: true },
    5: { bits: 8, isSigned: false },
    6: { bits: 16, isSigned: false },
    7: { bits: 32, isSigned: false },
    8: { bits: 64, isSigned: false },
    13: { bits: 64, isSigned: false },
};

const READINGS = new Set(['NBIRTH', 'NDATA', 'DBIRTH', 'DDATA']);
/** Metrics whose births are kept. Beyond it all are forgotten, and asked for anew. */
const MAX_BORN = 200_000;

/** Makes a reader of the payloads of one source, in their order. */
export function openSparkplug(): (
    payload: Uint8Array,
    topic: string | undefined,
) => { json: string; problems: Problem[] } | { problem: Problem } {
    const nodes = new Map<string, Node>();
    let bornCount = 0;
    return (payload, topic) => {
        const [namespace, group, type = '', edge, device] = topic?.split('/') ?? [];
        if (namespace !== 'spBv1.0' || group === undefined) {
            return {
                problem: {
                    reason: 'no_reading',
                    why: `not a reading: the topic is ${topic ?? 'not known'}, and those of Sparkplug B begin with spBv1.0/`,
                },
            };
        }
        if (!READINGS.has(type) || edge === undefined) {
            return { problem: { reason: 'no_reading', why: `not a reading: ${group === 'STATE' ? 'the state of a host' : nameOf(type)}` } };
        }
        const { timestamp, seq, metrics } = readPayload(payload);
        const id = `${group}/${edge}`;
        bornCount += type.endsWith('BIRTH') ? metrics.length : 0;
        if (bornCount > MAX_BORN) {
            nodes.clear();
            bornCount = metrics.length;
        }
        const node = nodeOf(nodes, id, type);
        const records: string[] = [];
        const problems: Problem[] = [];
        for (const metric of metrics) {
            const born = bear(node, metric, { device: device ?? '', isBirth: type.endsWith('BIRTH') });
            if (born === undefined) {
                problems.push({
                    reason: 'no_birth',
                    why: `alias ${metric.alias} has no name: no birth of ${id} came before it in this source`,
                });
                continue;
            }
            const value = metric.isNull ? 'null' : valueText(metric, born.datatype);
            if (value === undefined) {
                const why =
                    metric.value === undefined
                        ? 'it has no value'
                        : `its data type is not known: no birth of ${id} came before it in this source`;
                problems.push({ metric: born.name, reason: metric.value === undefined ? 'no_value' : 'no_birth', why });
                continue;
            }
            const at = metric.timestamp ?? timestamp;
            records.push(
                `{"name":${JSON.stringify(born.name)},"type":"${type}"${at === undefined ? '' : `,"timestamp":${at}`}${seq === undefined ? '' : `,"seq":${seq}`}` +
                    `${metric.isHistorical ? ',"historical":true' : ''}${metric.properties.length === 0 ? '' : `,"properties":{${metric.properties.join(',')}}`},"value":${value}}`,
            );
        }
        return { json: `[${records.join(',')}]`, problems };
    };
}

function nameOf(type: string): string {
    return (
        { NDEATH: 'the death of an edge node', DDEATH: 'the death of a device', NCMD: 'a command', DCMD: 'a command' }[type] ??
        `messages of type ${JSON.stringify(type)} hold none`
    );
}

function nodeOf(nodes: Map<string, Node>, id: string, type: string): Node {
    const known = nodes.get(id);
    if (known !== undefined && type !== 'NBIRTH') {
        return known;
    }
    // The birth of an edge node begins its session anew, and with it all aliases.
    const node: Node = { byAlias: new Map(), datatypes: new Map() };
    if (type.endsWith('BIRTH')) {
        nodes.set(id, node);
    }
    return node;
}

/** Name and data type of a metric; a birth is kept for what follows. */
function bear(node: Node, { name, alias, datatype }: Metric, { device, isBirth }: { device: string; isBirth: boolean }): Born | undefined {
    if (isBirth && name !== undefined) {
        if (alias !== undefined) {
            node.byAlias.set(alias, { name, datatype });
        }
        if (datatype !== undefined) {
            node.datatypes.set(`${device}\n${name}`, datatype);
        }
    }
    const born = alias === undefined ? undefined : node.byAlias.get(alias);
    const known = name ?? born?.name;
    return known === undefined
        ? undefined
        : { name: known, datatype: datatype ?? born?.datatype ?? node.datatypes.get(`${device}\n${known}`) };
}

/** JSON of the value; undefined where there is none, or where its type would have to be known. */
function valueText({ value }: Metric, datatype: number | undefined): string | undefined {
    if (value?.kind !== 'integer') {
        return value?.text;
    }
    const integer = datatype === undefined ? undefined : INTEGERS[datatype];
    if (integer === undefined) {
        return undefined;
    }
    // The low bits count: some writers fill a negative Int8 up to 32 bits, some do not.
    return String(integer.isSigned ? BigInt.asIntN(integer.bits, value.bits) : BigInt.asUintN(integer.bits, value.bits));
}

/** Reads fields until the end; `read` answers false for a field that it does not know. @throws UnreadableError */
function readFields(reader: Reader, end: number, read: (field: number, wire: number) => boolean): void {
    while (reader.pos < end) {
        const tag = readUint32(reader);
        const [field, wire] = [tag >>> 3, tag & 7];
        // Groups, wire types 3 and 4, stand in no version of the format.
        if (field === 0 || wire === 3) {
            throw new UnreadableError('a field of the Sparkplug payload is none of the format');
        }
        if (read(field, wire)) {
            continue;
        }
        if (wire === 0) {
            readVarint(reader);
        } else if (wire === 2) {
            reader.pos = lengthWithin(reader, end);
        } else {
            reader.skipType(wire);
        }
    }
    if (reader.pos !== end) {
        throw new UnreadableError('a part of the Sparkplug payload is longer than it says');
    }
}

function readPayload(payload: Uint8Array): { timestamp: bigint | undefined; seq: bigint | undefined; metrics: Metric[] } {
    const reader = Reader.create(payload);
    let timestamp: bigint | undefined;
    let seq: bigint | undefined;
    const metrics: Metric[] = [];
    try {
        readFields(reader, payload.length, (field, wire) => {
            if (field === 1 && wire === 0) {
                timestamp = readVarint(reader);
            } else if (field === 2 && wire === 2) {
                metrics.push(readMetric(reader, lengthWithin(reader, payload.length)));
            } else if (field === 3 && wire === 0) {
                seq = readVarint(reader);
            } else {
                return false;
            }
            return true;
        });
    } catch (error) {
        throw error instanceof UnreadableError
            ? error
            : new UnreadableError(`it is no Sparkplug payload: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
    return { timestamp, seq, metrics };
}

/** End of the part that begins here. */
function lengthWithin(reader: Reader, end: number): number {
    const length = readUint32(reader);
    if (reader.pos + length > end) {
        throw new UnreadableError('a part of the Sparkplug payload is longer than the whole');
    }
    return reader.pos + length;
}

function readMetric(reader: Reader, end: number): Metric {
    const metric: Metric = {
        name: undefined,
        alias: undefined,
        timestamp: undefined,
        datatype: undefined,
        isHistorical: false,
        isNull: false,
        properties: [],
        value: undefined,
    };
    readFields(reader, end, (field, wire) => {
        switch (field * 8 + wire) {
            case 8 + 2:
                metric.name = readText(reader);
                return true;
            case 16:
                metric.alias = readVarint(reader);
                return true;
            case 24:
                metric.timestamp = readVarint(reader);
                return true;
            case 32:
                metric.datatype = reader.uint32();
                return true;
            case 40:
                metric.isHistorical = readVarint(reader) !== 0n;
                return true;
            case 56:
                metric.isNull = readVarint(reader) !== 0n;
                return true;
            case 72 + 2:
                metric.properties = readProperties(reader, lengthWithin(reader, end));
                return true;
            case 136 + 2:
            case 144 + 2:
                reader.pos = lengthWithin(reader, end);
                metric.value = { kind: 'json', text: '{}' };
                return true;
            default: {
                const value = readValue(reader, field - 10, wire);
                metric.value = value ?? metric.value;
                return value !== undefined;
            }
        }
    });
    return metric;
}

/** The value of a field, of which integer is number 0; undefined, with nothing read, where it is none. */
function readValue(reader: Reader, kind: number, wire: number): Metric['value'] {
    switch (kind * 8 + wire) {
        case 0:
        case 8:
            return { kind: 'integer', bits: readVarint(reader) };
        case 16 + 5:
            return { kind: 'json', text: numberText(shortestFloat32(reader.float())) };
        case 24 + 1:
            return { kind: 'json', text: numberText(doubleText(reader.double())) };
        case 32:
            return { kind: 'json', text: String(readVarint(reader) !== 0n) };
        case 40 + 2:
            return { kind: 'json', text: JSON.stringify(readText(reader)) };
        case 48 + 2:
            return { kind: 'json', text: JSON.stringify(Buffer.from(readBytes(reader)).toString('base64')) };
        default:
            return undefined;
    }
}

/** Members of a JSON object: properties such as engUnit, as far as they are plain values. */
function readProperties(reader: Reader, end: number): string[] {
    const keys: string[] = [];
    const values: (string | undefined)[] = [];
    readFields(reader, end, (field, wire) => {
        if (field === 1 && wire === 2) {
            keys.push(readText(reader));
        } else if (field === 2 && wire === 2) {
            values.push(readProperty(reader, lengthWithin(reader, end)));
        } else {
            return false;
        }
        return true;
    });
    if (keys.length !== values.length || new Set(keys).size < keys.length) {
        throw new UnreadableError('a metric of the Sparkplug payload has properties without a value or a name, or with one name twice');
    }
    return keys.flatMap((key, index) => (values[index] === undefined ? [] : [`${JSON.stringify(key)}:${values[index]}`]));
}

function readProperty(reader: Reader, end: number): string | undefined {
    let datatype: number | undefined;
    let value: Metric['value'];
    readFields(reader, end, (field, wire) => {
        if (field === 1 && wire === 0) {
            datatype = reader.uint32();
            return true;
        }
        const read = field >= 3 && field <= 8 ? readValue(reader, field - 3, wire) : undefined;
        value = read ?? value;
        return read !== undefined;
    });
    return value === undefined ? undefined : value.kind === 'json' ? value.text : valueText({ value } as Metric, datatype ?? 8);
}

function readBytes(reader: Reader): Uint8Array {
    const end = lengthWithin(reader, reader.len);
    const bytes = reader.buf.subarray(reader.pos, end);
    reader.pos = end;
    return bytes;
}

function readText(reader: Reader): string {
    const bytes = readBytes(reader);
    if (!isUtf8(bytes)) {
        throw new UnreadableError('a text of the Sparkplug payload is no UTF-8');
    }
    return Buffer.from(bytes).toString();
}

/** A number of 32 bits: a tag or a length. More bits than those the library would drop. */
function readUint32(reader: Reader): number {
    const start = reader.pos;
    const value = reader.uint32();
    const length = reader.pos - start;
    if (length > 5 || (length === 5 && (reader.buf[reader.pos - 1] as number) > 0x0f)) {
        throw new UnreadableError('a tag or a length of the Sparkplug payload has more than 32 bits');
    }
    return value;
}

/** A varint of up to 64 bits, exactly: numbers of JavaScript end at 53. */
function readVarint(reader: Reader): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
        if (reader.pos >= reader.len) {
            throw new UnreadableError('the Sparkplug payload ends too early');
        }
        const byte = reader.buf[reader.pos++] as number;
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return BigInt.asUintN(64, value);
        }
    }
    throw new UnreadableError('a number of the Sparkplug payload does not end');
}
