/** Rows of telemetry as a table shows them to people: instants instead of epoch milliseconds, decimals without zeros at their end. */
import type { QueryResult, Value } from '#lake/query/query-engine';

/** The result with columns `x_ms` as `x` in UTC, without the columns that are named. A span of time, `longest_gap_ms`, stays in milliseconds. */
export function forPeople({ columns, batches }: QueryResult, { without = [] }: { without?: readonly string[] } = {}): QueryResult {
    const shown = columns.flatMap(({ name, type }, index) =>
        without.includes(name) ? [] : [{ index, name, type, say: sayer(name, type) }],
    );
    const rows = async function* () {
        for await (const batch of batches) {
            yield batch.map((row) => shown.map(({ index, say }) => say(row[index] ?? null)));
        }
    };
    return {
        columns: shown.map(({ name, type, say }) =>
            say === sayInstant ? { name: name.slice(0, -'_ms'.length), type: 'varchar' } : { name, type },
        ),
        batches: rows(),
    };
}

const INSTANTS = /^(from|began|ended|first|last|silent_from|received)_ms$/;

function sayer(name: string, type: string): (value: Value) => Value {
    if (INSTANTS.test(name)) {
        return sayInstant;
    }
    return type.startsWith('decimal') && !type.endsWith(',0)') ? withoutZeros : (value) => value;
}

/** Epoch milliseconds as an instant of UTC to the second: `2026-01-05 13:30:00`. */
function sayInstant(ms: Value): Value {
    return ms === null ? null : new Date(Number(ms)).toISOString().replace('T', ' ').slice(0, 'yyyy-mm-dd hh:mm:ss'.length);
}

/** The decimal without zeros at its end: `21.3`. */
export function withoutZeros(value: Value): Value {
    return value === null
        ? null
        : String(value)
              .replace(/(\.\d*?)0+$/, '$1')
              .replace(/\.$/, '');
}
