/** Numbers as people's programs group them: a whole file is read in one style, or as plain numbers. docs/reading.md has the rules. */
import { isIPv4 } from 'node:net';

/** What groups thousands: points (`1.234,5`), commas (`1,234.5`), or nothing does (`1234.5`). */
export type NumberStyle = 'plain' | 'points' | 'commas';

/** The style that a number is surely written in; undefined where it may be of several, or is none. */
export function styleOf(text: string): NumberStyle | undefined {
    if (!/[.,]/.test(text) || isIPv4(text)) {
        return undefined;
    }
    if (/^[+-]?\d{1,3}(\.\d{3}){2,}(,\d*)?$|^[+-]?\d{1,3}(\.\d{3})+,\d*$/.test(text)) {
        return 'points';
    }
    if (/^[+-]?\d{1,3}(,\d{3}){2,}(\.\d*)?$|^[+-]?\d{1,3}(,\d{3})+\.\d*$/.test(text)) {
        return 'commas';
    }
    if (/^[+-]?\d+,\d*$/.test(text)) {
        return isGrouped(text, ',') ? undefined : 'points';
    }
    return /^[+-]?(\d+\.\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) && !isGrouped(text, '.') ? 'plain' : undefined;
}

/** True if a style speaks against the one that numbers are read in: commas that group say nothing against plain numbers beside them. */
export function isAgainst(style: NumberStyle, read: NumberStyle): boolean {
    return style !== read && !(read === 'commas' && style === 'plain');
}

/** The number in plain digits with a point, as `parseWhole` takes it; a text that the style does not allow stays as it is, with what it groups by. */
export function toPlain(text: string, style: NumberStyle): string {
    if (style === 'points') {
        const isOfStyle = /^[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d*)?$/.test(text);
        return isOfStyle ? text.replaceAll('.', '').replace(',', '.') : text;
    }
    return style === 'commas' && /^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$/.test(text) ? text.replaceAll(',', '') : text;
}

/** True for one to three digits, not a zero in front, and groups of three. */
function isGrouped(text: string, mark: '.' | ','): boolean {
    return mark === '.' ? /^[+-]?[1-9]\d{0,2}(\.\d{3})+$/.test(text) : /^[+-]?[1-9]\d{0,2}(,\d{3})+$/.test(text);
}
