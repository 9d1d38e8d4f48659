/** How wide a text stands on a terminal, and how it is made to fit there. */

const PLAIN = /^[ -~]*$/;
/** Control and format characters move the cursor, hide text or turn its direction: a terminal must not get them from data. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const ZERO_WIDTH = /\p{Mark}/u;
/** Characters of two columns: East Asian wide and fullwidth forms, and emoji. */
const WIDE =
    /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

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

function widthOfCharacter(character: string): number {
    return ZERO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
}
