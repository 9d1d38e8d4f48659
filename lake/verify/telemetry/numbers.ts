/** What a metric makes of the value that was sent: docs/profiles.md, "How a message is read", number 7. */
import { NotFollowedError } from '#lake/verify/second-reading';
import type { Metric } from './document.ts';
import { compared, type Fraction, fractionOf, plus, rounded, times, timesTen, wholeIn, ZERO } from './fractions.ts';
import { type Tree, treeOf } from './json-tree.ts';
import { isSameNumber, take, textOf, type View } from './places.ts';
import { converted } from './units.ts';

/** A value as tables have it: `units` of 10^-9, or a text. */
export type Kept = { units: bigint } | { text: string };

/** The value, and why it is none or doubted. */
export interface Made {
    kept?: Kept;
    reason?: string;
}

const TABLE_DIGITS = 9;
const MAX_TEXT_LENGTH = 1024;
const MAX_POWER = 30n;
const MAX_STATISTICS = 10n ** 15n;
const MAX_DIGITS_BEFORE_POINT = 19;

/** @param unit unit of the source that the value came from */
export function makeValue(value: Tree, metric: Metric, { view, unit }: { view: View; unit: string | undefined }): Made {
    const { kind = 'number', words, sentinels = [] } = metric;
    const sent = textOf(value);
    if (sent === undefined || value.type === 'object' || value.type === 'list') {
        return { reason: 'wrong_type' };
    }
    const word = words && Object.entries(words).find(([known]) => known === sent)?.[1];
    if (kind === 'text') {
        const isSentinel = sentinels.some(({ is }) => String(is) === sent);
        return word !== undefined
            ? keptText(String(word))
            : isSentinel
              ? { reason: 'sentinel' }
              : words
                ? { reason: 'unknown_word' }
                : keptText(sent);
    }
    const told = word === undefined ? sent : String(word);
    if (sentinels.some(({ is }) => told === is || isSameNumber(told.trim(), String(is)))) {
        return { reason: 'sentinel' };
    }
    if (kind === 'yes/no') {
        return yesOrNo(word === undefined ? value : treeOf(word), metric);
    }
    if (word === undefined && value.type === 'text' && /^\s*[+-]?(nan|inf(inity)?)\s*$/i.test(value.text)) {
        return { reason: 'no_value' };
    }
    const number = word === undefined ? numberOf(value, metric) : numberOf(treeOf(word));
    return number ? numberValue(number, metric, { view, unit }) : { reason: 'wrong_type' };
}

function keptText(text: string): Made {
    return text.length > MAX_TEXT_LENGTH ? { reason: 'out_of_limits' } : { kept: { text } };
}

function yesOrNo(value: Tree, { bit }: Metric): Made {
    if (value.type === 'yes/no' && bit === undefined) {
        return { kept: { units: value.value ? 10n ** 9n : 0n } };
    }
    const number = numberOf(value);
    const whole = number && wholeIn(number);
    if (whole === undefined || whole < 0n || (bit === undefined && whole > 1n)) {
        return { reason: 'wrong_type' };
    }
    return { kept: { units: ((whole >> BigInt(bit ?? 0)) & 1n) * 10n ** 9n } };
}

/** A number, also one in quotes, without spaces around it. */
export function bareNumberOf(value: Tree | undefined): Fraction | undefined {
    return value?.type === 'number' || value?.type === 'text' ? fractionOf(value.text) : undefined;
}

/** A number, also one in quotes. */
function numberOf(
    value: Tree | undefined,
    { decimalComma = false, suffix }: Pick<Metric, 'decimalComma' | 'suffix'> = {},
): Fraction | undefined {
    if (value?.type === 'number') {
        return fractionOf(value.text);
    }
    if (value?.type !== 'text') {
        return undefined;
    }
    const { text } = value;
    const bare = (suffix !== undefined && text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text).trim();
    return fractionOf(decimalComma ? bare.replace(',', '.') : bare);
}

function numberValue(sent: Fraction, metric: Metric, { view, unit }: { view: View; unit: string | undefined }): Made {
    const { scale = 1, scalePower, offset = 0, digits = 0, min, max, statistics = true, suspects = [] } = metric;
    const said = (number: number | string | NonNullable<Metric['scalePower']>): Fraction | undefined =>
        typeof number === 'object' ? bareNumberOf(take(number, view)) : fractionOf(String(number));
    const [factor, added] = [said(scale), said(offset)];
    const power = scalePower ? said(scalePower) : ZERO;
    const tens = power && wholeIn(power);
    if (!factor || !added || tens === undefined || tens > MAX_POWER || tens < -MAX_POWER) {
        return { reason: 'no_scale' };
    }
    const scaled = plus(timesTen(times(sent, factor), Number(tens)), added);
    const inUnit = convertedTo(scaled, metric, { view, unit });
    if ('reason' in inUnit) {
        return inUnit;
    }
    const last = rounded(inUnit.value, digits);
    const size = last < 0n ? -last : last;
    const kept = timesTen({ over: last, under: 1n }, -digits);
    const bound = (text: number | string): Fraction => fractionOf(String(text)) ?? ZERO;
    const isTooLarge = statistics ? size > MAX_STATISTICS : size >= 10n ** BigInt(MAX_DIGITS_BEFORE_POINT + digits);
    if (isTooLarge || (min !== undefined && compared(kept, bound(min)) < 0) || (max !== undefined && compared(kept, bound(max)) > 0)) {
        return { reason: 'out_of_limits' };
    }
    const value: Kept = { units: last * 10n ** BigInt(TABLE_DIGITS - digits) };
    const suspect = suspects.find(({ is }) => compared(kept, bound(is)) === 0);
    return suspect ? { reason: 'suspect', ...(suspect.keep && { kept: value }) } : { kept: value };
}

/** The number in the metric's unit. */
function convertedTo(
    value: Fraction,
    { unit: wanted, unitFrom }: Metric,
    { view, unit }: { view: View; unit: string | undefined },
): { value: Fraction } | { reason: string } {
    let from = unit;
    if (unitFrom) {
        const { units } = unitFrom;
        const sent = take(unitFrom, view);
        const said = sent && textOf(sent);
        from = said === undefined ? undefined : units ? units[said] : sent?.type === 'text' ? said : '';
        if (said !== undefined && (from === undefined || from === '')) {
            return { reason: 'unknown_unit' };
        }
    }
    if (from === undefined || wanted === undefined || wanted === 'as sent') {
        return { value };
    }
    const inUnit = converted(value, { from, to: wanted });
    if (inUnit === 'unknown') {
        throw new NotFollowedError(`its profile converts ${from} to ${wanted}, which the second reading does not know`);
    }
    return inUnit ? { value: inUnit } : { reason: 'unknown_unit' };
}
