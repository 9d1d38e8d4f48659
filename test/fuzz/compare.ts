/** What is wrong with how an input is read; nothing where all readers agree with docs/reading.md. */
import type { Engine } from '#lake/verify/engine';
import { NotFollowedError } from '#lake/verify/second-reading';
import type { FuzzInput } from './input.ts';
import { isParquet } from './plain-parquet.ts';
import type { PlainReading } from './plain-reader.ts';
import { readThePage, type Told, tellFirst, tellPage, tellPageCounted, tellSecond } from './readings.ts';

export interface Outcome {
    /** What differs; undefined where all is well. */
    problem: string | undefined;
    reading: PlainReading | 'unusable';
    /** The first reader's message where it could not use the file. */
    error: string | undefined;
}

/** Reads the input by the page and by the first reader, and with an engine by the second one too. Never throws. */
export async function compareReadings(input: FuzzInput, engine: Engine | undefined): Promise<Outcome> {
    const reading = await readThePage(input);
    const isDamaged = input.isDamaged === true && isParquet(input.bytes);
    let error: string | undefined;
    try {
        const first = await tellFirst(input);
        error = first.error;
        // Another byte in a value is another value, and elsewhere readers make of it what they may: it must not end in an error, or without an end.
        const problem = isDamaged ? undefined : difference('the first reader', first.told, tellPage(reading));
        if (problem || !engine || isDamaged) {
            return { problem, reading, error };
        }
    } catch (thrown) {
        return { problem: `the first reader threw ${describe(thrown)}`, reading, error };
    }
    try {
        const second = await tellSecond(input, engine);
        return { problem: difference('the second reader', second, tellPageCounted(reading)), reading, error };
    } catch (thrown) {
        if (thrown instanceof NotFollowedError) {
            // It says so instead of telling anything else.
            return { problem: undefined, reading, error };
        }
        return { problem: `the second reader threw ${describe(thrown)}`, reading, error };
    }
}

function difference(who: string, found: Told, expected: Told): string | undefined {
    if (found === 'unusable' || expected === 'unusable') {
        return found === expected ? undefined : `${who} says ${shown(found)}, the page says ${shown(expected)}`;
    }
    const extra = found.filter((line) => !expected.includes(line));
    const missing = expected.filter((line) => !found.includes(line));
    if (extra.length + missing.length > 0) {
        return `${who} says ${extra.slice(0, 6).join(' | ') || 'less'}, the page says ${missing.slice(0, 6).join(' | ') || 'less'}`;
    }
    return found.join('\n') === expected.join('\n') ? undefined : `${who} says the same in another order: ${found.join(' | ')}`;
}

function shown(told: Told): string {
    return told === 'unusable' ? 'that the file is unusable' : told.slice(0, 3).join(', ');
}

function describe(thrown: unknown): string {
    return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
