/** Days and instants. All times are UTC: the days of the lake are. */

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** A day, `Mon 2026-01-05`. */
export function Day({ day }: { day: string }) {
    return <time dateTime={day}>{`${weekdayOf(day)} ${day}`}</time>;
}

/** The weekday of a day, `Mon`. */
export function weekdayOf(day: string): string {
    return WEEKDAYS[new Date(`${day}T00:00:00Z`).getUTCDay()] ?? '';
}

/** An instant of UTC to the second, `2026-01-05 09:10:00`, or to its milliseconds where it has some. */
export function Instant({ ms }: { ms: number | null | undefined }) {
    if (ms === null || ms === undefined) {
        return <span class="missing">–</span>;
    }
    return (
        <time dateTime={new Date(ms).toISOString()} title={`${new Date(ms).toString()}`}>
            {sayInstant(ms)}
        </time>
    );
}

export function sayInstant(ms: number): string {
    return new Date(ms)
        .toISOString()
        .replace('T', ' ')
        .replace(/(\.000)?Z$/, '');
}

/** How long ago it was, `3 min ago`; `now` is epoch milliseconds. */
export function sayAgo(ms: number, now: number): string {
    return now - ms < 1000 ? 'just now' : `${sayDuration(now - ms)} ago`;
}

const STEPS = [
    { ms: 86_400_000, unit: 'd' },
    { ms: 3_600_000, unit: 'h' },
    { ms: 60_000, unit: 'min' },
    { ms: 1000, unit: 's' },
] as const;

/** A span of time in its largest unit, rounded down: `3 min`. */
export function sayDuration(ms: number): string {
    const step = STEPS.find((one) => ms >= one.ms);
    return step ? `${Math.floor(ms / step.ms)} ${step.unit}` : `${Math.max(0, Math.round(ms))} ms`;
}
