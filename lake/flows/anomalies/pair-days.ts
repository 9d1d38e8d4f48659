/** The columns of a day's pairs by which unusual days are found, straight from the day's object. */
import type { ByRange } from '#lake/kind';
import { chunkOf, columnAt, openParquet, type ParquetFile } from '../formats/parquet/file.ts';
import { type Page, type ReadColumn, readPages } from '../formats/parquet/pages.ts';
import { RefusedParquetError } from '../formats/parquet/refused.ts';
import type { KeyColumns, PairNumbers } from './pair-numbers.ts';

/** Some rows of a day, as columns. */
export interface PairDayRows {
    count: number;
    /** The number of each row's pair; -1 for a pair that is not asked for. */
    pairs: Int32Array;
    flows: Float64Array;
    timedFlows: Float64Array;
    durations: Float64Array;
    packets: Float64Array;
}

/**
 * The day's rows, a row group at a time. Figures are exact.
 * @throws RefusedParquetError for an object that is not as flowlake writes them: another type, a null, a figure below 0 or above 2^53. @throws
 * DamagedFileError
 */
export async function* readPairDays(bytes: ByRange, pairs: PairNumbers): AsyncGenerator<PairDayRows> {
    const file = await openParquet(bytes);
    // A file of before format 3 has no timed_flows; all its flows were timed.
    const timedFlows = file.names.includes('timed_flows') ? 'timed_flows' : 'flows';
    for (const [group, { num_rows: rows }] of file.metadata.row_groups.entries()) {
        const place = { bytes, file, group, count: Number(rows) };
        yield {
            count: place.count,
            pairs: pairs.numbersOf({
                site: await readTexts('site', pairs, place),
                src_ip: await readTexts('src_ip', pairs, place),
                dst_ip: await readTexts('dst_ip', pairs, place),
            }),
            flows: await readFigures('flows', place),
            timedFlows: await readFigures(timedFlows, place),
            durations: await readFigures('flow_duration_us_sum', place),
            packets: await readFigures('fwd_pkts_sum', place),
        };
    }
}

interface GroupPlace {
    bytes: ByRange;
    file: ParquetFile;
    group: number;
    count: number;
}

/** The numbers of a column's texts, row by row. */
async function readTexts(name: keyof KeyColumns, pairs: PairNumbers, place: GroupPlace): Promise<Int32Array> {
    const numbers = new Int32Array(place.count);
    const numberOf = pairs.numberTexts(name);
    let dictionary: Page['values'] | undefined;
    let ofDictionary = new Int32Array(0);
    let filled = 0;
    for await (const page of pagesOf(name, 'BYTE_ARRAY', place)) {
        const { values, index, rowCount } = page;
        if (page.isDictionary && dictionary !== values) {
            dictionary = values;
            ofDictionary = Int32Array.from(values as ArrayLike<string>, numberOf);
        }
        for (let row = 0; row < rowCount; row += 1) {
            const at = index ? (index[row] as number) : row;
            numbers[filled + row] = page.isDictionary ? (ofDictionary[at] as number) : numberOf(values[at] as string);
        }
        filled += rowCount;
    }
    return numbers;
}

/** Whole numbers from here on are not all told apart by doubles. */
const MAX_SAFE_HIGH = 2 ** 21;

const WORD = 2 ** 32;

/** A column of whole numbers. They pass as two words of 32 bits each: a bigint for each would take ten times as long. */
async function readFigures(name: string, place: GroupPlace): Promise<Float64Array> {
    const figures = new Float64Array(place.count);
    let filled = 0;
    for await (const { values, index, rowCount } of pagesOf(name, 'INT64', place)) {
        const whole = values instanceof BigInt64Array ? values : BigInt64Array.from(values as ArrayLike<bigint>);
        const words = new Uint32Array(whole.buffer, whole.byteOffset, whole.length * 2);
        for (let row = 0; row < rowCount; row += 1) {
            const at = index ? (index[row] as number) : row;
            const high = words[at * 2 + 1] as number;
            if (high >= MAX_SAFE_HIGH) {
                throw new RefusedParquetError(`column ${name} has a figure below 0 or above 2^53`);
            }
            figures[filled + row] = high * WORD + (words[at * 2] as number);
        }
        filled += rowCount;
    }
    return figures;
}

/** The pages of a column of a row group; each row has a value. */
async function* pagesOf(name: string, type: string, { bytes, file, group, count }: GroupPlace): AsyncGenerator<Page> {
    const at = file.names.indexOf(name);
    if (at < 0) {
        throw new RefusedParquetError(`column ${name} is missing`);
    }
    const column: ReadColumn = columnAt(file, at, ['text', 'number']);
    if (column.element.type !== type) {
        throw new RefusedParquetError(`column ${name} is of type ${column.element.type}`);
    }
    for await (const page of readPages(bytes, chunkOf(file, group, at), { column, rowCount: count })) {
        if (page.index?.includes(-1)) {
            throw new RefusedParquetError(`column ${name} has a null`);
        }
        yield page;
    }
}
