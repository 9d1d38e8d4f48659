/** Takes row groups of another file as they are: their pages byte by byte, and what the footer says of them with new places. */
import type { ColumnChunk, ColumnMetaData, FileMetaData, RowGroup, SchemaElement, Statistics } from 'hyparquet';
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import type { ByteWriter } from 'hyparquet-writer';
import { checkPages } from './check-pages.ts';
import { decimalOf } from './column-values.ts';
import { hasChecksum } from './read-groups.ts';

const FOOTER_END_BYTES = 8;

/**
 * The row groups of a footer with bounds that can be written again as they were: the library's own reading makes doubles of decimals, and of texts
 * that were cut other bytes.
 */
export function groupsToCopy(bytes: Uint8Array, { row_groups, schema, metadata_length }: FileMetaData): RowGroup[] {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const footer = deserializeTCompactProtocol({ view, offset: bytes.length - FOOTER_END_BYTES - metadata_length });
    const elements = schema.filter(({ type }) => type !== undefined);
    return row_groups.map((group, at) => ({
        ...group,
        columns: group.columns.map((chunk, column) => {
            // parquet.thrift: FileMetaData.row_groups, RowGroup.columns, ColumnChunk.meta_data, ColumnMetaData.statistics.
            const raw = footer.field_4[at].field_1[column].field_3.field_12;
            const facts = chunk.meta_data as ColumnMetaData;
            const { min_value: _, max_value: __, ...others } = facts.statistics ?? {};
            const bounds: Pick<Statistics, 'min_value' | 'max_value'> =
                raw?.field_5 === undefined || raw.field_6 === undefined
                    ? {}
                    : { max_value: boundOf(raw.field_5, elements[column]), min_value: boundOf(raw.field_6, elements[column]) };
            return { ...chunk, meta_data: { ...facts, statistics: { ...others, ...bounds } } };
        }),
    }));
}

function boundOf(bytes: Uint8Array, element: SchemaElement | undefined): string | bigint | Uint8Array {
    const numbers = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    switch (element?.type) {
        case 'INT64':
            return numbers.getBigInt64(0, true);
        case 'FIXED_LEN_BYTE_ARRAY':
            return decimalOf(bytes);
        default:
            return bytes;
    }
}

/** True if the group's column chunks lie one behind the other and every page has a checksum, so that copying needs no decoding. */
export function isCopyable(bytes: Uint8Array, { columns }: RowGroup): boolean {
    let end = startOf(columns[0]);
    return columns.every((chunk) => {
        const start = end;
        end += Number(chunk.meta_data?.total_compressed_size ?? 0);
        return startOf(chunk) === start && end <= bytes.length && hasChecksum(bytes, chunk);
    });
}

function startOf(chunk: ColumnChunk | undefined): number {
    return Number(chunk?.meta_data?.dictionary_page_offset ?? chunk?.meta_data?.data_page_offset ?? Number.NaN);
}

/** Appends a group's pages. @returns the group for the footer @throws DamagedPageError where a page is not as it was written */
export function copyGroup(
    writer: ByteWriter,
    { bytes, group, elements }: { bytes: Uint8Array; group: RowGroup; elements: readonly SchemaElement[] },
): RowGroup {
    const start = startOf(group.columns[0]);
    const moved = BigInt(writer.offset - start);
    let end = start;
    const columns = group.columns.map((chunk, at) => {
        const facts = chunk.meta_data as ColumnMetaData;
        const begin = end;
        end += Number(facts.total_compressed_size);
        checkPages(bytes.subarray(begin, end), { facts, element: elements[at] as SchemaElement, rows: Number(group.num_rows) });
        return {
            ...chunk,
            file_offset: chunk.file_offset + moved,
            meta_data: {
                ...facts,
                data_page_offset: facts.data_page_offset + moved,
                ...(facts.dictionary_page_offset !== undefined && { dictionary_page_offset: facts.dictionary_page_offset + moved }),
            },
        };
    });
    writer.appendBytes(bytes.subarray(start, end));
    return { ...group, columns };
}
