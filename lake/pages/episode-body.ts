/** An alert or a silence of history, as pages have it. */
import { type NamedRow, numberIn, plainDecimal, textIn } from './named-rows.ts';

/** `row` is one of view all_episodes. */
export function episodeBody(row: NamedRow) {
    return {
        site: String(row.site),
        device: String(row.device),
        profile: textIn(row, 'profile'),
        rule: String(row.rule),
        kind: String(row.kind),
        severity: String(row.severity),
        beganMs: numberIn(row, 'began_ms') ?? 0,
        /** Null while it is open. */
        endedMs: numberIn(row, 'ended_ms'),
        worst: plainDecimal(textIn(row, 'worst')),
        readings: textIn(row, 'readings'),
        why: String(row.why),
    };
}
