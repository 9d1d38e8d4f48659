/** The elements of a JSON list whose syntax has been checked. */

/** White space of JSON is no character above this. */
const SPACE = 0x20;

/** Calls with the place of each element between the brackets at `start` and `end`, without the white space around it. */
export function forEachElement(bytes: Uint8Array, start: number, end: number, call: (start: number, end: number) => void): void {
    const tell = (from: number, until: number) => {
        let [first, last] = [from, until];
        while ((bytes[first] as number) <= SPACE) {
            first++;
        }
        while ((bytes[last - 1] as number) <= SPACE) {
            last--;
        }
        call(first, last);
    };
    let depth = 0;
    let from = start + 1;
    let isEmpty = true;
    for (let pos = start + 1; pos < end - 1; pos++) {
        const char = bytes[pos] as number;
        isEmpty &&= char <= SPACE;
        if (char === 0x22) {
            pos = endOfString(bytes, pos);
        } else if (char === 0x7b || char === 0x5b) {
            depth++;
        } else if (char === 0x7d || char === 0x5d) {
            depth--;
        } else if (char === 0x2c && depth === 0) {
            tell(from, pos);
            from = pos + 1;
        }
    }
    if (!isEmpty) {
        tell(from, end - 1);
    }
}

function endOfString(bytes: Uint8Array, start: number): number {
    let pos = start + 1;
    while (bytes[pos] !== 0x22) {
        pos += bytes[pos] === 0x5c ? 2 : 1;
    }
    return pos;
}
