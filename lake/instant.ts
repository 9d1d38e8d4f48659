/** Days and instants as people type them: on the command line, and in the address of a question to the API. */

const MS_PER_DAY = 86_400_000;

/** What `readInstant` expects, as a sentence. */
export const INSTANT_RULE = 'Expected a time of UTC, YYYY-MM-DDTHH:MM, or a day, YYYY-MM-DD.';

/**
 * The instant that a text names, as ISO 8601 with milliseconds, so that instants compare as their texts do: a time of UTC (`2026-01-05T13:30Z`), or a day, which
 * is its beginning, with `isEnd` its end. Undefined where it names none.
 */
export function readInstant(given: string, { isEnd = false }: { isEnd?: boolean } = {}): string | undefined {
    if (isDay(given)) {
        return new Date(Date.parse(`${given}T00:00:00Z`) + (isEnd ? MS_PER_DAY : 0)).toISOString();
    }
    const [, day = '', time = ''] = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)Z?$/.exec(given) ?? [];
    const found = new Date(`${day}T${time}Z`);
    if (!isDay(day) || Number.isNaN(found.getTime()) || found.toISOString().slice(0, 'yyyy-mm-dd'.length) !== day) {
        return undefined;
    }
    return found.toISOString();
}

/** True if the calendar has the day, written `YYYY-MM-DD`. */
export function isDay(text: string): boolean {
    const date = new Date(`${text}T00:00:00Z`);
    return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 10) === text;
}
