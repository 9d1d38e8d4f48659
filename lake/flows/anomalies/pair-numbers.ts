/** A number for each pair, the same on all days, by which its figures are found in arrays. */
import { RefusedParquetError } from '../formats/parquet/refused.ts';

/** The numbers of the texts of some rows, column by column. */
export interface KeyColumns {
    site: Int32Array;
    src_ip: Int32Array;
    dst_ip: Int32Array;
}

export type PairName = Readonly<Record<keyof KeyColumns, string>>;

/** Texts that are told apart; two of their numbers fit into one double. */
const MAX_TEXTS = 2 ** 26;

/**
 * Numbers texts and pairs from 0 on as they are met; pairs of one site alone, where one is asked for. Days are sorted, so that mostly the same text
 * and the same pair come next as on the day before: that guess is tried first, and saves a look into a map for each value.
 */
export class PairNumbers {
    readonly #site: string | undefined;
    readonly #maxPairs: number;
    readonly #texts: string[] = [];
    readonly #numberOfText = new Map<string, number>();
    /** The text that stood behind each text, column by column. */
    readonly #textBehind: Readonly<Record<keyof KeyColumns, number[]>> = { site: [], src_ip: [], dst_ip: [] };
    /** The pairs of each site by their addresses. */
    readonly #ofSite: (Map<number, number> | undefined)[] = [];
    /** The three texts of each pair. */
    readonly #keys: number[] = [];
    /** The pair that stood behind each pair. */
    readonly #behind: number[] = [];
    #last = 0;

    constructor({ site, maxPairs }: { site: string | undefined; maxPairs: number }) {
        this.#site = site;
        this.#maxPairs = maxPairs;
    }

    /** How many pairs there are. */
    get count(): number {
        return this.#behind.length;
    }

    /** A function that numbers the column's texts in their order. It throws RefusedParquetError for what was no text, and for too many of them. */
    numberTexts(column: keyof KeyColumns): (text: string) => number {
        const behind = this.#textBehind[column];
        let last = 0;
        return (text) => {
            const guess = behind[last] ?? 0;
            const number = this.#texts[guess] === text ? guess : this.#findText(text);
            behind[last] = number;
            last = number;
            return number;
        };
    }

    #findText(text: string): number {
        const known = this.#numberOfText.get(text);
        if (known !== undefined) {
            return known;
        }
        const number = this.#texts.length;
        // What stands for bytes that are no UTF-8: they cannot be told apart any more.
        if (text.includes('\ufffd') || number === MAX_TEXTS) {
            throw new RefusedParquetError('texts that are no UTF-8, or too many');
        }
        this.#texts.push(text);
        this.#numberOfText.set(text, number);
        for (const behind of Object.values(this.#textBehind)) {
            behind.push(0);
        }
        return number;
    }

    nameOf(pair: number): PairName {
        const [site = '', src_ip = '', dst_ip = ''] = this.#keys.slice(pair * 3, pair * 3 + 3).map((text) => this.#texts[text]);
        return { site, src_ip, dst_ip };
    }

    /** The rows' pairs; -1 for those of another site than the one that is asked for. @throws RefusedParquetError for too many pairs */
    numbersOf({ site: sites, src_ip: sources, dst_ip: destinations }: KeyColumns): Int32Array {
        const wanted = this.#site === undefined ? undefined : (this.#numberOfText.get(this.#site) ?? -1);
        return sites.map((site, row) =>
            wanted === undefined || site === wanted ? this.#numberOf(site, sources[row] as number, destinations[row] as number) : -1,
        );
    }

    #numberOf(site: number, source: number, destination: number): number {
        const guess = this.#behind[this.#last] ?? 0;
        const keys = this.#keys;
        const isRight = keys[guess * 3 + 2] === destination && keys[guess * 3 + 1] === source && keys[guess * 3] === site;
        const pair = isRight ? guess : this.#findPair(site, source, destination);
        this.#behind[this.#last] = pair;
        this.#last = pair;
        return pair;
    }

    #findPair(site: number, source: number, destination: number): number {
        this.#ofSite[site] ??= new Map();
        const ofSite = this.#ofSite[site];
        const addresses = source * MAX_TEXTS + destination;
        let pair = ofSite.get(addresses);
        if (pair === undefined) {
            pair = this.count;
            if (pair === this.#maxPairs) {
                throw new RefusedParquetError(`more than ${this.#maxPairs} pairs`);
            }
            ofSite.set(addresses, pair);
            this.#keys.push(site, source, destination);
            this.#behind.push(0);
        }
        return pair;
    }
}
