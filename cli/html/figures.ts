/** How figures, days and names stand on a page. */
import type { Value } from '#lake/query/query-engine';
import { type Markup, markup } from './markup.ts';

/** What stands where a table has nothing: never a zero. */
const NOTHING = '–';

/**
 * A whole number or decimal with all its digits. Groups of three stand apart by their margin alone: what is copied from the page has the digits and
 * nothing between them.
 */
export function figure(value: Value | undefined): Markup {
    if (value === null || value === undefined) {
        return markup`<span class="none">${NOTHING}</span>`;
    }
    const [, sign = '', digits = '', rest = ''] = /^(-?)(\d+)(.*)$/s.exec(String(value)) ?? [];
    if (digits.length <= 4) {
        return markup`${String(value)}`;
    }
    const first = digits.length % 3 || 3;
    const groups = digits.slice(first).match(/\d{3}/g) ?? [];
    return markup`${sign}${digits.slice(0, first)}${groups.map((group) => markup`<i>${group}</i>`)}${rest}`;
}

/** A double with three places, for means and scores. */
export function rounded(value: Value | undefined): Markup {
    return figure(typeof value === 'number' && Math.abs(value) < 1e15 ? value.toFixed(3) : value);
}

/** A text of a file or message, kept apart from the direction of what is around it. */
export function name(value: Value | undefined): Markup {
    return value === null || value === undefined ? markup`<span class="none">${NOTHING}</span>` : markup`<bdi>${String(value)}</bdi>`;
}

/** An instant to the minute: `2026-01-05 13:30`. */
export function instant(ms: Value | undefined): Markup {
    return ms === null || ms === undefined
        ? markup`<span class="none">${NOTHING}</span>`
        : markup`<span class="time">${new Date(Number(ms)).toISOString().replace('T', ' ').slice(0, 'yyyy-mm-dd hh:mm'.length)}</span>`;
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** A day with its weekday: `Mon 2026-01-05`. */
export function sayDay(day: string): string {
    return `${WEEKDAYS[new Date(`${day}T00:00:00Z`).getUTCDay()]} ${day}`;
}

/** A larger ratio says no more. */
const MOST_RATIO = 1000;

/** Change of a sum: `+12 %`, `×3.4` from three times on; nothing where there was none before. */
export function change(now: bigint, before: bigint): Markup | undefined {
    if (before === 0n) {
        return undefined;
    }
    const ratio = Number(now) / Number(before);
    if (ratio >= MOST_RATIO) {
        return markup`<span class="change">over ×${MOST_RATIO}</span>`;
    }
    if (ratio >= 3) {
        return markup`<span class="change">×${ratio < 10 ? ratio.toFixed(1) : ratio.toFixed(0)}</span>`;
    }
    const percent = Math.round((ratio - 1) * 100);
    return markup`<span class="change">${percent > 0 ? '+' : percent < 0 ? '−' : '±'}${Math.abs(percent)} %</span>`;
}
