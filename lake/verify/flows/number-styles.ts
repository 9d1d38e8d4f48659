/** How a file groups the digits of its numbers: patterns for SQL and for JavaScript, and what they tell together. */
import { IPV4 } from './addresses.ts';

export type Style = 'plain' | 'points' | 'commas';

export const STYLES: readonly Style[] = ['plain', 'points', 'commas'];

/** Numbers that can be read in several styles, and addresses: they speak for none. */
export const OPEN = `[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}|${IPV4}`;

/** Numbers that can be read in one style only, but for those that are open. */
export const SURE: Readonly<Record<Style, string>> = {
    points: '[+-]?(?:[0-9]+,[0-9]*|[0-9]{1,3}(?:\\.[0-9]{3})+,[0-9]*|[0-9]{1,3}(?:\\.[0-9]{3}){2,})',
    commas: '[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+\\.[0-9]*|[0-9]{1,3}(?:,[0-9]{3}){2,})',
    plain: '[+-]?(?:[0-9]+\\.[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?',
};

/** Numbers of a style, whose marks can be taken away. */
export const GROUPED: Readonly<Record<'points' | 'commas', string>> = {
    points: '[+-]?(?:[0-9]{1,3}(?:\\.[0-9]{3})+|[0-9]+)(?:,[0-9]*)?',
    commas: '[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\\.[0-9]*)?',
};

const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`);
const IS_OPEN = whole(OPEN);
const IS_SURE = STYLES.map((style) => ({ style, pattern: whole(SURE[style]) }));
const IS_GROUPED = { points: whole(GROUPED.points), commas: whole(GROUPED.commas) };

/** The style that a text speaks for, if any. */
export function styleOf(text: string): Style | undefined {
    return IS_OPEN.test(text) ? undefined : IS_SURE.find(({ pattern }) => pattern.test(text))?.style;
}

/** The number with nothing but a point for its fraction. */
export function ungroup(text: string, style: Style): string {
    if (style === 'plain' || !IS_GROUPED[style].test(text)) {
        return text;
    }
    return style === 'points' ? text.replaceAll('.', '').replace(',', '.') : text.replaceAll(',', '');
}

/** The style that numbers of a file are read in, by the styles that some of them speak for. */
export function settledStyle(spoken: ReadonlySet<Style>): Style {
    if (spoken.has('points')) {
        return spoken.has('commas') || spoken.has('plain') ? 'plain' : 'points';
    }
    return spoken.has('commas') ? 'commas' : 'plain';
}
