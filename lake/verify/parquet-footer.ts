/** Looks at the footer of a Parquet file as its strictest readers do: finds what they refuse and tolerant ones pass over. */
import type { FileHandle } from 'node:fs/promises';
import { messageOf } from './lake-files.ts';
import { type Fields, readStruct, STRUCT, type Value } from './thrift.ts';

/** Lists of FileMetaData in parquet.thrift by their field ids; all are of structs. */
const LISTS = new Map([
    [2, 'schema'],
    [4, 'row_groups'],
    [5, 'key_value_metadata'],
    [7, 'column_orders'],
]);

/** Parquet, "File format": the footer's length as four bytes, and `PAR1`. */
const FOOTER_END_BYTES = 8;

/** What is wrong with the footer of a file that DuckDB reads, in words; undefined where nothing is. */
export async function findFooterFault(file: FileHandle): Promise<string | undefined> {
    const footer = await readFooter(file);
    let fields: Fields;
    try {
        fields = readStruct(footer, 0).value;
    } catch (error) {
        return `its footer is no Thrift struct: ${messageOf(error)}`;
    }
    const [, name] = [...LISTS].find(([field]) => isOfOthers(fields.get(field))) ?? [];
    return (
        name &&
        `readers in Rust (DataFusion, Daft, parquet-wasm) refuse it, and with it its whole folder: the list ${name} of its footer does not say that it is of structs`
    );
}

async function readFooter(file: FileHandle): Promise<Buffer> {
    const { size } = await file.stat();
    const readAt = async (start: number, length: number): Promise<Buffer> =>
        (await file.read(Buffer.alloc(length), 0, length, start)).buffer;
    const length = (await readAt(size - FOOTER_END_BYTES, FOOTER_END_BYTES)).readUInt32LE();
    return readAt(size - FOOTER_END_BYTES - length, length);
}

/**
 * True if a list has elements of another type than its field's. Tolerant readers look at the type of a list's elements only where there are
 * any.
 */
function isOfOthers(list: Value): boolean {
    return typeof list === 'object' && 'elementType' in list && list.elementType !== STRUCT;
}
