/** Writes a table as Parquet: pages of both versions, all codecs and encodings that writers use, from the parts of hyparquet-writer. */
import * as zlib from 'node:zlib';
import type { CompressionCodec, Encoding, RowGroup, SchemaElement } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { deltaBinaryPack, deltaByteArray, deltaLengthByteArray } from 'hyparquet-writer/src/delta.js';
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { writePlain } from 'hyparquet-writer/src/plain.js';
import { snappyCompress } from 'hyparquet-writer/src/snappy.js';
import { writeByteStreamSplit } from 'hyparquet-writer/src/splitstream.js';

/** A value as Parquet stores it; INT96 as its twelve bytes. */
export type Stored = string | number | bigint | boolean | Uint8Array | null;

/** A column, and how it is written. */
export interface ParquetColumn {
    /** A name within a struct has that of the struct in front. */
    path: readonly string[];
    element: Omit<SchemaElement, 'name'>;
    codec: CompressionCodec;
    version: 1 | 2;
    /** Of the values that stand in no dictionary. */
    encoding: Encoding;
    /** Values from the first on that a dictionary holds; pages with others follow without one. 0 for no dictionary at all. */
    dictionaryValues: number;
    pageRows: number;
    hasChecksums: boolean;
    /** True if `data_page_offset` names the dictionary, as old writers have it. */
    isDictionaryUnnamed: boolean;
}

export interface ParquetTable {
    columns: readonly ParquetColumn[];
    /** Row by row, in the order of the columns. */
    rows: readonly (readonly Stored[])[];
    groupRows: number;
}

/** The bytes of the file. */
export function writeParquet({ columns, rows, groupRows }: ParquetTable): Buffer {
    const writer = new ByteWriter();
    writer.appendBytes(Buffer.from('PAR1'));
    const groups: RowGroup[] = [];
    for (let from = 0; from < rows.length; from += groupRows) {
        const some = rows.slice(from, from + groupRows);
        const chunks = columns.map((column, at) =>
            writeChunk(
                writer,
                column,
                some.map((row) => row[at] ?? null),
            ),
        );
        groups.push({ columns: chunks, total_byte_size: 1n, num_rows: BigInt(some.length) });
    }
    writeMetadata(writer, {
        version: 2,
        created_by: 'flowlake test',
        schema: schemaOf(columns),
        num_rows: BigInt(rows.length),
        row_groups: groups,
        metadata_length: 0,
    });
    writer.appendBytes(Buffer.from('PAR1'));
    return Buffer.from(writer.getBytes());
}

function schemaOf(columns: readonly ParquetColumn[]): SchemaElement[] {
    const elements = columns.flatMap(({ path, element }): SchemaElement[] => [
        ...path.slice(0, -1).map((name): SchemaElement => ({ name, repetition_type: 'REQUIRED', num_children: 1 })),
        { ...element, name: path.at(-1) ?? '' },
    ]);
    return [{ name: 'schema', num_children: columns.length }, ...elements];
}

function writeChunk(writer: ByteWriter, column: ParquetColumn, values: readonly Stored[]): RowGroup['columns'][number] {
    const { element, codec, encoding, pageRows, path, isDictionaryUnnamed } = column;
    const start = writer.offset;
    const dictionary = dictionaryOf(column, values);
    const isOld = column.version === 1;
    if (dictionary.size > 0) {
        const page = new ByteWriter();
        plain(
            page,
            [...dictionary.values()].map(({ value }) => value),
            element,
        );
        writePage(writer, column, {
            type: 'DICTIONARY_PAGE',
            levels: new Uint8Array(0),
            values: page.getBytes(),
            header: { dictionary_page_header: { num_values: dictionary.size, encoding: isOld ? 'PLAIN_DICTIONARY' : 'PLAIN' } },
        });
    }
    const dataStart = writer.offset;
    for (let from = 0; from < values.length; from += pageRows) {
        writeData(writer, column, { values: values.slice(from, from + pageRows), dictionary });
    }
    return {
        file_offset: BigInt(start),
        meta_data: {
            type: element.type ?? 'BYTE_ARRAY',
            encodings: [encoding, 'RLE', 'PLAIN'],
            path_in_schema: [...path],
            codec,
            num_values: BigInt(values.length),
            total_uncompressed_size: BigInt(writer.offset - start),
            total_compressed_size: BigInt(writer.offset - start),
            data_page_offset: BigInt(isDictionaryUnnamed ? start : dataStart),
            ...(dictionary.size > 0 && !isDictionaryUnnamed && { dictionary_page_offset: BigInt(start) }),
        },
    };
}

/** The values of a dictionary by what tells them apart, each with its place. */
type Dictionary = ReadonlyMap<string, { place: number; value: Stored }>;

function dictionaryOf({ dictionaryValues, element }: ParquetColumn, values: readonly Stored[]): Dictionary {
    const dictionary = new Map<string, { place: number; value: Stored }>();
    for (const value of element.type === 'BOOLEAN' ? [] : values) {
        if (value !== null && dictionary.size < dictionaryValues && !dictionary.has(keyOf(value))) {
            dictionary.set(keyOf(value), { place: dictionary.size, value });
        }
    }
    return dictionary;
}

