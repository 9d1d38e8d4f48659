/** Payloads of Sparkplug B as lists of records: Sparkplug 3.0, 6.4, and Protocol Buffers, "Encoding". */
import { isUtf8 } from 'node:buffer';
import { NotFollowedError } from '#lake/verify/second-reading';
import { NoJsonError } from '../json-tree.ts';
import type { Decoded } from './decoded.ts';
import { floatText } from './shortest.ts';

/** A field as it stands: the number of a varint, else its bytes. */
interface Field {
    number: bigint;
    wire: number;
    value: bigint;
    bytes: Buffer;
}

const [VARINT, EIGHT, SOME, FOUR] = [0, 1, 2, 5];

/** What births have told of an edge node and its devices. */
interface Births {
    /** Name and type of each alias, which is one for the node and all of its devices. */
    aliases: Map<bigint, { name: string; type: bigint | undefined }>;
    /** Types by device and name. */
    types: Map<string, bigint>;
}

/** Beyond it the first reader forgets births, which this one need not do the same way. */
const MAX_BIRTHS = 200_000;

/** Bits of whole numbers by their types, below 0 where they have a sign: Sparkplug 3.0, 6.4.16. */
const BITS: Readonly<Record<string, number>> = { 1: -8, 2: -16, 3: -32, 4: -64, 5: 8, 6: 16, 7: 32, 8: 64, 13: 64 };

/** Reads the payloads of one source, in their order. */
export class SparkplugReader {
    readonly #births = new Map<string, Births>();
    #count = 0;

    /** @returns a reason where the message is none of readings @throws NoJsonError for what is no payload */
    read(payload: Uint8Array, topic: string | undefined): Decoded | { reason: string } {
        const [namespace, group, type = '', edge, device = ''] = (topic ?? '').split('/');
        if (namespace !== 'spBv1.0' || !/^[ND](BIRTH|DATA)$/.test(type) || edge === undefined) {
            return { reason: 'no_reading' };
        }
        const fields = fieldsOf(Buffer.from(payload));
        const metrics = fields.filter(({ number, wire }) => number === 2n && wire === SOME).map(({ bytes }) => new Metric(fieldsOf(bytes)));
        const [timestamp, seq] = [lastWhole(fields, 1n), lastWhole(fields, 3n)];
        const isBirth = type.endsWith('BIRTH');
        const births = this.#birthsOf(JSON.stringify([group, edge]), { isBirth, isNode: type === 'NBIRTH', count: metrics.length });
        const made: Decoded = { json: '', problems: [] };
        const records: string[] = [];
        for (const metric of metrics) {
            const { name: own, alias, type: said } = metric;
            if (isBirth && own !== undefined) {
                if (alias !== undefined) {
                    births.aliases.set(alias, { name: own, type: said });
                }
                if (said !== undefined) {
                    births.types.set(JSON.stringify([device, own]), said);
                }
            }
            const known = alias === undefined ? undefined : births.aliases.get(alias);
            const name = own ?? known?.name;
            if (name === undefined) {
                made.problems.push({ reason: 'no_birth' });
                continue;
            }
            const value = metric.valueAs(said ?? known?.type ?? births.types.get(JSON.stringify([device, name])));
            if (value === undefined) {
                made.problems.push({ reason: metric.hasValue ? 'no_birth' : 'no_value', metric: name });
                continue;
            }
            const members: [string, string | undefined][] = [
                ['name', JSON.stringify(name)],
                ['type', JSON.stringify(type)],
                ['timestamp', (metric.timestamp ?? timestamp)?.toString()],
                ['seq', seq?.toString()],
                ['historical', metric.isHistorical ? 'true' : undefined],
                ['properties', metric.properties],
                ['value', value],
            ];
            records.push(`{${members.flatMap(([key, text]) => (text === undefined ? [] : [`"${key}":${text}`])).join(',')}}`);
        }
        return { ...made, json: `[${records.join(',')}]` };
    }

    #birthsOf(id: string, { isBirth, isNode, count }: { isBirth: boolean; isNode: boolean; count: number }): Births {
        this.#count += isBirth ? count : 0;
        if (this.#count > MAX_BIRTHS) {
            throw new NotFollowedError(`it has births of more than ${MAX_BIRTHS} metrics of Sparkplug`);
        }
        const known = isNode ? undefined : this.#births.get(id);
        const births = known ?? { aliases: new Map(), types: new Map() };
        if (isBirth) {
            this.#births.set(id, births);
        }
        return births;
    }
}

/** What a metric's fields say; of each the last one counts. */
class Metric {
    readonly name: string | undefined;
    readonly alias: bigint | undefined;
    readonly timestamp: bigint | undefined;
    readonly type: bigint | undefined;
    readonly isHistorical: boolean;
    /** Members of a JSON object; undefined where there are none. */
    readonly properties: string | undefined;
    readonly #isNull: boolean;
    readonly #value: Held | undefined;

    constructor(fields: readonly Field[]) {
        this.name = lastText(fields, 1n);
        this.alias = lastWhole(fields, 2n);
        this.timestamp = lastWhole(fields, 3n);
        this.type = typeIn(fields, 4n);
        this.isHistorical = (lastWhole(fields, 5n) ?? 0n) !== 0n;
        this.#isNull = (lastWhole(fields, 7n) ?? 0n) !== 0n;
        const sets = fields.filter(({ number, wire }) => number === 9n && wire === SOME);
        this.properties = sets.map(({ bytes }) => propertiesIn(bytes)).at(-1);
        this.#value = heldIn(fields, 10n);
    }

