/** Two and more of the built program at work on one lake: each ends well, and together they come to one right lake. */
import { describe, expect, test } from '@jest/globals';
import type { Ran } from '#test/support/flowlake';
import { type Chance, drawText, openChance } from './support/flow-texts.ts';
import { openTextLake, type TextLake } from './support/lake-of-texts.ts';

/** How often each meeting is tried; `FLOWLAKE_ROUNDS=100` for a night of them. */
const ROUNDS = Number(process.env.FLOWLAKE_ROUNDS ?? 5);

const NAMES = ['a.csv', 'b.csv', 'c.csv', 'site=berlin/d.csv'];
const DAYS = ['--from', '2026-01-13', '--to', '2026-01-28'];

interface Meeting {
    lake: TextLake;
    chance: Chance;
    /** Starts them all at once and waits for all. */
    together(...commands: (readonly string[])[]): Promise<Ran[]>;
}

/**
 * Each round in a lake of its own, which must be right at the end of it. A command that lost to another may leave its mark, and objects that never
 * counted; as after any command that ended with an error, reconcile takes them away.
 */
async function meet(work: (meeting: Meeting) => Promise<void>): Promise<void> {
    for (let round = 0; round < ROUNDS; round += 1) {
        const lake = await openTextLake();
        const together = (...commands: (readonly string[])[]) => Promise.all(commands.map((words) => lake.run(words)));
        await work({ lake, chance: openChance(round), together });
        expectDone([await lake.run(['reconcile'])]);
        await lake.assertRight(NAMES);
    }
}

function drawTexts(chance: Chance, names: readonly string[] = NAMES): Record<string, string> {
    return Object.fromEntries(names.map((name) => [name, drawText(chance, { rows: 300, days: 3 })]));
}

function expectDone(ran: readonly Ran[]): void {
    expect(ran.map(({ exitCode, stderr }) => (exitCode === 0 ? 'done' : stderr))).toEqual(ran.map(() => 'done'));
}

describe('processes at once', () => {
    test('that upload the same files count them once', () =>
        meet(async ({ lake, chance, together }) => {
            const texts = drawTexts(chance);
            const folder = await lake.write(texts);
            expectDone(await together(['upload', folder], ['upload', folder], ['upload', folder]));
            expect([...(await lake.states(NAMES)).values()]).toEqual(NAMES.map((name) => lake.digestOf(texts[name] ?? '')));
        }));

    test('that upload overlapping files count each once', () =>
        meet(async ({ lake, chance, together }) => {
            const texts = drawTexts(chance);
            const folders = await Promise.all(
                NAMES.map((left) => lake.write(Object.fromEntries(Object.entries(texts).filter(([name]) => name !== left)))),
            );
            expectDone(await together(...folders.map((folder) => ['upload', folder])));
            expect([...(await lake.states(NAMES)).values()]).toEqual(NAMES.map((name) => lake.digestOf(texts[name] ?? '')));
        }));

    test('that upload other bytes under one name take one of them, and say so of the other', () =>
        meet(async ({ lake, chance, together }) => {
            const [one, other] = [drawTexts(chance, ['a.csv']), drawTexts(chance, ['a.csv'])];
            const [first, second] = await together(['upload', await lake.write(one)], ['upload', await lake.write(other)]);
            const won = (await lake.states(['a.csv'])).get('a.csv') === lake.digestOf(one['a.csv'] ?? '') ? first : second;
            const lost = won === first ? second : first;
            expect([won?.exitCode, lost?.exitCode]).toEqual([0, 1]);
            expect(`${lost?.stdout}${lost?.stderr}`).toContain('a.csv is in the lake with other bytes');
        }));

    test('of which one replaces what the other retracts come to one of both', () =>
        meet(async ({ lake, chance, together }) => {
            expectDone(await together(['upload', await lake.write(drawTexts(chance))]));
            const texts = drawTexts(chance, ['a.csv', 'b.csv']);
            const folder = await lake.write(texts);
            expectDone(await together(['upload', '--replace', folder], ['retract', 'raw/a.csv'], ['retract', 'raw/b.csv']));
            for (const [name, state] of await lake.states(['a.csv', 'b.csv'])) {
                expect(['retracted', lake.digestOf(texts[name] ?? '')]).toContain(state);
            }
        }));

    test('that upload, correct, build days anew, reconcile and prune come to what was uploaded', () =>
        meet(async ({ lake, chance, together }) => {
            const before = drawTexts(chance, ['a.csv', 'b.csv']);
            expectDone(await together(['upload', await lake.write(before)]));
            const texts = drawTexts(chance, ['b.csv', 'c.csv', 'site=berlin/d.csv']);
            const folder = await lake.write(texts);
            expectDone(
                await together(
                    ['upload', '--replace', folder],
                    ['rebuild', ...DAYS, '--anew'],
                    ['rebuild', ...DAYS],
                    ['reconcile'],
                    ['prune', '--raw-before', '2026-01-20'],
                ),
            );
            const wanted = { ...before, ...texts };
            expect([...(await lake.states(NAMES)).values()]).toEqual(NAMES.map((name) => lake.digestOf(wanted[name] ?? '')));
        }));
});
