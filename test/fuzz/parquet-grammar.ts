/** Tables of flows in Parquet, as pandas, pyarrow, Spark, DuckDB and AWS write them, and with what they write now and then. */
import type { CompressionCodec, Encoding, SchemaElement } from 'hyparquet';
import type { ParquetColumn, ParquetTable, Stored } from '#test/support/parquet-file';
import { type Kind, makeCells, makeFlow, type Traits } from './cells.ts';
import type { Draw } from './draw.ts';
import { makeTable } from './grammar.ts';

/** A type of columns, and how it stores what a cell of text says; null where it cannot. */
interface Storage {
    element: Omit<SchemaElement, 'name' | 'repetition_type'>;
    store: (cell: string, at: Instants) => Stored;
}

/** When the row's flow began, or ended, in nanoseconds since 1970. */
interface Instants {
    nanoseconds: bigint;
}

const CODECS: readonly CompressionCodec[] = ['UNCOMPRESSED', 'SNAPPY', 'SNAPPY', 'GZIP', 'ZSTD', 'BROTLI', 'LZ4_RAW'];

/** A table; writeParquet makes bytes of it. */
export function makeParquetTable(draw: Draw): ParquetTable {
    const { columns, traits } = makeTable(draw);
    const hasNulls = draw.percent(70);
    const codec = draw.pick(CODECS);
    const version = draw.pick([1, 1, 2] as const);
    const hasInstants = draw.percent(60);
    const drawn = columns.map(({ name, kind }) => {
        const storage = drawStorage(draw, { kind, hasInstants, dates: traits.dates });
        return { kind, storage, column: drawColumn(draw, { name, storage, codec, version, hasNulls }) };
    });
    const rowCount = draw.below(draw.pick([2, 10, 40, draw.percent(8) ? 1500 : 240]));
    const kinds = drawn.map(({ kind }) => kind);
    const names = columns.map(({ name }) => name);
    const rows = Array.from({ length: rowCount }, () => {
        const isHeader = draw.percent(1);
        const flow = makeFlow(draw, traits);
        const cells = isHeader ? names : makeCells(draw, kinds, traits, flow);
        return drawn.map(({ kind, storage, column }, at) => {
            const nanoseconds = draw.percent(traits.oddShare / 2) ? draw.pick(ODD_INSTANTS) : kind === 'end' ? flow.endNs : flow.startNs;
            const value = storage.store(cells[at] ?? '', { nanoseconds });
            const isNull = value === null || (hasNulls && draw.percent(isMissing(cells[at]) ? 70 : traits.oddShare / 4));
            const none = column.element.repetition_type === 'REQUIRED' ? storage.store('0', { nanoseconds: 0n }) : null;
            return isNull ? none : value;
        });
    });
    return { columns: drawn.map(({ column }) => column), rows, groupRows: Math.max(draw.pick([1, 3, 20, 1000, 1000]), rowCount >> 6) };
}

function isMissing(cell: string | undefined): boolean {
    return cell === '' || cell === '-';
}

/** Beginning and end of what there is, and of what is plausible. */
const ODD_INSTANTS = [
    '1969-12-31T23:59:59.999Z',
    '1970-01-01',
    '1970-01-18',
    '1989-12-31',
    '2029-12-31',
    '2262-01-01',
    '9999-12-31',
    '+010000-01-01',
].map((date) => BigInt(Date.parse(date)) * 1_000_000n + 999n);

function drawColumn(
    draw: Draw,
    {
        name,
        storage: { element },
        codec,
        version,
        hasNulls,
    }: { name: string; storage: Storage; codec: CompressionCodec; version: 1 | 2; hasNulls: boolean },
): ParquetColumn {
    const isOptional = hasNulls ? draw.percent(90) : draw.percent(30);
    return {
        path: pathOf(draw, name),
        element: { ...element, repetition_type: isOptional ? 'OPTIONAL' : 'REQUIRED' },
        codec: draw.percent(95) ? codec : draw.percent(80) ? draw.pick(CODECS) : 'LZO',
        version,
        encoding: draw.percent(60) ? 'PLAIN' : draw.pick(ENCODINGS[element.type ?? 'BYTE_ARRAY'] ?? ['PLAIN']),
        dictionaryValues: draw.pick([0, 0, 2, 8, 1000, 1000]),
        pageRows: draw.pick([1, 7, 30, 10_000, 10_000]),
        hasChecksums: draw.percent(30),
        isDictionaryUnnamed: draw.percent(5),
    };
}

