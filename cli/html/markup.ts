/** Markup of the pages that this program writes. It is the one place where a text becomes markup: every text that is filled in is escaped. */
import { html, raw } from 'hono/html';
import { printable } from '#cli/draw/text-width';

/** A piece of a page, escaped already. */
export type Markup = ReturnType<typeof raw>;

type Filling = Markup | string | number | bigint | undefined | false | readonly Filling[];

/**
 * A template whose fillings are escaped, but for those that are markup already. Lists are filled in one after the other, `undefined` and false are
 * nothing. Characters that would turn the direction of a text or hide it stand as their escapes, `\u202e`.
 */
export function markup(strings: TemplateStringsArray, ...fillings: readonly Filling[]): Markup {
    const built = html(strings, ...fillings.map(plain));
    if (built instanceof Promise) {
        throw new Error('Markup is made of what is there: a promise was filled in');
    }
    return built;
}

/** Markup that something else has written and escaped: a chart. Never a text of a file. */
export function trusted(text: string): Markup {
    return raw(text);
}

function plain(filling: Filling): unknown {
    if (Array.isArray(filling)) {
        return filling.map(plain);
    }
    return typeof filling === 'string' ? printable(filling) : typeof filling === 'bigint' ? String(filling) : filling;
}
