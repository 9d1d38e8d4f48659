/** Reads a source of telemetry the second way: its messages one by one, and DuckDB for all that is counted and merged. */
import type { Input, ReadingOptions, Recount, SecondSource, SqlEngine } from '#lake/kind';
import { textOf, wholeOf } from '#lake/verify/engine';
import { messagesTaken, type Taken } from './messages-taken.ts';

/** Readings that go to the engine at a time. */
const READINGS_AT_ONCE = 20_000;

/** Unknown fields that are told of; of more the first ones count, whose order this reading does not know. */
const MAX_UNKNOWN_FIELDS = 50;
const MAX_UNKNOWN_LENGTH = 1_000;

/** @returns undefined where the source cannot be used @throws NotFollowedError, DamagedFileError */
export async function recompute(engine: SqlEngine, source: SecondSource, options: ReadingOptions): Promise<Recount | undefined> {
    const inputs = new Map<string, Promise<Input | undefined>>();
    const input = (name: string): Promise<Input | undefined> => {
        const asked = inputs.get(name) ?? source.input(name);
        inputs.set(name, asked);
        return asked;
    };
    const taken = await messagesTaken({ ...source, input }, options);
    if (!taken) {
        return undefined;
    }
    await engine.run(
        'create or replace table second_readings (site varchar, device varchar, metric varchar, at_ms bigint, message varchar, received_ms bigint, value decimal(38, 9), text varchar, clock varchar, profile varchar)',
    );
    await engine.runForEach(batches(taken));
    return gather(engine, taken);
}

async function* batches({ readings }: Taken): AsyncGenerator<{ sql: string; text: string }> {
    const sql = `
        insert into second_readings
        select fields[1], fields[2], fields[3], cast(fields[4] as bigint), fields[5], cast(fields[6] as bigint),
            cast(fields[7] as decimal(38, 9)), fields[8], fields[9], fields[10]
        from (select unnest(from_json($1, '[["VARCHAR"]]')) as fields)`;
    for (let at = 0; at < readings.length; at += READINGS_AT_ONCE) {
        yield { sql, text: JSON.stringify(readings.slice(at, at + READINGS_AT_ONCE)) };
    }
}

/** Makes `source_periods` of the readings: repeats are one row, with the columns of the one that stands first. */
async function gather(engine: SqlEngine, taken: Taken): Promise<Recount> {
    await engine.run(`
        create or replace temp table source_periods as
        select site, device, metric, at_ms, message, strftime(measured_at, '%Y-%m-%dT%H') as period,
            measured_at, received_ms, value, text, clock, profile, cast(copies as hugeint) as copies
        from (
            select *, epoch_ms(at_ms) as measured_at, count(*) over same as copies,
                row_number() over (same order by received_ms, value nulls last, text nulls last, clock, profile) as place
            from second_readings
            window same as (partition by site, device, metric, at_ms, message)
        )
        where place = 1`);
    const [total] = await engine.rows(`
        select count(*) as readings, count(distinct (site, device)) as devices, count(*) filter (clock = 'arrival') as by_arrival,
            cast(cast(epoch_ms(min(at_ms)) as date) as varchar) as first_day, cast(cast(epoch_ms(max(at_ms)) as date) as varchar) as last_day
        from second_readings`);
    const { form, profiles, rowsRead, rowsRejected, metricsRejected, reasons, unknownFields } = taken;
    const unknown = [...unknownFields].sort().join(', ') || null;
    const areUnknownKnown = unknownFields.size <= MAX_UNKNOWN_FIELDS && (unknown ?? '').length <= MAX_UNKNOWN_LENGTH;
    return {
        fields: {
            message_form: form,
            profiles: profiles.join(', ') || null,
            rows_read: rowsRead,
            rows_kept: rowsRead - rowsRejected,
            rows_rejected: rowsRejected,
            readings: Number(wholeOf(total, 'readings') ?? 0n),
            devices: Number(wholeOf(total, 'devices') ?? 0n),
            metrics_rejected: metricsRejected,
            clock_arrival: Number(wholeOf(total, 'by_arrival') ?? 0n),
            first_day: textOf(total, 'first_day'),
            last_day: textOf(total, 'last_day'),
            rejected: sayReasons(reasons),
            ...(areUnknownKnown && { unknown_fields: unknown }),
        },
        rejects: new Map([...reasons].map(([reason, count]) => [reason, BigInt(count)])),
    };
}

/** The reasons and how often each, the most frequent first; null where there are none. */
function sayReasons(reasons: ReadonlyMap<string, number>): string | null {
    const inOrder = [...reasons].sort(([one, count], [other, more]) => more - count || (one < other ? -1 : 1));
    return inOrder.map(([reason, count]) => `${reason} ${count}`).join(', ') || null;
}
