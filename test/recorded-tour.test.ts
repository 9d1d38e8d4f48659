/** The recorded tour is what its lines print today. */
import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { widthOf } from '#cli/draw/text-width';
import { packageRoot } from '#lake/package-root';
import { recordTour } from '../docs/tour/record.ts';

const MOST_BYTES = 40_000;

test('docs/tour is what `npm run docs` records, is small, and fits a terminal of 80 columns without colours', async () => {
    const recorded = await recordTour();
    expect(Object.keys(recorded)).toEqual(['README.md', 'tour.cast']);
    for (const [name, text] of Object.entries(recorded)) {
        expect(await readFile(new URL(`docs/tour/${name}`, packageRoot), 'utf8')).toBe(text);
        expect(Buffer.byteLength(text)).toBeLessThan(MOST_BYTES);
    }
    const [header, ...events] = (recorded['tour.cast'] ?? '')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    expect(header).toMatchObject({ version: 2, width: 80 });
    const times = events.map(([time]) => time);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const played = events.map(([, kind, text]) => (kind === 'o' ? text : '')).join('');
    expect(played).not.toContain('\u001b');
    const tables = played.split('\r\n').filter((line) => !/^([$#]|Compared |Metrics )/.test(line));
    expect(tables.length).toBeGreaterThan(50);
    expect(tables.filter((line) => widthOf(line) > 80)).toEqual([]);
}, 180_000);
