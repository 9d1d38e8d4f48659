/**
 * Parquet as docs/reading.md, section "Parquet", has it: columns of needed names as texts and instants. The library's own way through a file gets
 * the values as they are stored; no part of this is shared with lake/.
 */
import * as zlib from 'node:zlib';
import {
    type FileMetaData,
    parquetMetadata,
    parquetRead,
    parquetSchema,
    type SchemaElement,
    type SchemaTree,
    snappyUncompress,
} from 'hyparquet';
import { dayOfInstant, trimmed } from './plain-fields.ts';
import { Unusable } from './plain-rows.ts';

/** A column's values, row by row. */
export interface PlainColumn {
    /** What its values may stand for. */
    is: 'text' | 'number' | 'instant';
    /** Trimmed; empty for null. An instant as its clock shows it. */
    texts: string[];
    /** Instants in femtoseconds. */
    instants: (bigint | undefined)[];
}

export interface PlainParquet {
    names: string[];
    rowCount: number;
    /** @throws Unusable for a column that cannot be read, or that may not be needed */
    columnAt(place: number): Promise<PlainColumn>;
}

export function isParquet(bytes: Buffer): boolean {
    return ['PAR1', 'PARE'].includes(bytes.toString('latin1', 0, 4));
}

/** @throws Unusable for what is no whole file */
export function openParquet(bytes: Buffer): PlainParquet {
    if (bytes.toString('latin1', bytes.length - 4) !== 'PAR1' || bytes.length < 12) {
        throw new Unusable('Parquet that is cut off or encrypted');
    }
    const file = new Uint8Array(bytes).buffer;
    const metadata = orUnusable(() => parquetMetadata(file, { geoparquet: false }));
    const leaves = orUnusable(() => leavesOf(parquetSchema(metadata)));
    return {
        names: leaves.map(({ path }) => trimmed(path.join('.'), ' \t').toLowerCase()),
        rowCount: Number(metadata.num_rows),
        columnAt: (place) => readColumn({ file, metadata, leaves }, place),
    };
}

function orUnusable<T>(work: () => T): T {
    try {
        return work();
    } catch (cause) {
        throw new Unusable('damaged Parquet', { cause });
    }
}

function leavesOf(tree: SchemaTree): SchemaTree[] {
    return tree.children.length === 0 ? [tree] : tree.children.flatMap(leavesOf);
}

interface OpenFile {
    file: ArrayBuffer;
    metadata: FileMetaData;
    leaves: SchemaTree[];
}

/** Values as they are stored; undefined or null where there is none. */
type Stored = number | bigint | Uint8Array | undefined | null;

async function readColumn({ file, metadata, leaves }: OpenFile, place: number): Promise<PlainColumn> {
    const { element, path } = leaves[place]!;
    if (path.length > 1 || element.repetition_type === 'REPEATED') {
        throw new Unusable('a nested column');
    }
    const reading = readingOf(element);
    // One column of the stored type alone, so that the library makes nothing of its values.
    const { type, type_length, repetition_type } = element;
    const only: FileMetaData = {
        ...metadata,
        schema: [
            { name: 'schema', num_children: 1 },
            { name: 'only', ...(type && { type }), ...(type_length && { type_length }), ...(repetition_type && { repetition_type }) },
        ],
        row_groups: metadata.row_groups.map((group) => {
            const { meta_data, ...chunk } = group.columns[place]!;
            return { ...group, columns: [{ ...chunk, ...(meta_data && { meta_data: { ...meta_data, path_in_schema: ['only'] } }) }] };
        }),
    };
    const stored: Stored[] = [];
    try {
        await parquetRead({
            file: { byteLength: file.byteLength, slice: (start, end) => file.slice(start, end) },
            metadata: only,
            utf8: false,
            parsers: { timestampFromNanoseconds: (nanoseconds) => nanoseconds },
            compressors: COMPRESSORS,
            onComplete: (rows) => void stored.push(...rows.map(([value]) => value)),
        });
        return reading(stored);
    } catch (cause) {
        throw new Unusable('a damaged column, or a codec that is not read', { cause });
    }
}

const NANOSECOND = 10n ** 6n;
const TICKS = { MILLIS: 10n ** 12n, MICROS: 10n ** 9n, NANOS: NANOSECOND };

