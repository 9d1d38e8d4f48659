/**
 * What rows tell of the unit of their durations: a rate of packets a second, times the duration in seconds, is the packets. Of python cicflowmeter
 * versions with the same header write seconds and microseconds, so that nothing else tells.
 */
import { type DurationUnit, UNIT_DIGITS } from '../options.ts';
import type { UnitBy } from './format.ts';

/** The units that rates can speak for: meters write seconds and microseconds, and pandas makes nanoseconds of them in Parquet. */
const UNITS: readonly DurationUnit[] = ['s', 'ms', 'us', 'ns'];

/** Rates are rounded, some to a digit or two: a quotient this close to the unit's is meant. */
const CLOSE = 1.25;

/** Rows that are looked at behind a header, and then every so many lines: a file that was put together of two is found out, for hardly any time. */
export const FIRST_WITNESS_LINES = 64;
export const WITNESS_LINES_APART = 1024;

export interface WitnessCells {
    duration: string;
    /** Packets a second, and the counts of packets that it is of. */
    rate: string;
    packets: readonly string[];
}

/** The unit that a row speaks for; undefined where it tells nothing, as one without a duration. */
export function witnessedUnit({ duration, rate, packets }: WitnessCells): DurationUnit | undefined {
    const counts = packets.map(numberOf);
    const counted = counts.reduce((sum, count) => sum + count, 0);
    const [time, perSecond] = [numberOf(duration), numberOf(rate)];
    if (!(time > 0 && perSecond > 0 && counted > 0) || counts.some((count) => count < 0)) {
        return undefined;
    }
    const factor = (time * perSecond) / counted;
    return UNITS.find((unit) => {
        const quotient = factor / 10 ** UNIT_DIGITS[unit];
        return quotient > 1 / CLOSE && quotient < CLOSE;
    });
}

function numberOf(text: string): number {
    return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
}

/** What settled the unit of a file's durations, once all rows are read. */
export function unitByOf({
    isGiven,
    judge,
    named,
    hasFractions,
}: {
    isGiven: boolean;
    judge: Pick<UnitJudge, 'isWitnessed'>;
    /** What the names tell. */
    named: UnitBy;
    /** True if durations are fractions that the tool of those names does not write. */
    hasFractions: boolean;
}): UnitBy {
    if (isGiven || judge.isWitnessed) {
        return isGiven ? 'given' : 'witnessed';
    }
    return hasFractions ? 'assumed' : named;
}

/** A row that spoke for a unit. */
interface Witness {
    unit: DurationUnit;
    lineNumber: number;
}

/** The unit that rows are read in, and whether others speak against it. */
export class UnitJudge {
    readonly unit: DurationUnit;
    /** True if the uploader said the unit. */
    readonly #isGiven: boolean;
    /** The first row that spoke for the unit, in this reading or the one before. */
    #first: Witness | undefined;
    /** The unit that the file must be read in instead. */
    other: Witness | undefined;
    /** Why the file cannot be used: rows speak against each other, or against the uploader. */
    conflict: string | undefined;

    constructor({ unit, isGiven, first }: { unit: DurationUnit; isGiven: boolean; first?: Witness | undefined }) {
        this.unit = unit;
        this.#isGiven = isGiven;
        this.#first = first;
    }

    get isWitnessed(): boolean {
        return this.#first !== undefined;
    }

    hear(witness: Witness): void {
        if (witness.unit === this.unit) {
            this.#first ??= witness;
        } else if (this.#isGiven) {
            this.conflict ??= `--duration-unit ${this.unit} was given, and line ${witness.lineNumber} speaks for ${witness.unit}: its duration times its packets a second is its packets in that unit; leave the option out, or give ${witness.unit}`;
        } else if (this.#first) {
            const [one, other] = [this.#first, witness].sort((a, b) => a.lineNumber - b.lineNumber);
            this.conflict ??= `its rows disagree on the unit of durations: by their packets a second line ${one?.lineNumber} speaks for ${one?.unit} and line ${other?.lineNumber} for ${other?.unit}; split the file by what wrote it`;
        } else {
            this.other ??= witness;
        }
    }
}
