/** Values of a column as a row group needs them: which ones are distinct, the smallest and the largest, and their bytes. */
import { bigintAt, compareNumbers, NO_TEXT, type NumberColumn, nullsOf, type TextColumn } from '#lake/typed-rows';

/**
 * Values of one column by number: `items` are such numbers. Of texts a number is the place in the list of texts, of whole numbers the row.
 */
export interface ColumnValues {
    /** Fills `items` with the rows' values that are no nulls. @returns how many there are */
    collect(items: Int32Array, from: number, until: number): number;
    /** True if the row has no value; undefined where no row can be so. */
    nulls: Uint8Array | undefined;
    /**
     * Finds the distinct ones of `count` items: fills `entries` with one item for each, in the order in which they are met, and `indexes` with the
     * place among them of every item. @returns how many there are; undefined where a dictionary would save less than half
     */
    findDistinct(found: { items: Int32Array; count: number; entries: Int32Array; indexes: Int32Array }): number | undefined;
    /** The smallest and the largest of the items, as the library's footer takes them. */
    bounds(items: Int32Array, count: number): { min_value: string | bigint; max_value: string | bigint };
    /** Bytes that the items may need in PLAIN. */
    maxBytes(items: Int32Array, count: number): number;
    /** Writes the items in PLAIN at the beginning of `output`. @returns how many bytes */
    write(output: Uint8Array, items: Int32Array, count: number): number;
}

const LENGTH_BYTES = 4;

/** A character of UTF-16 has up to three bytes in UTF-8. */
const MAX_UNIT_BYTES = 3;

/** Characters from here on have more than one byte. */
const NOT_ASCII = 0x80;

/** @param nullable true if rows may have no text @param dictionaryGain see `Codec` */
export function textValues(
    { texts, places }: TextColumn,
    { nullable, dictionaryGain }: { nullable: boolean; dictionaryGain: number },
): ColumnValues {
    /** Place of each text in the group's dictionary, from 1; 0 where the group has it not. */
    const inDictionary = new Int32Array(texts.length);
    const lengthOf = (item: number): number => (texts[item] as string).length;
    return {
        nulls: nullable ? nullsOf(places) : undefined,
        collect(items, from, until) {
            const ofRows = places.subarray(from, until);
            const present = nullable ? ofRows.filter((place) => place !== NO_TEXT) : ofRows;
            items.set(present);
            return present.length;
        },
        findDistinct({ items, count, entries, indexes }) {
            let distinct = 0;
            let entryBytes = 0;
            let allBytes = 0;
            for (let at = 0; at < count; at += 1) {
                const item = items[at] as number;
                const bytes = LENGTH_BYTES + lengthOf(item);
                if (inDictionary[item] === 0) {
                    entries[distinct] = item;
                    distinct += 1;
                    inDictionary[item] = distinct;
                    entryBytes += bytes;
                }
                indexes[at] = (inDictionary[item] as number) - 1;
                allBytes += bytes;
            }
            for (let entry = 0; entry < distinct; entry += 1) {
                inDictionary[entries[entry] as number] = 0;
            }
            return count > 0 && entryBytes * dictionaryGain <= allBytes ? distinct : undefined;
        },
        bounds(items, count) {
            let [least, most] = [items[0] as number, items[0] as number];
            for (let at = 1; at < count; at += 1) {
                const item = items[at] as number;
                least = Math.min(item, least);
                most = Math.max(item, most);
            }
            return { min_value: texts[least] as string, max_value: texts[most] as string };
        },
        maxBytes(items, count) {
            let bytes = 0;
            for (let at = 0; at < count; at += 1) {
                bytes += LENGTH_BYTES + lengthOf(items[at] as number) * MAX_UNIT_BYTES;
            }
            return bytes;
        },
        write(output, items, count) {
            let end = 0;
            for (let at = 0; at < count; at += 1) {
                end = writeText(output, end, texts[items[at] as number] as string);
            }
            return end;
        },
    };
}