function keyOf(value: Stored): string {
    return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : Object.is(value, -0) ? '-0' : String(value);
}

function writeData(writer: ByteWriter, column: ParquetColumn, { values, dictionary }: { values: Stored[]; dictionary: Dictionary }): void {
    const { element, version, encoding } = column;
    const present = values.filter((value) => value !== null);
    const places = present.map((value) => dictionary.get(keyOf(value))?.place);
    const isDictionary = dictionary.size > 0 && !places.includes(undefined);
    const page = new ByteWriter();
    if (isDictionary) {
        const width = Math.ceil(Math.log2(dictionary.size));
        page.appendUint8(width);
        writeRleBitPackedHybrid(page, places as number[], width);
    } else {
        encode(page, present, { element, encoding });
    }
    const written = isDictionary ? (version === 1 ? 'PLAIN_DICTIONARY' : 'RLE_DICTIONARY') : encoding;
    const levels = new ByteWriter();
    if (element.repetition_type === 'OPTIONAL') {
        const defined = values.map((value) => (value === null ? 0 : 1));
        writeRleBitPackedHybrid(levels, defined, 1);
    }
    if (version === 2) {
        const header = {
            num_values: values.length,
            num_nulls: values.length - present.length,
            num_rows: values.length,
            encoding: written,
            definition_levels_byte_length: levels.offset,
            repetition_levels_byte_length: 0,
            is_compressed: column.codec !== 'UNCOMPRESSED',
        };
        writePage(writer, column, {
            type: 'DATA_PAGE_V2',
            levels: levels.getBytes(),
            values: page.getBytes(),
            header: { data_page_header_v2: header },
        });
        return;
    }
    const whole = new ByteWriter();
    if (element.repetition_type === 'OPTIONAL') {
        whole.appendUint32(levels.offset);
        whole.appendBytes(levels.getBytes());
    }
    whole.appendBytes(page.getBytes());
    const header = {
        num_values: values.length,
        encoding: written,
        definition_level_encoding: 'RLE' as const,
        repetition_level_encoding: 'RLE' as const,
    };
    writePage(writer, column, {
        type: 'DATA_PAGE',
        levels: new Uint8Array(0),
        values: whole.getBytes(),
        header: { data_page_header: header },
    });
}

type PageHeader = Parameters<typeof writePageHeader>[1];

interface PageParts {
    type: PageHeader['type'];
    /** Levels that stand in front, not packed. */
    levels: Uint8Array;
    values: Uint8Array;
    header: Partial<PageHeader>;
}

function writePage(writer: ByteWriter, { codec, hasChecksums }: ParquetColumn, { type, levels, values, header }: PageParts): void {
    const packed = Buffer.concat([levels, pack(codec, values)]);
    writePageHeader(writer, {
        type,
        uncompressed_page_size: levels.length + values.length,
        compressed_page_size: packed.length,
        ...(hasChecksums && { crc: zlib.crc32(packed) | 0 }),
        ...header,
    });
    writer.appendBytes(packed);
}

function encode(
    page: ByteWriter,
    values: Stored[],
    { element, encoding }: { element: ParquetColumn['element']; encoding: Encoding },
): void {
    const { type = 'BYTE_ARRAY', type_length: width } = element;
    const bytes = (): Uint8Array[] => values.map((value) => (typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array)));
    if (encoding === 'DELTA_BINARY_PACKED' && (type === 'INT32' || type === 'INT64')) {
        deltaBinaryPack(page, values as number[], type);
    } else if (encoding === 'DELTA_LENGTH_BYTE_ARRAY') {
        deltaLengthByteArray(page, bytes());
    } else if (encoding === 'DELTA_BYTE_ARRAY') {
        deltaByteArray(page, bytes());
    } else if (encoding === 'BYTE_STREAM_SPLIT') {
        writeByteStreamSplit(page, values as number[], type, width);
    } else {
        plain(page, values, element);
    }
}

function plain(page: ByteWriter, values: Stored[], { type = 'BYTE_ARRAY', type_length: width }: ParquetColumn['element']): void {
    const isInt96 = type === 'INT96';
    writePlain(page, values as number[], isInt96 ? 'FIXED_LEN_BYTE_ARRAY' : type, isInt96 ? 12 : width);
}

function pack(codec: CompressionCodec, bytes: Uint8Array): Uint8Array {
    switch (codec) {
        case 'SNAPPY':
            return snappyCompress(bytes);
        case 'GZIP':
            return zlib.gzipSync(bytes);
        case 'ZSTD':
            return zlib.zstdCompressSync(bytes);
        case 'BROTLI':
            return zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 3 } });
        case 'LZ4_RAW':
            return lz4OfLiterals(bytes);
        default:
            return bytes;
    }
}

/** One block of LZ4 that copies nothing: a token, how many literals follow, and these. */
function lz4OfLiterals(bytes: Uint8Array): Uint8Array {
    const beyond = bytes.length - 15;
    const length = beyond < 0 ? [] : [...Array.from({ length: Math.floor(beyond / 255) }, () => 255), beyond % 255];
    return Buffer.concat([Buffer.from([Math.min(15, bytes.length) << 4, ...length]), bytes]);
}
