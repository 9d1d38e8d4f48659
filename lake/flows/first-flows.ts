/** Hashes of a file's first flows: a file that another one begins with is known by them, before either is read whole. */
import { createHash } from 'node:crypto';

/** The beginning is known after 1, 2, 4, ... flows, up to this many. */
const MOST_FLOWS = 64;

/** 64 bits: no two beginnings meet by chance, and whoever finds two alike compares all figures. */
const HASH_DIGITS = 16;

/** Thrown to end a reading that wants the first flows only, once it has them. */
export class BeginningKnown extends Error {
    override name = 'BeginningKnown';
    readonly hashes: readonly string[];

    constructor(hashes: readonly string[]) {
        super('the first flows are known');
        this.hashes = hashes;
    }
}

/** The kept flows of a file, in its order, as far as its beginning goes. */
export class FirstFlows {
    isFull = false;
    /** One hash for each power of two: of the first flow, of the first two, the first four, ... */
    readonly hashes: string[] = [];
    #count = 0;
    readonly #hash = createHash('sha256');

    /** Takes the next kept flow as its texts. Ones beyond the beginning say nothing. */
    add(texts: readonly string[]): void {
        if (this.isFull) {
            return;
        }
        this.#hash.update(`${texts.join('\t')}\n`);
        this.#count += 1;
        if ((this.#count & (this.#count - 1)) === 0) {
            this.hashes.push(this.#hash.copy().digest('hex').slice(0, HASH_DIGITS));
        }
        this.isFull = this.#count === MOST_FLOWS;
    }
}
