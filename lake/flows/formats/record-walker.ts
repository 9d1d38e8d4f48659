/** The records of a file that are known by heart, found by the walk over a block of its bytes. */

import { MAX_PIECE_BYTES, type Shapes } from './json-shapes.ts';
import {
    BLOCK_AT,
    BLOCK_BYTES,
    FRACTION_DIGITS,
    IMAGE_AT,
    LINES_BEFORE,
    PAD_BYTES,
    prepareWalk,
    RECORD_END,
    RECORD_START,
    RECORD_WORDS,
    RECORDS_AT,
    records,
    STOPPED_AT,
    WORD_BYTES,
    walk,
    walked,
} from './record-walk.ts';

/** Whose shapes are in the memory. */
let owner: RecordWalker | undefined;

/** Records of a piece of bytes, one after the other. A walker is of use until another one begins. */
export class RecordWalker {
    /** Place in `records` of the record that was found last. */
    record = 0;
    readonly #shapes: Shapes;
    readonly #isArray: boolean;
    readonly #factor: number;
    readonly #divisor: number;
    #version = -1;
    #bytes: Buffer = Buffer.alloc(0);
    /** Place of the block in the bytes, and of its end. */
    #blockStart = 0;
    #blockEnd = 0;
    #recordsEnd = 0;

    /**
     * `isArray`: commas may stand between records. `durationScale`: durations are multiplied by ten to this power; where it is negative they are
     * not read.
     */
    constructor(shapes: Shapes, { isArray, durationScale }: { isArray: boolean; durationScale: number }) {
        prepareWalk();
        this.#shapes = shapes;
        this.#isArray = isArray;
        this.#factor = durationScale < 0 ? 0 : 10 ** durationScale;
        this.#divisor = durationScale < 0 ? 1 : 10 ** (FRACTION_DIGITS - durationScale);
    }

    /** Takes these bytes in the place of the last ones. */
    begin(bytes: Buffer): void {
        this.#bytes = bytes;
        this.#blockEnd = 0;
        this.#recordsEnd = 0;
    }

    /** Finds the record that begins at `start`. @returns false where it is not known by heart */
    find(start: number): boolean {
        const at = start - this.#blockStart + BLOCK_AT;
        for (; this.record < this.#recordsEnd; this.record += RECORD_WORDS) {
            if (records[this.record + RECORD_START] === at) {
                return true;
            }
        }
        return this.#walk(start);
    }

    /** Goes to the record behind the one that was found last. @returns false where `find` must look for it */
    next(): boolean {
        this.record += RECORD_WORDS;
        return this.record < this.#recordsEnd;
    }

    /** Place behind the record that was found last. */
    get end(): number {
        return (records[this.record + RECORD_END] as number) - BLOCK_AT + this.#blockStart;
    }

    /** Line ends in front of the record that was found last, from the first one on that was found with it. */
    get linesBefore(): number {
        return records[this.record + LINES_BEFORE] as number;
    }

    /** Walks on from `start`. @returns false where no record is known by heart there */
    #walk(start: number): boolean {
        const { image, version } = this.#shapes;
        if (owner !== this || version !== this.#version) {
            owner = this;
            this.#version = version;
            walked.set(image, IMAGE_AT);
        }
        const isInBlock = start >= this.#blockStart && start < this.#blockEnd;
        if (isInBlock && (this.#walkBlock(start) || !this.#isAtBlockEnd())) {
            return this.record < this.#recordsEnd;
        }
        this.#takeBlock(start);
        return this.#walkBlock(start);
    }

    /** True if the walk may have stopped because the record goes on behind the block. */
    #isAtBlockEnd(): boolean {
        const stoppedAt = (records[STOPPED_AT] as number) - BLOCK_AT + this.#blockStart;
        return this.#blockEnd < this.#bytes.length && stoppedAt + MAX_PIECE_BYTES + PAD_BYTES >= this.#blockEnd;
    }

    /** Walks on from a place in the block. @returns false where no record is known by heart there */
    #walkBlock(start: number): boolean {
        const at = start - this.#blockStart + BLOCK_AT;
        this.#recordsEnd = walk(at, this.#shapes.start, this.#isArray ? 1 : 0, this.#factor, this.#divisor) / WORD_BYTES;
        this.record = RECORDS_AT / WORD_BYTES;
        return this.record < this.#recordsEnd;
    }

    #takeBlock(start: number): void {
        const bytes = this.#bytes.subarray(start, start + BLOCK_BYTES);
        this.#blockStart = start;
        this.#blockEnd = start + bytes.length;
        walked.set(bytes, BLOCK_AT);
        walked.fill(0, BLOCK_AT + bytes.length, BLOCK_AT + bytes.length + PAD_BYTES);
    }
}
