/** Finds the very messages of a raw object that one metric's readings of an hour are made of, by the reader that summarized it. */
import type { SourceBytes, Traced } from '#lake/kind';
import { watchReadings } from './read.ts';
import { HOUR_MS } from './reading-table.ts';

/** Tells of each reading of the device's metric in the hour; with a time and a message in the key only of theirs. @returns why the source cannot be read, else undefined */
export async function traceReadings(source: SourceBytes, { key, period, options, onRow }: Traced): Promise<string | undefined> {
    const [device, metric, atMs, message] = key;
    const hour = Date.parse(`${period}:00:00Z`) / HOUR_MS;
    return watchReadings(source, {
        options,
        watch: (reading, { lineNumber, line }) => {
            const isWanted =
                reading.device === device &&
                reading.metric === metric &&
                Math.floor(reading.atMs / HOUR_MS) === hour &&
                (atMs === undefined || atMs === String(reading.atMs)) &&
                (message === undefined || message === reading.message);
            if (isWanted) {
                onRow({ lineNumber, values: { copies: 1n }, line });
            }
        },
    });
}
