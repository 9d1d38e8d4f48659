/** What a Parquet file says of itself at its end: its columns and its row groups. */
import { type ColumnMetaData, type FileMetaData, parquetMetadata, parquetSchema, type SchemaTree } from 'hyparquet';
import type { ByRange } from '#lake/kind';
import { assertCodec } from './codecs.ts';
import type { ReadColumn } from './pages.ts';
import { damaged, RefusedParquetError } from './refused.ts';
import { type ColumnType, columnTypeOf, sayType } from './values.ts';

/** The mark at both ends of a file, and the one of a file whose table of contents is encrypted. */
export const MARK = 'PAR1';
export const ENCRYPTED_MARK = 'PARE';

const MARK_BYTES = 4;

/** Behind the table of contents stand its length and the mark. */
const END_BYTES = 8;

/** Most files have less; what is missing is asked for. */
const FIRST_BYTES = 1 << 16;

const MAX_CONTENTS_BYTES = 1 << 28;

export interface ParquetFile {
    /** Names of the columns, those of nested ones with dots between. */
    names: readonly string[];
    metadata: FileMetaData;
    leaves: readonly SchemaTree[];
}

/** @throws DamagedFileError, RefusedParquetError for a file that is encrypted, or that holds no rows itself */
export async function openParquet(ranges: ByRange): Promise<ParquetFile> {
    const metadata = await readContents(ranges);
    if (!isSound(metadata)) {
        throw damaged('its table of contents lacks what every one has');
    }
    const leaves = leavesOf(metadata);
    const rows = metadata.row_groups.reduce((sum, group) => sum + group.num_rows, 0n);
    if (rows !== metadata.num_rows || metadata.row_groups.some(({ columns }) => columns.length !== leaves.length)) {
        throw damaged('its table of contents contradicts itself');
    }
    if (metadata.row_groups.some(({ columns }) => columns.some(({ file_path: path }) => path !== undefined))) {
        throw new RefusedParquetError('a table of contents of other Parquet files, without rows of its own: upload those files');
    }
    return { names: leaves.map(({ path }) => path.join('.')), metadata, leaves };
}

async function readContents(ranges: ByRange): Promise<FileMetaData> {
    const { sizeBytes } = ranges;
    let end = await ranges.readRange({ start: Math.max(0, sizeBytes - FIRST_BYTES), end: sizeBytes });
    const mark = Buffer.from(end.subarray(-MARK_BYTES)).toString('latin1');
    if (mark === ENCRYPTED_MARK) {
        throw new RefusedParquetError('an encrypted Parquet file: decrypt it, and upload that');
    }
    if (mark !== MARK || sizeBytes < MARK_BYTES + END_BYTES) {
        throw damaged('its table of contents is missing, which stands at its end');
    }
    const length = Buffer.from(end.buffer, end.byteOffset).readUInt32LE(end.length - END_BYTES) + END_BYTES;
    if (length > MAX_CONTENTS_BYTES || length > sizeBytes - MARK_BYTES) {
        throw damaged(`its table of contents has ${length} bytes`);
    }
    if (length > end.length) {
        end = await ranges.readRange({ start: sizeBytes - length, end: sizeBytes });
    }
    try {
        return parquetMetadata(end, { geoparquet: false });
    } catch (error) {
        throw damaged('its table of contents cannot be read', error);
    }
}

/** True if what the types promise is there: the library takes what it finds. */
function isSound({ schema, row_groups: groups, num_rows: rows }: FileMetaData): boolean {
    const areNamed = schema.length > 0 && schema.every(({ name }) => typeof name === 'string');
    const areGroups = groups.every((group) => typeof group.num_rows === 'bigint' && group.num_rows >= 0n && Array.isArray(group.columns));
    return areNamed && areGroups && typeof rows === 'bigint';
}

function leavesOf(metadata: FileMetaData): SchemaTree[] {
    const leaves: SchemaTree[] = [];
    const visit = (tree: SchemaTree): void => {
        if (tree.children.length === 0) {
            leaves.push(tree);
        }
        tree.children.forEach(visit);
    };
    try {
        visit(parquetSchema(metadata));
    } catch (error) {
        throw damaged('its columns make no tree', error);
    }
    return leaves;
}

/**
 * The column at place `at` of `names`, whose type must be one of `types`.
 * @throws RefusedParquetError where it is nested, encrypted, of another type, or packed by a codec that is not read
 */
export function columnAt({ names, metadata, leaves }: ParquetFile, at: number, types: readonly ColumnType['is'][]): ReadColumn {
    const leaf = leaves[at] as SchemaTree;
    const { element, path } = leaf;
    const name = names[at] ?? '';
    if (path.length > 1 || element.repetition_type === 'REPEATED') {
        throw new RefusedParquetError(
            `column ${JSON.stringify(name)} is nested: write it anew as a column of its own, with one value a row`,
        );
    }
    const type = columnTypeOf(element);
    if (!type || !types.includes(type.is)) {
        throw new RefusedParquetError(`column ${JSON.stringify(name)} is of type ${sayType(element)}, and ${sayNeeded(types)} is needed`);
    }
    for (const { columns } of metadata.row_groups) {
        const chunk = columns[at];
        if (!chunk?.meta_data || chunk.crypto_metadata) {
            throw new RefusedParquetError(`column ${JSON.stringify(name)} is encrypted: decrypt the file, and upload that`);
        }
        assertCodec(chunk.meta_data.codec, name);
    }
    return { name, element, type };
}

function sayNeeded(types: readonly ColumnType['is'][]): string {
    return types.includes('instant') ? 'text, a number or a timestamp' : types.includes('number') ? 'a number' : 'text';
}

/** The place of a column of a row group in the file, and how it is packed. */
export function chunkOf({ metadata }: ParquetFile, group: number, at: number): ColumnMetaData {
    const chunk = metadata.row_groups[group]?.columns[at]?.meta_data;
    if (!chunk) {
        throw damaged('a column that stands nowhere');
    }
    return chunk;
}
