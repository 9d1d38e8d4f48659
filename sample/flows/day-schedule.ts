/** The order of a day's flows: each pair in its own rhythm, all pairs together in the order of time. */
import { hash, type Random, unit } from '#sample/random';
import type { Rhythm } from './services.ts';

const SECONDS_PER_HOUR = 3600;
const SECONDS_PER_DAY = 24 * SECONDS_PER_HOUR;
const NOBODY = -1;

/** Flows of one burst, where a rhythm has bursts. */
const BURST_FLOWS = 8;

/** One flow in this many is written twice: probes do that now and then. */
const REPEATED_ROW_EVERY = 1500;

/** One day's flows, one after another. Memory depends on the pairs, not on the flows. */
export class DaySchedule {
    /** Second of the day of the flow that `next` told of, and whether its row is there twice. */
    second = 0;
    isRepeated = false;

    private readonly flowsOfPair: Int32Array;
    private readonly rhythmOf: (pair: number) => DayRhythm;
    private readonly random: Random;
    private readonly done: Int32Array;
    /** Each pair waits in the list of the second of its next flow: `waiting` holds the first pair, `behind` the one behind each. */
    private readonly waiting = new Int32Array(SECONDS_PER_DAY).fill(NOBODY);
    private readonly behind: Int32Array;

    constructor({ flowsOfPair, rhythmOf, random }: { flowsOfPair: Int32Array; rhythmOf: (pair: number) => DayRhythm; random: Random }) {
        this.flowsOfPair = flowsOfPair;
        this.rhythmOf = rhythmOf;
        this.random = random;
        this.done = new Int32Array(flowsOfPair.length);
        this.behind = new Int32Array(flowsOfPair.length);
        for (let pair = 0; pair < flowsOfPair.length; pair++) {
            this.queueNextFlow(pair);
        }
    }

    /** The pair of the next flow, or -1 when the day is over. */
    next(): number {
        while (this.second < SECONDS_PER_DAY) {
            const pair = this.waiting[this.second] ?? NOBODY;
            if (pair !== NOBODY) {
                this.waiting[this.second] = this.behind[pair] ?? NOBODY;
                const done = (this.done[pair] ?? 0) + 1;
                this.isRepeated = done < (this.flowsOfPair[pair] ?? 0) && this.random.next() % REPEATED_ROW_EVERY === 0;
                this.done[pair] = done + (this.isRepeated ? 1 : 0);
                this.queueNextFlow(pair);
                return pair;
            }
            this.second++;
        }
        return NOBODY;
    }

    private queueNextFlow(pair: number): void {
        const flows = this.flowsOfPair[pair] ?? 0;
        const place = this.done[pair] ?? 0;
        if (place < flows) {
            const second = this.rhythmOf(pair).secondOf({ pair, place, flows, chance: unit(this.random.next()) });
            const at = Math.max(second, this.second);
            this.behind[pair] = this.waiting[at] ?? NOBODY;
            this.waiting[at] = pair;
        }
    }
}

/** A rhythm laid out over the 86,400 seconds of a day. */
export class DayRhythm {
    private readonly evenness: number;
    private readonly hours: readonly number[];
    private readonly total: number;

    constructor({ evenness, hours }: Rhythm) {
        this.evenness = evenness;
        this.hours = hours;
        this.total = hours.reduce((sum, weight) => sum + weight, 0);
    }

    /**
     * Second of the day at which a pair's flow begins that stands at this place among its flows of the day; `chance` moves it by up to one
     * place.
     */
    secondOf({ pair, place, flows, chance }: { pair: number; place: number; flows: number; chance: number }): number {
        let position = place + chance;
        if (this.evenness < 1) {
            const first = place - (place % BURST_FLOWS);
            const room = Math.min(BURST_FLOWS, flows - first);
            const quiet = room * (1 - this.evenness) * unit(hash(pair, first, flows));
            position = first + quiet + (position - first) * this.evenness;
        }
        let weight = (position / flows) * this.total;
        for (let hour = 0; hour < 24; hour++) {
            const own = this.hours[hour] ?? 0;
            if (weight < own) {
                return Math.floor((hour + weight / own) * SECONDS_PER_HOUR);
            }
            weight -= own;
        }
        return SECONDS_PER_DAY - 1;
    }
}
