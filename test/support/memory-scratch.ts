/** Scratch room in memory, and how much of it was taken. */
import type { Scratch } from '#lake/store/object-store';

export interface MemoryScratch extends Scratch {
    readonly sizeBytes: number;
    readonly isClosed: boolean;
}

export function memoryScratch(): MemoryScratch {
    let bytes = Buffer.alloc(0);
    let isClosed = false;
    const assertOpen = (): void => {
        if (isClosed) {
            throw new Error('the scratch room is closed');
        }
    };
    return {
        get sizeBytes() {
            return bytes.length;
        },
        get isClosed() {
            return isClosed;
        },
        append(more) {
            assertOpen();
            bytes = Buffer.concat([bytes, more]);
            return bytes.length - more.length;
        },
        read({ start, end }) {
            assertOpen();
            if (end > bytes.length) {
                throw new RangeError(`only ${bytes.length} bytes were appended, and ${end} are asked for`);
            }
            return new Uint8Array(bytes.subarray(start, end));
        },
        close() {
            isClosed = true;
        },
    };
}