/** A column of its own, mostly; those of Zeek's `id` may be parts of one. */
function pathOf(draw: Draw, name: string): string[] {
    if (name.startsWith('id.') && draw.percent(20)) {
        return name.split('.');
    }
    return draw.percent(99) ? [name] : ['nested', name];
}

const ENCODINGS: Readonly<Record<string, Encoding[]>> = {
    INT32: ['DELTA_BINARY_PACKED', 'DELTA_BINARY_PACKED', 'BYTE_STREAM_SPLIT'],
    INT64: ['DELTA_BINARY_PACKED', 'DELTA_BINARY_PACKED', 'BYTE_STREAM_SPLIT'],
    FLOAT: ['BYTE_STREAM_SPLIT'],
    DOUBLE: ['BYTE_STREAM_SPLIT'],
    BYTE_ARRAY: ['DELTA_LENGTH_BYTE_ARRAY', 'DELTA_BYTE_ARRAY'],
};

function drawStorage(draw: Draw, { kind, hasInstants, dates }: { kind: Kind; hasInstants: boolean; dates: Traits['dates'] }): Storage {
    if (draw.percent(1)) {
        return draw.pick([BOOLEAN, TIME, UUID]);
    }
    switch (kind) {
        case 'address':
            return draw.percent(99) ? text(draw) : whole(draw, dates);
        case 'date':
        case 'end':
            return hasInstants === draw.percent(97) ? instant(draw) : draw.pick([text, () => whole(draw, dates), fractional])(draw);
        case 'received':
            return draw.percent(50) ? instant(draw) : text(draw);
        case 'number':
        case 'count':
        case 'rate':
        case 'backward':
        case 'flows':
            return draw.percent(20) ? text(draw) : draw.percent(50) ? whole(draw, dates) : fractional(draw);
        case 'other':
            return draw.pick([text(draw), whole(draw, dates), fractional(draw), instant(draw), BOOLEAN, TIME, UUID]);
        default:
            return draw.percent(95) ? text(draw) : whole(draw, dates);
    }
}

function text(draw: Draw): Storage {
    const meaning: Partial<SchemaElement> = draw.pick([
        { converted_type: 'UTF8', logical_type: { type: 'STRING' } },
        { converted_type: 'UTF8', logical_type: { type: 'STRING' } },
        { converted_type: 'UTF8' },
        { logical_type: { type: 'STRING' } },
        {},
        { converted_type: 'ENUM', logical_type: { type: 'ENUM' } },
    ] as const);
    // Cells are Latin-1 of bytes that need be no UTF-8; text is.
    return { element: { type: 'BYTE_ARRAY', ...meaning }, store: (cell) => Buffer.from(cell, 'latin1').toString() };
}

const WHOLE = /^[+-]?\d+(?:\.0+)?$/;

function whole(draw: Draw, dates: Traits['dates']): Storage {
    const [bits, isSigned] = draw.pick([
        [64, true],
        [64, true],
        [64, true],
        [32, true],
        [32, false],
        [64, false],
        [16, false],
        [8, true],
    ] as const);
    const isPlain = isSigned && bits >= 32 && draw.percent(60);
    // The logical type of integers has a byte in it, which the writer makes an integer of 32 bits.
    const meaning: Partial<SchemaElement> = isPlain ? {} : { converted_type: `${isSigned ? '' : 'U'}INT_${bits}` as const };
    const width = bits === 64 ? 64 : 32;
    return {
        element: { type: width === 64 ? 'INT64' : 'INT32', ...meaning },
        store(cell, { nanoseconds }) {
            const written = dates !== 'mixed' && dates !== 'iso' && !WHOLE.test(cell) ? String(nanoseconds / 10n ** 9n) : cell;
            const value = WHOLE.test(written) ? BigInt(written.replace(/^\+|\..*/g, '')) : undefined;
            const fits = isSigned ? BigInt.asIntN(bits, value ?? 0n) : BigInt.asUintN(bits, value ?? 0n);
            if (value === undefined || fits !== value) {
                return null;
            }
            // What is not signed is stored in the bits of what is.
            return width === 64 ? BigInt.asIntN(64, value) : Number(BigInt.asIntN(32, value));
        },
    };
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE][+-]?\d+)?$/;

