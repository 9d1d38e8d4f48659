/** The rows of one key out of an object: those that there are, with no more of the object taken apart than is needed. */
import fc from 'fast-check';
import { writeRows } from '#lake/parquet';
import { findRows } from '#lake/reports/row-lookup';
import { countRows, type Rows } from '#lake/rows';
import { gaugeHours, reading, rowsOfReadings, textOfRows } from '#test/support/made-up-table';

/** The texts of those rows whose keys are these. */
function textsWhere(rows: Rows, key: Record<string, string>): string[] {
    const all = textOfRows(rows);
    return all.filter((_, at) => Object.entries(key).every(([name, value]) => rows[name]?.[at] === value));
}

test('finds just the rows of a key, of one site or of all, nulls and all', async () => {
    await fc.assert(
        fc.asyncProperty(fc.array(reading, { maxLength: 40 }), reading, async (readings, { site, gauge }) => {
            const rows = rowsOfReadings(readings);
            const bytes = writeRows(gaugeHours, rows);
            for (const key of [{ gauge }, { gauge, site }, { site }]) {
                expect(textOfRows(await findRows(gaugeHours, bytes, key))).toEqual(textsWhere(rows, key));
            }
        }),
        { numRuns: 60 },
    );
});

test('finds a key in any of many row groups, whose statistics are by the bytes of UTF-8', async () => {
    // In UTF-16 the tap comes before U+FF21, in UTF-8 behind it.
    const gauges = ['a', 'Ａ', '\u{1f6b0}'].flatMap((first) =>
        Array.from({ length: 4000 }, (_, at) => `${first}${String(at).padStart(4, '0')}`),
    );
    const rows = rowsOfReadings(gauges.map((gauge, at) => ({ site: 'main', gauge, level: at % 7 === 0 ? null : BigInt(-at) })));
    const bytes = writeRows(gaugeHours, rows);
    for (const gauge of ['a0000', 'a3999', 'Ａ0000', 'Ａ1234', 'Ａ3999', '\u{1f6b0}0000', '\u{1f6b0}3999']) {
        const found = await findRows(gaugeHours, bytes, { gauge });
        expect({ gauge, rows: textOfRows(found) }).toEqual({ gauge, rows: textsWhere(rows, { gauge }) });
        expect(countRows(gaugeHours, found)).toBe(1);
    }
    expect(countRows(gaugeHours, await findRows(gaugeHours, bytes, { gauge: 'a4000' }))).toBe(0);
});
