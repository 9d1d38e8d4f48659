/** The past of each pair in one measure, and how far a day is from it: the rule of sql/flows/views/pair_usual.sql. */

/** Days of the past that count, and the fewest that give a verdict. */
const PAST_DAYS = 28;
const FEWEST_DAYS = 5;

const LEAST_SCORE = 3.5;

/** Least deviation that counts, and the width of the middle half of a normal distribution in deviations. */
const LEAST_DEVIATION = 0.15;
const MIDDLE_HALF = 1.349;

/** The score has six decimals. */
const SCORE_UNIT = 1e6;

/**
 * A value whose score counts is more than exp(3.5 * 0.15) = 1.69 times the usual one, both with 1 added. A little less lets no rounding matter.
 */
const LEAST_FACTOR = 1.68;

/** How a value stands out against its past. */
export interface Verdict {
    usual: number;
    usualLow: number;
    usualHigh: number;
    score: number;
}

/**
 * The last 28 values at each place (a pair's workdays, or its weekend days). Values are whole numbers of a double. They are not kept sorted: a look
 * over 28 numbers tells of nearly every day that it is usual, and only the others have their past sorted.
 */
export class Pasts {
    #values = new Float64Array(0);
    #counts = new Int32Array(0);

    /** Makes room for the places below `places`. */
    grow(places: number): void {
        if (places > this.#counts.length) {
            const room = Math.max(places, this.#counts.length * 2);
            const values = new Float64Array(room * PAST_DAYS);
            values.set(this.#values);
            this.#values = values;
            const counts = new Int32Array(room);
            counts.set(this.#counts);
            this.#counts = counts;
        }
    }

    /** How the value stands out at the place; undefined where it does not, or where too little is known. */
    judge(place: number, value: number): Verdict | undefined {
        const count = Math.min(this.#counts[place] as number, PAST_DAYS);
        if (count < FEWEST_DAYS) {
            return undefined;
        }
        const from = place * PAST_DAYS;
        const values = this.#values;
        const limit = (1 + value) / LEAST_FACTOR;
        let smaller = 0;
        for (let at = from; at < from + count; at += 1) {
            smaller += 1 + (values[at] as number) <= limit ? 1 : 0;
        }
        // The usual value is not among those that are small enough.
        if (smaller <= (count - 1) >> 1) {
            return undefined;
        }
        return compare(value, values.slice(from, from + count).sort());
    }

    /** Puts the value into the past. */
    add(place: number, value: number): void {
        const count = this.#counts[place] as number;
        this.#values[place * PAST_DAYS + (count % PAST_DAYS)] = value;
        this.#counts[place] = count + 1;
    }
}

/** The steps are those of the view, in its order: so the doubles are equal to the last bit but for logarithms, and these are rounded. */
function compare(value: number, past: Float64Array): Verdict | undefined {
    const last = past.length - 1;
    const usual = past[Math.floor(last * 0.5)] as number;
    const usualLow = past[Math.floor(last * 0.25)] as number;
    const usualHigh = past[Math.floor(last * 0.75)] as number;
    const distance = Math.log(1 + value) - Math.log(1 + usual);
    const deviation = Math.max((Math.log(1 + usualHigh) - Math.log(1 + usualLow)) / MIDDLE_HALF, 1 / Math.sqrt(1 + usual), LEAST_DEVIATION);
    const score = Math.round((distance / deviation) * SCORE_UNIT) / SCORE_UNIT;
    return score >= LEAST_SCORE ? { usual, usualLow, usualHigh, score } : undefined;
}