/** How stored values of the type are read. @throws Unusable for types that mean nothing here */
function readingOf(element: SchemaElement): (stored: Stored[]) => PlainColumn {
    const { type, logical_type: logical, converted_type: converted } = element;
    const meaning = logical?.type ?? converted;
    const instants = (unit: bigint) => (stored: Stored[]) => asInstants(stored, unit);
    const numbers = (textOf: (value: number | bigint | Uint8Array) => string) => (stored: Stored[]) => asTexts(stored, 'number', textOf);
    if (type === 'INT96') {
        return instants(NANOSECOND);
    }
    if (logical?.type === 'TIMESTAMP') {
        return instants(TICKS[logical.unit]);
    }
    if (meaning === 'TIMESTAMP_MILLIS' || meaning === 'TIMESTAMP_MICROS') {
        return instants(meaning === 'TIMESTAMP_MILLIS' ? TICKS.MILLIS : TICKS.MICROS);
    }
    if (meaning === 'DATE') {
        return instants(86_400n * 10n ** 15n);
    }
    if (meaning === 'DECIMAL') {
        return numbers((value) => decimalText(value, element.scale ?? 0));
    }
    if (type === 'INT32' || type === 'INT64') {
        const isUnsigned = logical?.type === 'INTEGER' ? !logical.isSigned : converted?.startsWith('UINT_');
        if (meaning !== undefined && meaning !== 'INTEGER' && !/^U?INT_/.test(meaning)) {
            throw new Unusable('numbers that are something else');
        }
        const bits = type === 'INT32' ? 32 : 64;
        return numbers((value) => String(isUnsigned ? BigInt.asUintN(bits, BigInt(value as number)) : value));
    }
    if (type === 'DOUBLE') {
        return numbers((value) => (Object.is(value, -0) ? '-0' : String(value)));
    }
    if (type === 'FLOAT') {
        return numbers((value) => floatText(value as number));
    }
    if (type === 'BYTE_ARRAY' && (meaning === undefined || ['STRING', 'UTF8', 'ENUM', 'JSON'].includes(meaning))) {
        return (stored) => asTexts(stored, 'text', (value) => trimmed(Buffer.from(value as Uint8Array).toString(), ' \t'));
    }
    throw new Unusable('a type that means nothing here');
}

function asTexts(stored: Stored[], is: 'text' | 'number', textOf: (value: number | bigint | Uint8Array) => string): PlainColumn {
    return { is, texts: stored.map((value) => (value === null || value === undefined ? '' : textOf(value))), instants: [] };
}

function asInstants(stored: Stored[], unit: bigint): PlainColumn {
    const instants = stored.map((value) => (value === null || value === undefined ? undefined : BigInt(value as number) * unit));
    const clock = (instant: bigint): string => {
        const seconds = ((instant / 10n ** 15n) % 86_400n) * 1000n;
        return `${dayOfInstant(instant) ?? 'no day'} ${new Date(Number(seconds)).toISOString().slice(11, 19)}`;
    };
    return { is: 'instant', texts: instants.map((instant) => (instant === undefined ? '' : clock(instant))), instants };
}

/** Bytes are two's complement, the highest first. */
function decimalText(stored: number | bigint | Uint8Array, scale: number): string {
    let value = 0n;
    if (stored instanceof Uint8Array) {
        for (const byte of stored) {
            value = value * 256n + BigInt(byte);
        }
        value = BigInt.asIntN(stored.length * 8, value);
    } else {
        value = BigInt(stored);
    }
    const unit = 10n ** BigInt(scale);
    const size = value < 0n ? -value : value;
    const fraction = scale === 0 ? '' : `.${String(size % unit).padStart(scale, '0')}`;
    return `${value < 0n ? '-' : ''}${size / unit}${fraction}`;
}

/** The shortest text that rounds to this float of 32 bits. */
function floatText(value: number): string {
    const texts = Array.from({ length: 9 }, (_, digits) => value.toPrecision(digits + 1));
    return (Number.isFinite(value) && texts.find((text) => Math.fround(Number(text)) === value)) || String(value);
}

const COMPRESSORS = {
    GZIP: (packed: Uint8Array): Uint8Array => zlib.gunzipSync(packed),
    ZSTD: (packed: Uint8Array): Uint8Array => zlib.zstdDecompressSync(packed),
    BROTLI: (packed: Uint8Array): Uint8Array => zlib.brotliDecompressSync(packed),
    LZ4_RAW: unpackLz4,
    SNAPPY: (packed: Uint8Array, length: number): Uint8Array => {
        const bytes = new Uint8Array(length);
        snappyUncompress(packed, bytes);
        return bytes;
    },
};

/** Literals and copies by turns, each pair behind a token with their lengths. */
function unpackLz4(packed: Uint8Array): Uint8Array {
    const bytes: number[] = [];
    const rest = [...packed].values();
    const next = (): number => rest.next().value ?? 0;
    const length = (nibble: number): number => {
        let sum = nibble;
        for (let more = nibble === 15; more; ) {
            const byte = next();
            sum += byte;
            more = byte === 255;
        }
        return sum;
    };
    for (let token = rest.next(); !token.done; token = rest.next()) {
        for (let left = length(token.value >> 4); left > 0; left -= 1) {
            bytes.push(next());
        }
        const low = rest.next();
        if (low.done) {
            break;
        }
        const distance = low.value + 256 * next();
        for (let left = length(token.value & 15) + 4; left > 0; left -= 1) {
            bytes.push(bytes.at(-distance) ?? 0);
        }
    }
    return new Uint8Array(bytes);
}
