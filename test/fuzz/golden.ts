/** Makes a golden case of an input: its bytes, how it is to be read, and what docs/reading.md says of it. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { flowMeasures } from '#lake/flows/tables';
import { isJson } from './plain-json.ts';
import { isParquet } from './plain-parquet.ts';
import type { PlainOptions, PlainReading } from './plain-reader.ts';
import { readThePage, tellSkipped } from './readings.ts';

const FIXTURES = new URL('../fixtures/flows/', import.meta.url).pathname;

const FIGURES = flowMeasures.flatMap((measure) => ['sum', 'sum_sq', 'min', 'max'].map((part) => `${measure}_${part}`));

export interface GoldenCase {
    /** Folder of the case, in lower case with dashes. */
    name: string;
    about: string;
    bytes: Buffer;
    options: PlainOptions;
}

/** Writes the case; look at its expected.json before it is committed. @returns its folder. */
export async function writeGolden({ name, about, bytes, options }: GoldenCase): Promise<string> {
    const folder = join(FIXTURES, name);
    await mkdir(folder, { recursive: true });
    const extension = isParquet(bytes) ? 'parquet' : isJson(bytes.toString('latin1')) ? 'json' : 'csv';
    await writeFile(join(folder, `input.${extension}`), bytes);
    if (Object.keys(options).length > 0) {
        await writeFile(join(folder, 'options.json'), `${JSON.stringify(options)}\n`);
    }
    await writeFile(join(folder, 'expected.json'), expectedOf(about, await readThePage({ bytes, options })));
    return folder;
}

/**
 * Writes what the cases expect once more, as the plain reader of docs/reading.md tells it, for when that page has changed: look at the difference
 * before it is committed. Cases that expect an error and those of which nothing changed keep their file.
 * @returns the names of the cases that changed
 */
export async function renewGolden(): Promise<string[]> {
    const changed: string[] = [];
    for (const name of await readdir(FIXTURES)) {
        const file = (of: string): string => join(FIXTURES, name, of);
        const before = JSON.parse(await readFile(file('expected.json'), 'utf8'));
        const input = (await readdir(file(''))).find((one) => one.startsWith('input.')) ?? '';
        const options: PlainOptions = existsSync(file('options.json')) ? JSON.parse(await readFile(file('options.json'), 'utf8')) : {};
        const bytes = await readFile(file(input));
        const reading = await readThePage({ bytes, options });
        const now = expectedOf(before.about, reading);
        if (!before.ledger.error && !isDeepStrictEqual(JSON.parse(now), before)) {
            await writeFile(file('expected.json'), now);
            changed.push(name);
        }
    }
    return changed;
}

function expectedOf(about: string, reading: PlainReading | 'unusable'): string {
    const found = reading === 'unusable' ? { ledger: { error: 'failed' }, pairDays: [], rejects: [] } : describeReading(reading);
    const list = (items: object[]): string =>
        items.length === 0 ? '[]' : `[\n${items.map((item) => `        ${oneLine(item)}`).join(',\n')}\n    ]`;
    const ledger = JSON.stringify(found.ledger, null, 4).replaceAll('\n', '\n    ');
    return `{
    "about": ${JSON.stringify(about)},
    "ledger": ${ledger},
    "pair_days": ${list(found.pairDays)},
    "rejects": ${list(found.rejects)}
}
`;
}

function describeReading(reading: PlainReading) {
    const { dialect, dateOrder, durationUnit, durationUnitBy, rowsRead, repeatedHeaders, pairs, rejects, skipped, totals } = reading;
    const rows = [...totals].map(([key, figures]) => {
        const [day, src_ip, dst_ip] = key.split(' ');
        const [flows, timed_flows, ...others] = figures.map((figure) => (figure === null ? null : String(figure)));
        return { day, src_ip, dst_ip, flows, timed_flows, ...Object.fromEntries(FIGURES.map((name, at) => [name, others[at]])) };
    });
    const keyOf = (row: (typeof rows)[number]): string => `${row.day} ${row.src_ip} ${row.dst_ip}`;
    const pairDays = rows.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    return {
        ledger: {
            dialect,
            date_order: dateOrder,
            duration_unit: durationUnit,
            duration_unit_by: durationUnitBy,
            rows_read: rowsRead,
            rows_kept: rowsRead - rejects.length,
            rows_rejected: rejects.length,
            repeated_headers: repeatedHeaders,
            rows_skipped: [...skipped.values()].reduce((sum, count) => sum + count, 0),
            skipped: tellSkipped(skipped) || null,
            first_day: pairDays[0]?.day ?? null,
            last_day: pairDays.at(-1)?.day ?? null,
            pairs,
            error: null,
        },
        pairDays,
        rejects: rejects.map(({ lineNumber, reason }) => ({ line_number: lineNumber, reason })),
    };
}

function oneLine(item: object): string {
    return JSON.stringify(item, null, 1).replace(/\n */g, ' ');
}
