/** Every list of a Parquet footer, read by hand and by the letter of the Thrift compact protocol, as the strictest readers do. */

export interface ThriftList {
    /** Ids of fields from the footer's struct down, `4.1.2`. */
    field: string;
    size: number;
    /** 1 to 12 are types; https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md#list-and-set */
    elementType: number;
}

const STRUCT = 12;

/** The lists of a footer, in the order of their bytes. @throws RangeError where the footer is not Thrift from its first byte to its last */
export function listsOfFooter(file: Uint8Array): ThriftList[] {
    const bytes = Buffer.from(file);
    const end = bytes.length - 8;
    const lists: ThriftList[] = [];
    let at = end - bytes.readUInt32LE(end);

    function varint(): number {
        let value = 0;
        for (let factor = 1; ; factor *= 128) {
            const byte = bytes.readUInt8(at++);
            value += (byte & 127) * factor;
            if (byte < 128) {
                return value;
            }
        }
    }

    function walkStruct(path: string): void {
        let id = 0;
        for (let head = bytes.readUInt8(at++); head !== 0; head = bytes.readUInt8(at++)) {
            id = head >> 4 === 0 ? varint() / 2 : id + (head >> 4);
            // A field's true and false stand in its type.
            if ((head & 15) > 2) {
                walk(head & 15, `${path}${id}`);
            }
        }
    }

    function walk(type: number, path: string): void {
        if (type === STRUCT) {
            walkStruct(`${path}.`);
        } else if (type === 9) {
            const head = bytes.readUInt8(at++);
            const size = head >> 4 === 15 ? varint() : head >> 4;
            lists.push({ field: path, size, elementType: head & 15 });
            for (let count = 0; count < size; count += 1) {
                walk(head & 15, path);
            }
        } else if (type === 8) {
            const length = varint();
            at += length;
        } else if (type >= 4 && type <= 6) {
            varint();
        } else if (type >= 1 && type <= 3) {
            at += 1;
        } else if (type === 7) {
            at += 8;
        } else {
            throw new RangeError(`type ${type} of field ${path} at byte ${at}`);
        }
    }

    walkStruct('');
    if (at !== end) {
        throw new RangeError(`the footer ends at byte ${at} instead of ${end}`);
    }
    return lists;
}
