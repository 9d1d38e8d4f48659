/** What is derived from readings, and how. The functions are loaded when a day is derived: naming the kind must cost nothing. */
import type { DerivedTable } from '#lake/kind';
import { episodes, metricHours } from './derived-tables.ts';

/** All tables that are derived from readings. */
export const derivedTables: readonly DerivedTable[] = [
    {
        table: metricHours,
        format: 1,
        isChained: false,
        derive: async (part) => (await import('#lake/telemetry/derive-readings')).deriveHour(part),
        partOf(rows, { day }) {
            return (row) => {
                const { words, start } = rows.numbers('hour', row, row + 1);
                return `${day}T${String(words[start * 2]).padStart(2, '0')}`;
            };
        },
    },
    {
        table: episodes,
        format: 2,
        isChained: true,
        derive: async (part) => (await import('#lake/telemetry/derive-readings')).deriveEpisodes(part),
        atEnd: async (state, context) => (await import('#lake/telemetry/derive-readings')).openEpisodes(state, context),
    },
];
