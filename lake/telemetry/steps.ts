/** Lengths of a step of time, in milliseconds, by what is typed: those that sql/telemetry/queries/reading_steps.sql knows. */
export const STEPS: ReadonlyMap<string, number> = new Map([
    ['1m', 60_000],
    ['5m', 300_000],
    ['15m', 900_000],
    ['1h', 3_600_000],
    ['6h', 21_600_000],
    ['1d', 86_400_000],
]);

/** How many readings are listed where nothing is said. */
export const DEFAULT_LAST = 100;
