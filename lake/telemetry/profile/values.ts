/** The value of a metric: from what was sent to units of 10^-9, a text, or why it is none. */

import { formatUnits } from '#lake/rows';
import type { Problem } from '../reading.ts';
import { add, compare, multiply, ONE, parseDecimal, powerOfTen, type Ratio, roundTo, ZERO } from './decimal.ts';
import type { MetricWords, Num, SentinelWords, SourceWords } from './document.ts';
import { ARRAY, FALSE, NULL, NUMBER, OBJECT, TEXT, TRUE } from './fields.ts';
import { shorten } from './json-scanner.ts';
import { compileSource } from './sources.ts';
import { type Context, numberOf, type Scope, type Source, showToken, type Token } from './tokens.ts';
import { type Conversion, conversion, unitsLike } from './units.ts';

/** A value as it goes to a table, with a doubt about it that is told beside it; or a problem. */
export type Value =
    | { units: bigint; text: undefined; unit: string | undefined; doubt?: Pick<Problem, 'reason' | 'why'> }
    | { units: undefined; text: string; unit: string | undefined }
    | { problem: Pick<Problem, 'reason' | 'why'> };

export type ValueReader = (token: Token, context: Context) => Value;

/** Digits behind the point that column `value` has. */
const COLUMN_DIGITS = 9;
/** Whole numbers of units of 10^-digits that an hour's sums can hold: squares of 10^8 readings fit 38 digits. */
const MAX_STATISTICS_UNITS = 10n ** 15n;
/** decimal(28,9): its largest whole number of units. */
const MAX_COLUMN_UNITS = 10n ** 28n - 1n;
const MAX_TEXT_CHARACTERS = 1024;

function problem(reason: string, why: string): Value {
    return { problem: { reason, why } };
}

export function compileValue(words: MetricWords, scope: Scope): ValueReader {
    const { kind = 'number', nullMeans } = words;
    const read = kind === 'text' ? compileText(words) : kind === 'yes/no' ? compileYesNo(words) : compileNumber(words, scope);
    const noValue = problem('no_value', nullMeans === undefined ? 'no value (null)' : `no value (null: ${nullMeans})`);
    const wordOf = compileWords(words);
    return (token, context) => {
        if (token.type === NULL) {
            return noValue;
        }
        if (token.why !== undefined) {
            return problem('wrong_type', token.why);
        }
        if (token.type === OBJECT || token.type === ARRAY) {
            return problem('wrong_type', `${token.type === OBJECT ? 'an object' : 'a list'} stands where a ${nameOfKind(kind)} should`);
        }
        const word = wordOf?.(token);
        return read(word ?? token, context);
    };
}

function nameOfKind(kind: string): string {
    return kind === 'yes/no' ? 'yes or no' : kind;
}

/** Words of the device to what they mean. */
function compileWords({ words }: MetricWords): ((token: Token) => Token | undefined) | undefined {
    if (words === undefined) {
        return undefined;
    }
    const meanings = new Map(
        Object.entries(words).map(([word, meaning]): [string, Token] => [
            word,
            typeof meaning === 'boolean'
                ? { type: meaning ? TRUE : FALSE, text: String(meaning) }
                : { type: typeof meaning === 'number' ? NUMBER : TEXT, text: String(meaning) },
        ]),
    );
    return ({ text, unit }) => {
        const meaning = meanings.get(text);
        return meaning === undefined ? undefined : { ...meaning, unit };
    };
}

function compileText({ words, sentinels, unit }: MetricWords): ValueReader {
    const sentinel = compileSentinels(sentinels);
    const known = words === undefined ? undefined : new Set(Object.values(words).map(String));
    return (token) => {
        const meaning = sentinel?.(token, undefined);
        if (meaning !== undefined) {
            return meaning;
        }
        if (known !== undefined && !known.has(token.text)) {
            return problem('unknown_word', `${showToken(token)} is none of the words that the profile knows: add it to "words"`);
        }
        return token.text.length > MAX_TEXT_CHARACTERS
            ? problem('out_of_limits', `the text has ${token.text.length} characters, and no more than ${MAX_TEXT_CHARACTERS} are kept`)
            : { units: undefined, text: token.text, unit };
    };
}

const UNITS_OF_ONE = 10n ** 9n;

