/** Tries a profile on a payload: each reading, or why there is none, in words for whoever makes the device. */

import { formatUnits } from '#lake/rows';
import type { Message } from '../message.ts';
import type { Problem, Reading } from '../reading.ts';
import { powerOfTen } from './decimal.ts';
import type { Profile } from './profile.ts';
import type { MessageReader } from './reader.ts';
import { showMs } from './time-choices.ts';

/** A line of what became of a message. */
export interface TriedLine {
    is: 'reading' | 'problem';
    device: string | undefined;
    /** Name of the metric; undefined where it is about the whole message. */
    metric: string | undefined;
    /** ISO 8601; undefined where no time could be told. */
    at: string | undefined;
    /** The value as the table shows it; undefined for a problem. */
    value: string | undefined;
    unit: string | undefined;
    /** Why it is no reading, or what is to be known of a reading; undefined where there is nothing to say. */
    note: string | undefined;
}

export interface Tried {
    lines: readonly TriedLine[];
    /** Fields that the profile does not name. */
    unknownFields: readonly string[];
    /** Identity of the message, or of each message in it. */
    messages: readonly string[];
}

/** Reads the message and says what becomes of it. A reader that is given keeps what went before, such as births. */
export function tryProfile(profile: Profile, message: Message, reader: MessageReader = profile.open()): Tried {
    const { readings, problems, unknownFields } = reader.read(message);
    const problemsOfMetrics = problems.filter(({ metric }) => metric !== undefined);
    const doubts = new Set(problemsOfMetrics.filter((problem) => readings.some((reading) => isOf(problem, reading))));
    return {
        lines: [
            ...readings.map((reading) =>
                lineOfReading(
                    reading,
                    [...doubts].find((problem) => isOf(problem, reading)),
                ),
            ),
            ...problems.filter((problem) => !doubts.has(problem)).map(lineOfProblem),
        ],
        unknownFields,
        messages: [...new Set(readings.map(({ message: identity }) => identity))],
    };
}

/** A suspect that is kept is told as a problem beside its reading. */
function isOf(problem: Problem, reading: Reading): boolean {
    return problem.reason === 'suspect' && problem.metric === reading.metric && problem.device === reading.device;
}

function lineOfReading(reading: Reading, doubt: Problem | undefined): TriedLine {
    const { device, metric, atMs, clock, clockNote, units, text, unit, isHistorical } = reading;
    const notes = [
        ...(clock === 'arrival' ? [clockNote === undefined ? 'time of arrival' : `time of arrival: ${clockNote}`] : []),
        ...(isHistorical === true ? ['historical'] : []),
        ...(doubt === undefined ? [] : [doubt.why]),
    ];
    return {
        is: 'reading',
        device,
        metric,
        at: showMs(atMs),
        value: units === undefined ? text : showUnits(units, reading),
        unit,
        note: notes.length === 0 ? undefined : notes.join('; '),
    };
}

const COLUMN_DIGITS = 9;

/** A number with the digits that its metric has; yes and no in words. */
function showUnits(units: bigint, { kind, digits = 0 }: Reading): string {
    if (kind === 'yes/no') {
        return units === 0n ? 'no' : 'yes';
    }
    return formatUnits(units / powerOfTen(COLUMN_DIGITS - digits), digits);
}

function lineOfProblem({ device, metric, atMs, why }: Problem): TriedLine {
    return {
        is: 'problem',
        device,
        metric,
        at: atMs === undefined ? undefined : showMs(atMs),
        value: undefined,
        unit: undefined,
        note: why,
    };
}
