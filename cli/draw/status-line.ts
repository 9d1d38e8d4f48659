/** One line on the terminal that is drawn over; nothing where there is no terminal, or one that cannot draw over. */
import type { Output } from '#cli/output';
import { cutToWidth, printable } from './text-width.ts';

export interface StatusLine {
    /** Draws the line anew. */
    draw(text: string): Promise<void>;
    /** Prints a line that stays, above the one that is drawn over. */
    say(line: string): Promise<void>;
    /** Takes the drawn line away. */
    clear(): Promise<void>;
}

const CLEAR_LINE = '\r\u001b[K';

export function openStatusLine(stderr: Output): StatusLine {
    let drawn: string | undefined;
    const clear = async (): Promise<void> => {
        if (drawn !== undefined) {
            drawn = undefined;
            await stderr.control(CLEAR_LINE);
        }
    };
    const draw = async (text: string): Promise<void> => {
        if (stderr.canRedraw) {
            drawn = text;
            // A full line makes some terminals go to the next one.
            // Both begun at once: nothing that is drawn meanwhile may come between.
            await Promise.all([stderr.control(CLEAR_LINE), stderr.write(cutToWidth(printable(text), stderr.columns - 1))]);
        }
    };
    return {
        draw,
        async say(line) {
            const before = drawn;
            await clear();
            await stderr.write(`${line}\n`);
            if (before !== undefined) {
                await draw(before);
            }
        },
        clear,
    };
}