function compileYesNo({ bit, sentinels, unit }: MetricWords): ValueReader {
    const sentinel = compileSentinels(sentinels);
    const answer = (isYes: boolean): Value => ({ units: isYes ? UNITS_OF_ONE : 0n, text: undefined, unit });
    return (token) => {
        const number = parseDecimal(token.text);
        const meaning = sentinel?.(token, number);
        if (meaning !== undefined) {
            return meaning;
        }
        if (bit !== undefined) {
            return number === undefined || number.num % number.den !== 0n || number.num < 0n
                ? problem('wrong_type', `bit ${bit} is asked of ${showToken(token)}, which is no whole number`)
                : answer(((number.num / number.den) >> BigInt(bit)) % 2n === 1n);
        }
        if (token.type === TRUE || token.type === FALSE) {
            return answer(token.type === TRUE);
        }
        if (number !== undefined && (compare(number, ZERO) === 0 || compare(number, ONE) === 0)) {
            return answer(number.num !== 0n);
        }
        const hint = token.type === TEXT ? `: add "words": {${JSON.stringify(shorten(token.text))}: true}, or false` : '';
        return problem('wrong_type', `${showToken(token)} is neither yes nor no${hint}`);
    };
}

type SentinelTest = (token: Token, number: Ratio | undefined) => Value | undefined;

/** Values that mean something else than their number. */
function compileSentinels(words: readonly SentinelWords[] | undefined): SentinelTest | undefined {
    if (words === undefined || words.length === 0) {
        return undefined;
    }
    const tests = words.map(({ is, means }) => ({ number: parseDecimal(String(is)), text: String(is), means }));
    return (token, number) => {
        const found = tests.find((test) =>
            test.number === undefined || number === undefined ? test.text === token.text : compare(test.number, number) === 0,
        );
        return found === undefined ? undefined : problem('sentinel', `${found.means} (${shorten(token.text)})`);
    };
}

const NO_NUMBER = /^[+-]?(?:nan|inf|infinity)$/i;

function compileNumber(words: MetricWords, scope: Scope): ValueReader {
    const { unit, suffix, decimalComma = false, digits = 0, statistics = true, words: known } = words;
    const sentinel = compileSentinels(words.sentinels);
    const factor = compileFactor(words, scope);
    const offset = compileNumberOrSource(words.offset, scope);
    const unitOf = compileUnitOf(words, scope);
    const convert = compileConversions(unit);
    const check = compileLimits(words);
    const toColumn = powerOfTen(COLUMN_DIGITS - digits);
    const most = statistics ? MAX_STATISTICS_UNITS : MAX_COLUMN_UNITS / toColumn;
    return (token, context) => {
        if (token.type === TRUE || token.type === FALSE) {
            return problem('wrong_type', `${token.text} is no number: is the metric's kind "yes/no"?`);
        }
        const text = token.type === TEXT ? plainNumber(token.text, suffix, decimalComma) : token.text;
        const sent = parseDecimal(text);
        const meaning = sentinel?.(token, sent);
        if (meaning !== undefined) {
            return meaning;
        }
        if (sent === undefined) {
            return NO_NUMBER.test(text)
                ? problem('no_value', `no value (${shorten(text)})`)
                : problem(
                      'wrong_type',
                      `${showToken(token)} is no number${known === undefined ? '' : ', and none of the words that the profile knows'}`,
                  );
        }
        let value = sent;
        if (factor !== undefined) {
            const by = factor(context);
            if ('problem' in by) {
                return by;
            }
            value = multiply(value, by);
        }
        if (offset !== undefined) {
            const by = offset(context);
            if ('problem' in by) {
                return by;
            }
            value = add(value, by);
        }
        const sentUnit = unitOf(token, context);
        if (typeof sentUnit !== 'string' && sentUnit !== undefined) {
            return sentUnit;
        }
        if (sentUnit !== undefined && sentUnit !== unit && unit !== undefined && unit !== AS_SENT) {
            const by = convert(sentUnit);
            if (by === undefined) {
                return problem('unknown_unit', `it is in ${sentUnit}, which cannot be made ${unit}: ${unitsLike(unit).join(', ')} can`);
            }
            value = add(multiply(value, by.factor), by.offset);
        }
        const rounded = roundTo(value, digits);
        if (rounded > most || rounded < -most) {
            return problem(
                'out_of_limits',
                `${shorten(token.text)} is too large for ${digits} digits: ${statistics ? 'hours keep 15 digits in all; with "statistics": false it may have 28' : 'a column has 19 digits before the point'}`,
            );
        }
        const limit = check(rounded, `${shorten(token.text)}${sentUnit === undefined ? '' : ` ${sentUnit}`}`);
        if (limit !== undefined && 'problem' in limit) {
            return limit;
        }
        return { units: rounded * toColumn, text: undefined, unit: unit === AS_SENT ? sentUnit : unit, ...limit };
    };
}