    get hasValue(): boolean {
        return this.#value !== undefined;
    }

    /** JSON of the value; undefined where there is none, or where nothing tells its type. */
    valueAs(type: bigint | undefined): string | undefined {
        return this.#isNull ? 'null' : this.#value === undefined ? undefined : textOf(this.#value, type);
    }
}

/** A whole number, of which the type tells the sign, or JSON. */
type Held = bigint | string;

function textOf(held: Held, type: bigint | undefined): string | undefined {
    if (typeof held === 'string') {
        return held;
    }
    const bits = BITS[String(type)];
    return bits === undefined ? undefined : String(bits < 0 ? BigInt.asIntN(-bits, held) : BigInt.asUintN(bits, held));
}

/** The last value among the fields, of which `first` is the number of whole numbers. */
function heldIn(fields: readonly Field[], first: bigint): Held | undefined {
    return fields.map((field) => heldBy(field, first)).findLast((held) => held !== undefined);
}

function heldBy({ number, wire, value, bytes }: Field, first: bigint): Held | undefined {
    switch (`${number - first} ${wire}`) {
        case `0 ${VARINT}`:
        case `1 ${VARINT}`:
            return value;
        case `2 ${FOUR}`:
        case `3 ${EIGHT}`:
            return floatText(bytes);
        case `4 ${VARINT}`:
            return String(value !== 0n);
        case `5 ${SOME}`:
            return JSON.stringify(textIn(bytes));
        case `6 ${SOME}`:
            return first === 10n ? JSON.stringify(bytes.toString('base64')) : undefined;
        case `7 ${SOME}`:
        case `8 ${SOME}`:
            // A data set or a template: it is there, and no value.
            return first === 10n ? '{}' : undefined;
        default:
            return undefined;
    }
}

/** Properties that are plain values, as members of a JSON object; undefined where there are none. Keys and values must be as many: Sparkplug 3.0, 6.4.10. */
function propertiesIn(set: Buffer): string | undefined {
    const fields = fieldsOf(set).filter(({ wire }) => wire === SOME);
    const keys = fields.filter(({ number }) => number === 1n).map(({ bytes }) => textIn(bytes));
    const values = fields.filter(({ number }) => number === 2n).map(({ bytes }) => fieldsOf(bytes));
    if (keys.length !== values.length || new Set(keys).size < keys.length) {
        throw new NoJsonError('properties without values, or values without names of their own');
    }
    const members = values.flatMap((value, at) => {
        const held = heldIn(value, 3n);
        const text = held === undefined ? undefined : textOf(held, typeIn(value, 1n) ?? 8n);
        return text === undefined ? [] : [`${JSON.stringify(keys[at])}:${text}`];
    });
    return members.length === 0 ? undefined : `{${members.join(',')}}`;
}

function lastWhole(fields: readonly Field[], number: bigint): bigint | undefined {
    return fields.findLast((field) => field.number === number && field.wire === VARINT)?.value;
}

/** A type is a number of 32 bits; what is wider is cut, as Protocol Buffers have it. */
function typeIn(fields: readonly Field[], number: bigint): bigint | undefined {
    const type = lastWhole(fields, number);
    return type === undefined ? undefined : BigInt.asUintN(32, type);
}

function lastText(fields: readonly Field[], number: bigint): string | undefined {
    const texts = fields.filter((field) => field.number === number && field.wire === SOME).map(({ bytes }) => textIn(bytes));
    return texts.at(-1);
}

function textIn(bytes: Buffer): string {
    if (!isUtf8(bytes)) {
        throw new NoJsonError('no UTF-8');
    }
    return bytes.toString();
}

/** The fields of a message. @throws NoJsonError where it is none */
function fieldsOf(bytes: Buffer): Field[] {
    const fields: Field[] = [];
    let at = 0;
    const varint = (): bigint => {
        let value = 0n;
        for (let place = 0n; place < 10n; place += 1n) {
            const byte = bytes[at];
            if (byte === undefined) {
                throw new NoJsonError('it ends too early');
            }
            at += 1;
            value |= BigInt(byte & 127) << (7n * place);
            if (byte < 128) {
                return BigInt.asUintN(64, value);
            }
        }
        throw new NoJsonError('a number that does not end');
    };
    /** A tag or a length: 32 bits, in five bytes at most. */
    const narrow = (): bigint => {
        const start = at;
        const value = varint();
        if (at - start > 5 || value >> 32n > 0n) {
            throw new NoJsonError('more than 32 bits');
        }
        return value;
    };
    const take = (length: bigint): Buffer => {
        const end = at + Number(length);
        if (end > bytes.length) {
            throw new NoJsonError('a part that is longer than the whole');
        }
        const taken = bytes.subarray(at, end);
        at = end;
        return taken;
    };
    while (at < bytes.length) {
        const tag = narrow();
        const [number, wire] = [tag >> 3n, Number(tag & 7n)];
        if (number === 0n) {
            throw new NoJsonError('a field without a number');
        }
        const field: Field = { number, wire, value: 0n, bytes: Buffer.alloc(0) };
        if (wire === VARINT) {
            field.value = varint();
        } else if (wire === SOME) {
            field.bytes = take(narrow());
        } else if (wire === FOUR || wire === EIGHT) {
            // The lowest byte comes first.
            field.bytes = Buffer.from(take(wire === FOUR ? 4n : 8n)).reverse();
        } else {
            // The format has no groups.
            throw new NoJsonError('no field');
        }
        fields.push(field);
    }
    return fields;
}
