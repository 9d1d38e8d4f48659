/** Values of a column as a row group needs them: which ones are distinct, the smallest and the largest, and their bytes. */
import { type TextList, textIn } from '#lake/text-list';
import { bigintAt, compareNumbers, NO_TEXT, type NumberPiece, nullsOf, type TextColumn } from '#lake/typed-rows';

/**
 * Values of one column in the rows of a group, by number: `items` are such numbers. Of texts a number is the place in the list of texts, of whole
 * numbers the place in the words.
 */
export interface ColumnValues {
    /** Fills `items` with the values that are no nulls. @returns how many there are */
    collect(items: Int32Array): number;
    /** 1 for each row that has no value; undefined where no row can be so. */
    nulls: Uint8Array | undefined;
    /**
     * Finds the distinct ones of `count` items: fills `entries` with one item for each, in the order in which they are met, and `indexes` with the
     * place among them of every item. @returns how many there are; undefined where a dictionary would save too little
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

/** Arrays that the columns of a group use, one after the other. */
export class ValueRoom {
    /** Place of each text of a list in a column's dictionary, from 1; 0 where it has it not. All are 0 between two columns. */
    readonly #inDictionary = new Map<TextList, Int32Array>();
    /** Places in `entries`, from 1, by the hash of their values; 0 where there is none. */
    #slots = new Int32Array(0);

    placesFor(texts: TextList): Int32Array {
        const known = this.#inDictionary.get(texts) ?? new Int32Array(texts.count);
        this.#inDictionary.set(texts, known);
        return known;
    }

    /** An array of `size` slots, all 0. */
    slotsFor(size: number): Int32Array {
        this.#slots = this.#slots.length === size ? this.#slots.fill(0) : new Int32Array(size);
        return this.#slots;
    }
}

/** How values are written. */
export interface ValuesToWrite {
    room: ValueRoom;
    /** See `Codec`. */
    dictionaryGain: number;
}

/** The texts of rows `from` to `until`, which is exclusive; with `nullable` rows may have none. */
export function textValues(
    { texts, places }: TextColumn,
    { from, until, nullable, room, dictionaryGain }: ValuesToWrite & { from: number; until: number; nullable: boolean },
): ColumnValues {
    const { bytes, starts } = texts;
    const ofRows = places.subarray(from, until);
    const bytesOf = (item: number): number => LENGTH_BYTES + (starts[item + 1] as number) - (starts[item] as number);
    return {
        nulls: nullable ? nullsOf(ofRows) : undefined,
        collect(items) {
            const present = nullable ? ofRows.filter((place) => place !== NO_TEXT) : ofRows;
            items.set(present);
            return present.length;
        },
        findDistinct({ items, count, entries, indexes }) {
            const inDictionary = room.placesFor(texts);
            let distinct = 0;
            let entryBytes = 0;
            let allBytes = 0;
            for (let at = 0; at < count; at += 1) {
                const item = items[at] as number;
                const size = bytesOf(item);
                if (inDictionary[item] === 0) {
                    entries[distinct] = item;
                    distinct += 1;
                    inDictionary[item] = distinct;
                    entryBytes += size;
                }
                indexes[at] = (inDictionary[item] as number) - 1;
                allBytes += size;
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
            return { min_value: textIn(texts, least), max_value: textIn(texts, most) };
        },
        maxBytes(items, count) {
            let size = 0;
            for (let at = 0; at < count; at += 1) {
                size += bytesOf(items[at] as number);
            }
            return size;
        },
        write(output, items, count) {
            let end = 0;
            for (let at = 0; at < count; at += 1) {
                const start = starts[items[at] as number] as number;
                const length = (starts[(items[at] as number) + 1] as number) - start;
                output[end] = length & 0xff;
                output[end + 1] = (length >>> 8) & 0xff;
                output[end + 2] = (length >>> 16) & 0xff;
                output[end + 3] = length >>> 24;
                end += LENGTH_BYTES;
                for (let byte = 0; byte < length; byte += 1) {
                    output[end + byte] = bytes[start + byte] as number;
                }
                end += length;
            }
            return end;
        },
    };
}

/** Words of a whole number and of a timestamp; decimals have more. */
const WHOLE_WORDS = 2;

/** The numbers of `rows` rows. */
export function numberValues(
    { width, words, nulls, start }: NumberPiece,
    { rows, room, dictionaryGain }: ValuesToWrite & { rows: number },
): ColumnValues {
    const hashOf = (at: number): number => {
        let hash = 0;
        for (let word = 0; word < width; word += 1) {
            hash = Math.imul(hash ^ (words[at + word] as number), 0x9e3779b1);
            hash ^= hash >>> 15;
        }
        return hash;
    };
    return {
        nulls: nulls?.subarray(start, start + rows),
        collect(items) {
            let count = 0;
            for (let row = start; row < start + rows; row += 1) {
                if (nulls?.[row] !== 1) {
                    items[count] = row;
                    count += 1;
                }
            }
            return count;
        },
        findDistinct({ items, count, entries, indexes }) {
            const size = 2 ** (bitsOf(count) + 1);
            const slots = room.slotsFor(size);
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
