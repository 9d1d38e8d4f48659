/** A disk that is full at any of the program's writes: one clear error, the old figures as they were, and all is right once there is space. */
import { rm } from 'node:fs/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { openDirectoryStore } from '#lake/store/directory';
import { type Figures, readFigures } from '#test/support/small-files';
import { drawText, openChance, recount } from './support/flow-texts.ts';
import { openTextLake } from './support/lake-of-texts.ts';
import { openSmallDisk, type SmallDisk, whyNoSmallDisk } from './support/small-disk.ts';

/** Pages that each try has more than the one before; an upload of one small file writes about ten. */
const STEP = Number(process.env.FLOWLAKE_DISK_STEP ?? 1);
const MOST_PAGES = 60;

const NAMES = ['a.csv', 'b.csv'];
const why = whyNoSmallDisk();
const disks: SmallDisk[] = [];

afterEach(() => {
    for (const disk of disks.splice(0)) {
        disk.remove();
    }
});

(why === undefined ? describe : describe.skip)(
    `a full disk${why === undefined ? '' : ` (skipped, no small disk can be mounted: ${why})`}`,
    () => {
        test('wherever it is full, an upload says so, and with space again all is right', async () => {
            const disk = openSmallDisk();
            disks.push(disk);
            const chance = openChance(1);
            const errors = new Set<string>();
            let isEnough = false;
            for (let pages = 0; !isEnough && pages <= MOST_PAGES; pages += STEP) {
                const lake = await openTextLake({ folder: disk.folder });
                const before = drawText(chance, { rows: 40, days: 2 });
                expect((await lake.run(['upload', await lake.write({ 'a.csv': before })])).exitCode).toBe(0);
                const store = openDirectoryStore(lake.directory);
                const texts = { 'a.csv': drawText(chance, { rows: 60, days: 3 }), 'b.csv': drawText(chance, { rows: 60, days: 3 }) };
                const folder = await lake.write(texts);
                await disk.fill(pages);
                const { exitCode, stderr } = await lake.run(['upload', '--replace', folder]);
                isEnough = exitCode === 0;
                if (!isEnough) {
                    const error = stderr.trim().split('\n').at(-1) ?? '';
                    expect({ exitCode, error }).toEqual({
                        exitCode: 1,
                        error: expect.stringContaining('the disk is full; free some space'),
                    });
                    errors.add(error.replace(/[0-9a-f]{8,}|\d+-\S+/g, '*'));
                    // Whatever could be written, nothing is half there: of each file a day has all of what was live, or all of what is new.
                    const old = { 'a.csv': before };
                    const wholes = [old, { ...old, 'b.csv': texts['b.csv'] }, { 'a.csv': texts['a.csv'] }, texts].map(daysOf);
                    for (const [day, figures] of byDay(await readFigures(store))) {
                        expect(wholes.map((days) => days.get(day))).toContain(figures);
                    }
                }
                await disk.free();
                const again = await lake.run(pages % 2 === 0 ? ['upload', '--replace', folder] : ['reconcile']);
                expect(`${again.exitCode} ${again.stderr}`).toMatch(/^0 /);
                // The program may have given up before it put a file: then it is there to be uploaded again.
                expect((await lake.run(['upload', '--replace', folder])).exitCode).toBe(0);
                expect([...(await lake.states(NAMES)).values()]).toEqual(Object.values(texts).map(lake.digestOf));
                await lake.assertRight(NAMES);
                await rm(lake.directory, { recursive: true });
            }
            expect(isEnough).toBe(true);
            console.info(`full disk:\n${[...errors].join('\n')}`);
            // The raw file, a summary, the ledger or a day: it was full at one and at the other.
            expect(errors.size).toBeGreaterThan(STEP > 3 ? 0 : 2);
        });
    },
);

/** The figures of each day as one text. */
function byDay(figures: Figures): Map<string, string> {
    const days = new Map<string, string>();
    for (const [key, values] of figures) {
        const day = key.slice(0, 10);
        days.set(day, `${days.get(day) ?? ''}${key}: ${values}\n`);
    }
    return days;
}

function daysOf(texts: Readonly<Record<string, string>>): Map<string, string> {
    return byDay(recount(Object.values(texts).map((text) => ({ text, site: 'main' }))));
}

// Needs nobody's leave: what goes beyond is refused as by a file system that takes no larger file.
test.each([2, 8, 24, 40])(
    'files of more than %s blocks that the system refuses are one clear error, and what was there stays',
    async (blocks) => {
        const lake = await openTextLake();
        const chance = openChance(blocks);
        const texts = { 'a.csv': drawText(chance, { rows: 20 }), 'b.csv': drawText(chance, { rows: 400, days: 3 }) };
        expect((await lake.run(['upload', await lake.write({ 'a.csv': texts['a.csv'] })])).exitCode).toBe(0);
        const folder = await lake.write(texts);
        const script = 'ulimit -f "$0" && exec "$@"';
        const { exitCode, stderr } = await lake.run(['upload', folder], { through: ['sh', '-c', script, String(blocks)] });
        expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('larger than this system allows') });
        expect((await lake.run(['upload', folder])).exitCode).toBe(0);
        expect([...(await lake.states(NAMES)).values()]).toEqual(Object.values(texts).map(lake.digestOf));
        await lake.assertRight(NAMES);
    },
);
