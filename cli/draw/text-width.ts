/** How wide a text stands on a terminal, and how it is made to fit there. */
import { eastAsianWidth } from 'get-east-asian-width';

const PLAIN = /^[ -~]*$/;
/** Control and format characters move the cursor, hide text or turn its direction: a terminal must not get them from data. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const ZERO_WIDTH = /\p{Mark}/u;
const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text on one line, with nothing in it that a terminal would obey: a tab becomes `\t`, an escape `\u001b`. */
export function printable(text: string): string {
    if (PLAIN.test(text)) {
        return text;
    }
    return text.replace(
        UNPRINTABLE,
        (character) => ESCAPES[character] ?? `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
    );
}

const HARMLESS = /^[ -~\n\t]*$/;

/** The text with nothing in it that a terminal would obey, but for line ends and tabs, which stay. */
export function harmless(text: string): string {
    return HARMLESS.test(text)
        ? text
        : text
              .split(/(\r?\n|\t)/)
              .map((part, at) => (at % 2 === 1 ? part : printable(part)))
              .join('');
}

/** Columns that a printable text takes. */
export function widthOf(text: string): number {
    if (PLAIN.test(text)) {
        return text.length;
    }
    let width = 0;
    for (const character of text) {
        width += widthOfCharacter(character);
    }
    return width;
}

/** The text, or as much of it as fits with an ellipsis: its beginning, for a path its end, which tells more. */
export function cutToWidth(text: string, width: number): string {
    if (widthOf(text) <= width) {
        return text;
    }
    const isPath = /^[^\s/]*\/\S*$/.test(text);
    const characters = isPath ? [...text].reverse() : [...text];
    let used = 1;
    const kept = characters.slice(
        0,
        characters.findIndex((character) => {
            used += widthOfCharacter(character);
            return used > width;
        }),
    );
    return isPath ? `…${kept.reverse().join('')}` : `${kept.join('')}…`;
}

/** The text with blanks behind it, or in front of it, up to the width; wider ones stay as they are. */
export function padToWidth(text: string, width: number, side: 'left' | 'right'): string {
    const blanks = ' '.repeat(Math.max(0, width - widthOf(text)));
    return side === 'left' ? text + blanks : blanks + text;
}

/** What each sign means, side by side as far as there is room, and else below each other. */
export function wrapLegend(parts: readonly string[], width: number): string[] {
    return wrapParts(
        parts.flatMap((part) => wrapWords(part, width)),
        { width, gap: '   ' },
    );
}

/** The parts on as few lines as have room for them, `gap` between two; a part that is wider than a line has one of its own. */
function wrapParts(parts: readonly string[], { width, gap }: { width: number; gap: string }): string[] {
    const lines: string[] = [];
    for (const part of parts) {
        const last = lines.at(-1);
        const longer = last === undefined ? part : `${last}${gap}${part}`;
        if (last !== undefined && widthOf(longer) <= width) {
            lines[lines.length - 1] = longer;
        } else {
            lines.push(part);
        }
    }
    return lines;
}

/** The sentence on as few lines as have room for it, broken between words. */
export function wrapWords(sentence: string, width: number): string[] {
    return wrapParts(sentence.split(' '), { width, gap: ' ' });
}

function widthOfCharacter(character: string): number {
    return ZERO_WIDTH.test(character) ? 0 : eastAsianWidth(character.codePointAt(0) ?? 0);
}
