/** The lake that dashboards are tried on: samples of flows and of a fleet, and one day of sums beyond what a double holds. */
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { runFlowlake } from '#test/support/flowlake';
import { putFlows } from '#test/support/lake-fixture';

const PROFILES = ['thermostat', 'tracker'];

/** Pairs whose packets no double holds exactly: 2^53 + 1, and the largest bigint. */
const VAST = [
    { day: '2026-03-01', site: 'vault', src: '10.0.0.1', dst: '10.0.0.2', packets: 9_007_199_254_740_993n },
    { day: '2026-03-01', site: 'vault', src: '10.0.0.1', dst: '10.0.0.3', packets: 9_223_372_036_854_775_807n },
];

export interface ShownLake {
    directory: string;
    /** The DuckDB database that `flowlake duckdb` has written. */
    database: string;
    /** The answer of `flowlake query`, its numbers as the text that was printed. */
    ask(sql: string): Promise<Record<string, Cell>[]>;
}

/** A value as text; numbers are told from texts by nobody here, because digits are what is compared. */
export type Cell = string | null;

/** Makes the lake below a folder, by the commands that its user types. */
export async function makeShownLake(folder: string): Promise<ShownLake> {
    const run = async (line: string) => {
        const { exitCode, stdout, stderr } = await runFlowlake(line, { folder });
        expect({ line, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ line, exitCode: 0, stderr: '' });
        return stdout;
    };
    await run('sample flows --flows 4000 --days 28 --pairs 40');
    await run('--lake lake upload flows --date-order dmy');
    await run('sample fleet --kind telemetry --devices 12 --days 28');
    for (const profile of PROFILES) {
        await run(`--lake lake profile add fleet/profiles/${profile}.json`);
        await run(`--lake lake upload --kind telemetry --profile ${profile} fleet/${profile}`);
    }
    await putFlows(join(folder, 'lake'), VAST);
    await run('--lake lake duckdb lake.duckdb');
    return {
        directory: join(folder, 'lake'),
        database: join(folder, 'lake.duckdb'),
        async ask(sql) {
            const { exitCode, stdout, stderr } = await runFlowlake(['--lake', 'lake', '--output', 'json', 'query', sql], { folder });
            expect({ sql, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ sql, exitCode: 0, stderr: '' });
            return parseExactly(stdout);
        },
    };
}

/** JSON with every number as its text: no digit passes through a double. */
export function parseExactly<T>(json: string): T {
    return JSON.parse(json, (_, value, context?: { source?: string }) =>
        typeof value === 'number' ? digitsOf(context?.source ?? '') : value,
    );
}

/** A number's text in one form: `84.000000000` and `84.0` are `84`. Texts that are no numbers stay as they are. */
export function digitsOf(text: string): string {
    return /^-?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, '') : text;
}