/** The unit of a metric whose messages say it, and whatever they say is kept. */
const AS_SENT = 'as sent';

function plainNumber(text: string, suffix: string | undefined, decimalComma: boolean): string {
    const bare = (suffix !== undefined && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text).trim();
    return decimalComma ? bare.replace(',', '.') : bare;
}

type NumberOf = (context: Context) => Ratio | { problem: Pick<Problem, 'reason' | 'why'> };

function compileNumberOrSource(words: Num | SourceWords | undefined, scope: Scope): NumberOf | undefined {
    if (words === undefined) {
        return undefined;
    }
    if (typeof words !== 'object') {
        const number = numberOf(words);
        return () => number;
    }
    return numberFrom(compileSource(words, scope), 'its scale or offset');
}

function numberFrom(source: Source, what: string): NumberOf {
    return (context) => {
        const token = source(context);
        const number = token === undefined ? undefined : parseDecimal(token.text);
        return number ?? { problem: { reason: 'no_scale', why: `${what} is ${showToken(token)}, no number` } };
    };
}

function compileFactor({ scale, scalePower }: MetricWords, scope: Scope): NumberOf | undefined {
    const factor = compileNumberOrSource(scale, scope);
    if (scalePower === undefined) {
        return factor;
    }
    const power = numberFrom(compileSource(scalePower, scope), 'its power of ten');
    return (context) => {
        const exponent = power(context);
        const by = factor?.(context) ?? ONE;
        if ('problem' in exponent || 'problem' in by) {
            return 'problem' in exponent ? exponent : by;
        }
        if (exponent.num % exponent.den !== 0n || exponent.num > 30n * exponent.den || exponent.num < -30n * exponent.den) {
            return { problem: { reason: 'no_scale', why: 'its power of ten is no whole number from -30 to 30' } };
        }
        const n = Number(exponent.num / exponent.den);
        return multiply(by, n >= 0 ? { num: powerOfTen(n), den: 1n } : { num: 1n, den: powerOfTen(-n) });
    };
}

/** The unit that a message says, in UCUM; undefined where it says none. */
function compileUnitOf({ unitFrom }: MetricWords, scope: Scope): (token: Token, context: Context) => string | Value | undefined {
    if (unitFrom === undefined) {
        return ({ unit }) => unit;
    }
    const { units, ...words } = unitFrom;
    const source = compileSource(words, scope);
    return (_, context) => {
        const token = source(context);
        if (token === undefined || token.type === NULL) {
            return undefined;
        }
        if (units === undefined) {
            return token.text;
        }
        return Object.hasOwn(units, token.text)
            ? units[token.text]
            : problem('unknown_unit', `its unit is ${showToken(token)}, which the profile does not know: add it to "units"`);
    };
}

function compileConversions(to: string | undefined): (from: string) => Conversion | undefined {
    const known = new Map<string, Conversion | undefined>();
    return (from) => {
        if (!known.has(from) && known.size < 100) {
            known.set(from, conversion(from, to ?? from));
        }
        return known.has(from) ? known.get(from) : conversion(from, to ?? from);
    };
}

type LimitCheck = (
    rounded: bigint,
    shown: string,
) => { problem: Pick<Problem, 'reason' | 'why'> } | { doubt: Pick<Problem, 'reason' | 'why'> } | undefined;

/** Limits and suspects: both are of the value as it is kept. */
function compileLimits({ min, max, suspects = [], digits = 0, unit }: MetricWords): LimitCheck {
    const low = min === undefined ? undefined : numberOf(min);
    const high = max === undefined ? undefined : numberOf(max);
    const doubtful = suspects.map(({ is, means, keep = false }) => ({ units: roundTo(numberOf(is), digits), means, keep }));
    const name = unit === undefined || unit === '1' ? '' : ` ${unit}`;
    return (rounded, shown) => {
        const value: Ratio = { num: rounded, den: powerOfTen(digits) };
        const isLow = low !== undefined && compare(value, low) < 0;
        if (isLow || (high !== undefined && compare(value, high) > 0)) {
            const kept = formatUnits(rounded, digits);
            return {
                problem: {
                    reason: 'out_of_limits',
                    why: `${kept}${name} is ${isLow ? `below ${min}` : `above ${max}`}${name} (sent: ${shown})`,
                },
            };
        }
        const suspect = doubtful.find(({ units }) => units === rounded);
        if (suspect === undefined) {
            return undefined;
        }
        const told = { reason: 'suspect', why: `suspect: ${shown} = ${formatUnits(rounded, digits)}${name} is ${suspect.means}` };
        return suspect.keep ? { doubt: told } : { problem: told };
    };
}
