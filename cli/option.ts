/** The options of commands: how each is written, what it means, and how strictly its text is read. */
import { INSTANT_RULE, isDay, readInstant } from '#lake/instant';

export interface Option<T> {
    /** Flags as commander reads them: `--top <n>`, `-o, --out <file>`; a switch has no `<...>`. */
    flags: string;
    meaning: string;
    /** The value where the option is not given; false for a switch. */
    fallback: T;
    choices?: readonly string[];
    /** What its text names on the disk, where it does. */
    takes?: 'file' | 'directory';
    /** Reads the option's text, behind what was read `before` where it comes again; absent for a switch, which is true when given. @throws UnreadableOption */
    parse?(text: string, before?: T): T;
}

/** The text of an option cannot be read; the message says in a sentence what was expected; parse-line.ts adds which option it was. */
export class UnreadableOption extends Error {
    override name = 'UnreadableOption';
}

/** An option that takes a file. */
export function file(flags: string, meaning: string): Option<string | undefined> {
    return { ...text(flags, meaning), takes: 'file' };
}

/** An option that takes a directory. */
export function directory(flags: string, meaning: string): Option<string | undefined> {
    return { ...text(flags, meaning), takes: 'directory' };
}

/** An option that takes any text: a name, an address. */
export function text(flags: string, meaning: string): Option<string | undefined> {
    return { flags, meaning, fallback: undefined, parse: (given) => given };
}

/** A switch: true when given. Under the key `wait`, `--no-wait` is false when given and else true. */
export function flag(flags: string, meaning: string): Option<boolean> {
    return { flags, meaning, fallback: false };
}

/**
 * An option that takes a whole number from `min` on, digits only: `1e3`, `0x10` and `5 apples` are refused, and so is what a double cannot
 * hold.
 */
export function whole(flags: string, meaning: string, { fallback, min = 1 }: { fallback: number; min?: number }): Option<number> {
    const parse = (given: string): number => {
        const number = Number(given);
        if (!/^\d+$/.test(given) || !Number.isSafeInteger(number) || number < min) {
            throw new UnreadableOption(`Expected a whole number from ${min} on.`);
        }
        return number;
    };
    return { flags, meaning, fallback, parse };
}

/** An option that takes a day of the calendar, `YYYY-MM-DD`. The frame checks that the days of two options `from` and `to` are in order. */
export function day(flags: string, meaning: string): Option<string | undefined> {
    const parse = (given: string): string => {
        if (!isDay(given)) {
            throw new UnreadableOption('Expected a day of the calendar, YYYY-MM-DD.');
        }
        return given;
    };
    return { flags, meaning, fallback: undefined, parse };
}

/**
 * An option that takes an instant: a time of UTC (`2026-01-05T13:30Z`), or a day, which is its beginning, with `isEnd` its end. Its value is ISO 8601 with
 * milliseconds, so that instants compare as their texts do.
 */
export function instant(flags: string, meaning: string, { isEnd = false }: { isEnd?: boolean } = {}): Option<string | undefined> {
    const parse = (given: string): string => {
        const found = readInstant(given, { isEnd });
        if (found === undefined) {
            throw new UnreadableOption(INSTANT_RULE);
        }
        return found;
    };
    return { flags, meaning, fallback: undefined, parse };
}

/** An option that takes a size in bytes, `10GB` or `500 MB`: decimal units, as sizes are shown. */
export function bytes(flags: string, meaning: string): Option<number | undefined> {
    const parse = (given: string): number => {
        const [, digits, unit = ''] = /^(\d+(?:\.\d+)?) ?([kmgt]?)b?$/i.exec(given) ?? [];
        const size = Math.round(Number(digits) * 1000 ** ['', 'k', 'm', 'g', 't'].indexOf(unit.toLowerCase()));
        if (!Number.isSafeInteger(size) || size < 1) {
            throw new UnreadableOption('Expected a size: 500MB, 10GB or 1.5TB.');
        }
        return size;
    };
    return { flags, meaning, fallback: undefined, parse };
}

/** An option that takes a header as curl does, `Name: value`, and may come again for another one. Its value has the names in lower case. */
export function headers(flags: string, meaning: string): Option<Readonly<Record<string, string>> | undefined> {
    const parse = (given: string, before?: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
        const [, name, value = ''] = /^([^\s:]+):\s*(.*)$/s.exec(given) ?? [];
        if (name === undefined) {
            throw new UnreadableOption('Expected a header as curl takes it, "Name: value".');
        }
        return { ...before, [name.toLowerCase()]: value };
    };
    return { flags, meaning, fallback: undefined, parse };
}

/** An option that takes a span of time, `90s`, `15m`, `2h` or `1d`; its value is in milliseconds. */
export function duration(flags: string, meaning: string): Option<number | undefined> {
    const parse = (given: string): number => {
        const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(given) ?? [];
        const span = Math.round(Number(digits) * (MS_OF[unit] ?? Number.NaN));
        if (!Number.isSafeInteger(span) || span < 1) {
            throw new UnreadableOption('Expected a span of time: 500ms, 90s, 15m, 2h or 1d.');
        }
        return span;
    };
    return { flags, meaning, fallback: undefined, parse };
}

const MS_OF: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** An option that takes a number above 0, with or without a fraction: `2`, `0.5`. */
export function positive(flags: string, meaning: string, { fallback }: { fallback: number }): Option<number> {
    const parse = (given: string): number => {
        const number = Number(given);
        if (!/^\d+(\.\d+)?$/.test(given) || !Number.isFinite(number) || number <= 0) {
            throw new UnreadableOption('Expected a number above 0.');
        }
        return number;
    };
    return { flags, meaning, fallback, parse };
}

/** An option that takes one of a few words. */
export function choice<const C extends string>(flags: string, meaning: string, choices: readonly C[]): Option<C | undefined>;
export function choice<const C extends string>(flags: string, meaning: string, choices: readonly C[], fallback: C): Option<C>;
export function choice(flags: string, meaning: string, choices: readonly string[], fallback?: string): Option<string | undefined> {
    const parse = (given: string): string => {
        if (!choices.includes(given)) {
            throw new UnreadableOption(`Expected ${orList(choices)}.`);
        }
        return given;
    };
    return { flags, meaning, fallback, choices, parse };
}

/** The words as a list: `a, b or c`. */
function orList(words: readonly string[]): string {
    return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
