/** The time at which a message was measured: the times that a profile lets choose from, and the limits beyond which a clock is not believed. */
import { UsageError } from '#lake/errors';
import { parseDecimal } from './decimal.ts';
import type { ProfileDocument, TimeChoice, TimeWords } from './document.ts';
import { fastTimeOf } from './fast-time.ts';
import { NULL, NUMBER, TEXT } from './fields.ts';
import { compileSource } from './sources.ts';
import { compileTextTime, parseSpan, readDuration } from './times.ts';
import { asList, type Context, type Scope, showToken, type Token } from './tokens.ts';

/** A time, and whose it is; `why` says for people what was wrong with the device's. */
export interface Moment {
    atMs: number;
    clock: 'device' | 'arrival';
    why?: string | undefined;
}

/** What is believed of a clock. */
export interface ClockLimits {
    earliestMs: number;
    aheadMs: number;
}

/** No time, and why; undefined where none of the choices is there at all. */
export type NoMoment = { reason: 'no_time' | 'bad_time'; why: string };

export function clockLimits({ clock }: ProfileDocument): ClockLimits {
    const earliestMs = compileTextTime(undefined, undefined)(clock?.earliest ?? '2010-01-01', undefined);
    if (earliestMs === undefined) {
        throw new UsageError(`clock.earliest is ${JSON.stringify(clock?.earliest)}, no date: write one like "2010-01-01"`);
    }
    return { earliestMs, aheadMs: parseSpan(clock?.ahead ?? '5m') ?? 0 };
}

/** The first time that is there and believed; else the arrival. Undefined only where nothing is there and the arrival is not a choice. */
export function compileTime(
    words: TimeChoice | readonly TimeChoice[],
    limits: ClockLimits,
    scope: Scope,
): (context: Context) => Moment | NoMoment | undefined {
    const choices = asList<TimeChoice>(words as TimeChoice | readonly TimeChoice[]);
    const mayBeArrival = choices.includes('arrival');
    const readers = choices.filter((choice) => choice !== 'arrival').map((choice) => compileChoice(choice, limits, scope));
    return (context) => {
        const { arrivedMs } = context.message;
        let doubt: string | undefined;
        let isUnreadable = false;
        for (const read of readers) {
            const found = read(context);
            if (typeof found === 'number') {
                const why = disbelief(found, arrivedMs, limits);
                if (why === undefined) {
                    return { atMs: found, clock: 'device' };
                }
                doubt ??= why;
            } else if (found !== undefined) {
                isUnreadable ||= doubt === undefined;
                doubt ??= found.why;
            }
        }
        if (doubt === undefined && !mayBeArrival) {
            return undefined;
        }
        if (isUnreadable && !mayBeArrival) {
            return { reason: 'bad_time', why: `${doubt}; correct "time", or let it end with "arrival"` };
        }
        if (arrivedMs === undefined) {
            return {
                reason: 'no_time',
                why:
                    doubt === undefined
                        ? 'it says no time, and when it arrived is not known'
                        : `${doubt}, and when it arrived is not known`,
            };
        }
        return { atMs: arrivedMs, clock: 'arrival', why: doubt };
    };
}

function disbelief(atMs: number, arrivedMs: number | undefined, { earliestMs, aheadMs }: ClockLimits): string | undefined {
    if (atMs < earliestMs) {
        return `the device's clock says ${showMs(atMs)}, before ${showMs(earliestMs)}: it has no time`;
    }
    if (arrivedMs !== undefined && atMs > arrivedMs + aheadMs) {
        return `the device's clock says ${showMs(atMs)}, which is after the arrival at ${showMs(arrivedMs)}`;
    }
    return atMs > LAST_MS ? `the device's clock says ${atMs} ms, beyond the year 9999` : undefined;
}

const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

export function showMs(ms: number): string {
    return Math.abs(ms) <= LAST_MS ? new Date(ms).toISOString() : `${ms} ms`;
}

/** A time, why it is unreadable, or undefined where it is absent. */
type Choice = (context: Context) => number | { why: string } | undefined;

function compileChoice(words: TimeWords, { aheadMs }: ClockLimits, scope: Scope): Choice {
    const { unit, format, zone, plus, ago = false } = words;
    const source = compileSource(sourceOf(words), scope);
    const fast = fastTimeOf(words, scope);
    const toMs = unit === 'ISO' || unit === undefined ? fromText(format, zone, aheadMs) : fromNumber(unit, words);
    const addition = plus === undefined ? undefined : compileSource(sourceOf(plus), scope);
    return (context) => {
        const plain = fast?.(context);
        if (plain !== undefined) {
            return plain;
        }
        const token = source(context);
        if (token === undefined || token.type === NULL) {
            return undefined;
        }
        let ms = toMs(token, context);
        if (ms === undefined) {
            return { why: `the time is ${showToken(token)}, ${formOf(words)}` };
        }
        if (ago) {
            const { arrivedMs } = context.message;
            if (arrivedMs === undefined) {
                return { why: 'the time counts back from the arrival, which is not known' };
            }
            ms = arrivedMs - ms;
        }
        if (addition !== undefined && plus !== undefined) {
            const token = addition(context);
            const more = token === undefined || token.type === NULL ? 0 : readDuration(token.text, plus.unit);
            if (more === undefined) {
                return { why: `what is to be added to the time is ${showToken(token)}, no number` };
            }
            ms += more;
        }
        return ms;
    };
}

/** The words of a source without those of a time, whose `unit` is none of a value. */
function sourceOf<T extends TimeWords>({ unit: _unit, ...words }: T) {
    return words;
}

function formOf({ unit, format }: TimeWords): string {
    return format !== undefined
        ? `not of the form ${format}`
        : unit === 'ISO' || unit === undefined
          ? 'no ISO 8601 date and time'
          : `no number of ${unit}`;
}

function fromText(
    format: string | undefined,
    zone: string | undefined,
    aheadMs: number,
): (token: Token, context: Context) => number | undefined {
    const read = compileTextTime(format, zone);
    return ({ type, text }, { message: { arrivedMs } }) =>
        type === TEXT || (type === NUMBER && format !== undefined)
            ? read(text, arrivedMs === undefined ? undefined : arrivedMs + aheadMs)
            : undefined;
}

function fromNumber(unit: string, { epoch }: TimeWords): (token: Token) => number | undefined {
    const epochMs = epoch === undefined ? 0 : (compileTextTime(undefined, undefined)(epoch, undefined) ?? 0);
    return ({ type, text }) => {
        if (type !== NUMBER && !(type === TEXT && parseDecimal(text) !== undefined)) {
            return undefined;
        }
        const ms = readDuration(text, unit);
        return ms === undefined || !Number.isSafeInteger(ms) ? undefined : ms + epochMs;
    };
}
