/** Local times of named zones (IANA: `Europe/Madrid`), by the rules that Node's ICU has. */

const MS_PER_DAY = 86_400_000;

/** True if Node knows the zone. */
export function isZone(name: string): boolean {
    try {
        new Intl.DateTimeFormat('en', { timeZone: name });
        return /^[A-Za-z]/.test(name);
    } catch {
        return false;
    }
}

/**
 * Local milliseconds (as if they were UTC) to UTC. An hour that comes twice in autumn is the later one, unless that would be after
 * `latestMs`; without that it is the earlier one. An hour that spring leaves out is read by the offset before it.
 */
export function openZone(name: string): (localMs: number, latestMs: number | undefined) => number {
    const offsetAt = openOffsets(name);
    return (localMs, latestMs) => {
        // A zone changes at most once within these two days.
        const before = offsetAt(localMs - MS_PER_DAY);
        const after = offsetAt(localMs + MS_PER_DAY);
        if (before === after) {
            return localMs - before;
        }
        const earlier = localMs - before;
        const later = localMs - after;
        const isEarlier = offsetAt(earlier) === before;
        const isLater = offsetAt(later) === after;
        if (isEarlier && isLater) {
            return latestMs !== undefined && Math.max(earlier, later) <= latestMs ? Math.max(earlier, later) : Math.min(earlier, later);
        }
        return isLater ? later : earlier;
    };
}

/** Milliseconds that local time is ahead of UTC. Asking ICU takes long, so a day whose ends have one offset is asked once. */
function openOffsets(name: string): (utcMs: number) => number {
    const format = new Intl.DateTimeFormat('en-US', {
        timeZone: name,
        calendar: 'gregory',
        numberingSystem: 'latn',
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
    });
    const ask = (utcMs: number): number => {
        const parts: Record<string, string> = {};
        for (const { type, value } of format.formatToParts(utcMs)) {
            parts[type] = value;
        }
        const [year, month, day, hour, minute, second] = ['year', 'month', 'day', 'hour', 'minute', 'second'].map((part) =>
            Number(parts[part]),
        );
        return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second) - Math.floor(utcMs / 1000) * 1000;
    };
    const steady = new Map<number, number | undefined>();
    return (utcMs) => {
        const day = Math.floor(utcMs / MS_PER_DAY);
        let offset = steady.get(day);
        if (offset === undefined && !steady.has(day)) {
            const from = ask(day * MS_PER_DAY);
            offset = from === ask((day + 1) * MS_PER_DAY - 1) ? from : undefined;
            if (steady.size > 10_000) {
                steady.clear();
            }
            steady.set(day, offset);
        }
        return offset ?? ask(utcMs);
    };
}
