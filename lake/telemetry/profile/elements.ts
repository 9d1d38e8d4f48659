/** The elements of a JSON list whose syntax has been checked. */

/** Calls with the place of each element between the brackets at `start` and `end`. */
export function forEachElement(bytes: Uint8Array, start: number, end: number, call: (start: number, end: number) => void): void {
    let depth = 0;
    let from = start + 1;
    let isEmpty = true;
    for (let pos = start + 1; pos < end - 1; pos++) {
        const char = bytes[pos] as number;
        isEmpty &&= char <= 0x20;
        if (char === 0x22) {
            pos = endOfString(bytes, pos);
        } else if (char === 0x7b || char === 0x5b) {
            depth++;
        } else if (char === 0x7d || char === 0x5d) {
            depth--;
        } else if (char === 0x2c && depth === 0) {
            call(from, pos);
            from = pos + 1;
        }
    }
    if (!isEmpty) {
        call(from, end - 1);
    }
}

function endOfString(bytes: Uint8Array, start: number): number {
    let pos = start + 1;
    while (bytes[pos] !== 0x22) {
        pos += bytes[pos] === 0x5c ? 2 : 1;
    }
    return pos;
}