function fractional(draw: Draw): Storage {
    if (draw.percent(70)) {
        const isFloat = draw.percent(20);
        const mayBeNaN = draw.percent(30);
        return {
            element: { type: isFloat ? 'FLOAT' : 'DOUBLE' },
            store(cell) {
                const value = cell === '' ? Number.NaN : Number(cell.replace(/^([+-]?)inf$/i, '$1Infinity'));
                return Number.isNaN(value) && !mayBeNaN && !/nan/i.test(cell) ? null : value;
            },
        };
    }
    const [type, precision, bytes] = draw.pick([
        ['INT32', 9, undefined],
        ['INT64', 18, undefined],
        ['FIXED_LEN_BYTE_ARRAY', 38, 16],
        ['FIXED_LEN_BYTE_ARRAY', 20, 9],
        ['BYTE_ARRAY', 38, undefined],
    ] as const);
    const scale = draw.pick([0, 2, 6]);
    const element = {
        type,
        precision,
        scale,
        converted_type: 'DECIMAL' as const,
        ...(bytes !== undefined && { type_length: bytes }),
        ...(draw.percent(50) && { logical_type: { type: 'DECIMAL' as const, precision, scale } }),
    };
    return {
        element,
        store(cell) {
            const [match, sign, digits = '', fraction = ''] = DECIMAL.exec(cell) ?? [];
            const unscaled = BigInt(`${digits}${fraction.slice(0, scale).padEnd(scale, '0')}` || '0') * (sign === '-' ? -1n : 1n);
            if (
                match === undefined ||
                digits + fraction === '' ||
                unscaled >= 10n ** BigInt(precision) ||
                -unscaled >= 10n ** BigInt(precision)
            ) {
                return null;
            }
            if (type === 'INT32' || type === 'INT64') {
                return type === 'INT32' ? Number(unscaled) : unscaled;
            }
            return bytesOf(unscaled, bytes ?? 16);
        },
    };
}

/** Two's complement, the highest byte first. */
function bytesOf(value: bigint, length: number): Uint8Array {
    const hex = BigInt.asUintN(length * 8, value)
        .toString(16)
        .padStart(length * 2, '0');
    return new Uint8Array(Buffer.from(hex, 'hex'));
}

const JULIAN_DAY_OF_1970 = 2_440_588n;
const DAY = 86_400n * 10n ** 9n;

function instant(draw: Draw): Storage {
    const kind = draw.pick(['MICROS', 'MICROS', 'MILLIS', 'NANOS', 'INT96', 'DATE'] as const);
    if (kind === 'INT96') {
        return {
            element: { type: 'INT96' },
            store(_, { nanoseconds }) {
                const days = nanoseconds < 0n ? -1n : nanoseconds / DAY;
                const bytes = Buffer.alloc(12);
                bytes.writeBigInt64LE(nanoseconds - days * DAY);
                bytes.writeUInt32LE(Number(days + JULIAN_DAY_OF_1970), 8);
                return new Uint8Array(bytes);
            },
        };
    }
    if (kind === 'DATE') {
        const element = {
            type: 'INT32',
            converted_type: 'DATE',
            ...(draw.percent(50) && { logical_type: { type: 'DATE' as const } }),
        } as const;
        return { element, store: (_, { nanoseconds }) => (nanoseconds < 0n ? -1 : Number(nanoseconds / DAY)) };
    }
    const perUnit = { MICROS: 1000n, MILLIS: 1_000_000n, NANOS: 1n }[kind];
    const converted = kind === 'MILLIS' ? 'TIMESTAMP_MILLIS' : 'TIMESTAMP_MICROS';
    const hasConverted = kind !== 'NANOS' && draw.percent(60);
    const hasLogical = !hasConverted || draw.percent(60);
    return {
        element: {
            type: 'INT64',
            ...(hasConverted && { converted_type: converted as 'TIMESTAMP_MICROS' }),
            ...(hasLogical && { logical_type: { type: 'TIMESTAMP' as const, isAdjustedToUTC: draw.percent(50), unit: kind } }),
        },
        store(_, { nanoseconds }) {
            // Engines cut nanoseconds to microseconds: what is in front of 1970 must stay there.
            const count = (nanoseconds < 0n ? -1_000_000n : nanoseconds) / perUnit;
            return BigInt.asIntN(64, count) === count ? count : null;
        },
    };
}

const BOOLEAN: Storage = { element: { type: 'BOOLEAN' }, store: (cell) => cell.length > 2 };
const TIME: Storage = {
    element: { type: 'INT64', logical_type: { type: 'TIME', isAdjustedToUTC: false, unit: 'MICROS' } },
    store: (cell) => BigInt(cell.length),
};
const UUID: Storage = {
    element: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } },
    store: (cell) => bytesOf(BigInt(cell.length), 16),
};
