/** The hours of a source that was read: their rows are made when they are asked for, so that those of one hour at a time are in memory. */
import type { Periods } from '#lake/kind';
import type { TypedRows } from '#lake/typed-rows';
import { orderOf, orderOfTexts, rowsOfHour } from './hour-rows.ts';
import { HOUR_MS, type ReadingTable } from './reading-table.ts';
import type { SpilledReadings } from './spilled-readings.ts';

const PERIOD_LENGTH = 'YYYY-MM-DDTHH'.length;

/** The rows of the table by hour; `spilled` holds all of its readings where they did not fit memory. */
export function hourPeriods(table: ReadingTable, spilled: SpilledReadings | undefined): Periods {
    const order = orderOf(table);
    const texts = orderOfTexts(table.texts);
    const hours = [...(spilled?.hours() ?? table.hours.keys())].sort((a, b) => a - b);
    const byPeriod = new Map(hours.map((hour) => [new Date(hour * HOUR_MS).toISOString().slice(0, PERIOD_LENGTH), hour]));
    const rowsOf = (hour: number): TypedRows => {
        const held = spilled?.read(hour);
        if (held) {
            return rowsOfHour(
                { ...held, series: table.series, profiles: table.profiles },
                { hour, order, texts: orderOfTexts(held.texts) },
            );
        }
        const readings = table.hours.get(hour);
        if (!readings) {
            throw new TypeError('the rows of a source were asked for after they were closed');
        }
        return rowsOfHour({ ...table, readings }, { hour, order, texts });
    };
    return {
        keys: () => byPeriod.keys(),
        get(period) {
            const hour = byPeriod.get(period);
            return hour === undefined ? undefined : rowsOf(hour);
        },
        *[Symbol.iterator]() {
            for (const [period, hour] of byPeriod) {
                yield [period, rowsOf(hour)];
            }
        },
        close() {
            spilled?.close();
            table.letGo();
        },
    };
}