/** Writes a text in UTF-8 behind its length. @returns the place behind it */
function writeText(output: Uint8Array, at: number, text: string): number {
    const start = at + LENGTH_BYTES;
    let end = start;
    for (let unit = 0; unit < text.length; unit += 1) {
        const code = text.charCodeAt(unit);
        if (code >= NOT_ASCII) {
            const bytes = Buffer.from(text);
            output.set(bytes, start);
            end = start + bytes.length;
            break;
        }
        output[end] = code;
        end += 1;
    }
    const length = end - start;
    output[at] = length & 0xff;
    output[at + 1] = (length >>> 8) & 0xff;
    output[at + 2] = (length >>> 16) & 0xff;
    output[at + 3] = length >>> 24;
    return end;
}

/** Words of a whole number and of a timestamp; decimals have more. */
const WHOLE_WORDS = 2;

/** @param dictionaryGain see `Codec` */
export function numberValues({ width, words, nulls }: NumberColumn, { dictionaryGain }: { dictionaryGain: number }): ColumnValues {
    /** Places in `entries`, from 1, by the hash of their values; 0 where there is none. */
    let slots = new Int32Array(0);
    const hashOf = (at: number): number => {
        let hash = 0;
        for (let word = 0; word < width; word += 1) {
            hash = Math.imul(hash ^ (words[at + word] as number), 0x9e3779b1);
            hash ^= hash >>> 15;
        }
        return hash;
    };
    return {
        nulls,
        collect(items, from, until) {
            let count = 0;
            for (let row = from; row < until; row += 1) {
                if (nulls?.[row] !== 1) {
                    items[count] = row;
                    count += 1;
                }
            }
            return count;
        },
        findDistinct({ items, count, entries, indexes }) {
            const size = 2 ** (bitsOf(count) + 1);
            slots = slots.length === size ? slots.fill(0) : new Int32Array(size);
            let distinct = 0;
            for (let at = 0; at < count; at += 1) {
                const item = (items[at] as number) * width;
                let slot = hashOf(item) & (size - 1);
                let place = slots[slot] as number;
                while (place !== 0 && compareNumbers(words, (entries[place - 1] as number) * width, words, item, width) !== 0) {
                    slot = (slot + 1) & (size - 1);
                    place = slots[slot] as number;
                }
                if (place === 0) {
                    entries[distinct] = items[at] as number;
                    distinct += 1;
                    if (distinct * dictionaryGain > count) {
                        return undefined;
                    }
                    place = distinct;
                    slots[slot] = place;
                }
                indexes[at] = place - 1;
            }
            return count === 0 ? undefined : distinct;
        },
        bounds(items, count) {
            let [least, most] = [(items[0] as number) * width, (items[0] as number) * width];
            for (let at = 1; at < count; at += 1) {
                const item = (items[at] as number) * width;
                if (compareNumbers(words, item, words, least, width) < 0) {
                    least = item;
                } else if (compareNumbers(words, item, words, most, width) > 0) {
                    most = item;
                }
            }
            return { min_value: bigintAt(words, least, width), max_value: bigintAt(words, most, width) };
        },
        maxBytes: (_, count) => count * width * 4,
        write(output, items, count) {
            const out = new Int32Array(output.buffer, output.byteOffset, count * width);
            for (let at = 0; at < count; at += 1) {
                const item = (items[at] as number) * width;
                if (width !== WHOLE_WORDS) {
                    // Decimals are big-endian (Parquet LogicalTypes, DECIMAL), whole numbers little-endian as the words are.
                    for (let word = 0; word < width; word += 1) {
                        out[at * width + word] = swapBytes(words[item + width - 1 - word] as number);
                    }
                } else {
                    out[at * 2] = words[item] as number;
                    out[at * 2 + 1] = words[item + 1] as number;
                }
            }
            return count * width * 4;
        },
    };
}

function bitsOf(count: number): number {
    return 32 - Math.clz32(count);
}

/** The word with its four bytes the other way round. */
export function swapBytes(word: number): number {
    return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

/** The value of a decimal as a file has it, in its smallest units: two's complement, big-endian (Parquet LogicalTypes, DECIMAL). */
export function decimalOf(bytes: Uint8Array): bigint {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let value = BigInt(view.getInt32(0));
    for (let at = 4; at < bytes.length; at += 4) {
        value = (value << 32n) | BigInt(view.getUint32(at));
    }
    return value;
}
