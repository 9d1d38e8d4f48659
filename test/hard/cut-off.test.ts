/** A command of the built program that is killed before any of its steps: it is known by its mark, and the next command brings the figures right. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { COMMANDS, copyOfLake, expectMended, expectRight, folder, marksOf } from '#test/support/cut-off-commands';
import { runFlowlake } from '#test/support/flowlake';

const DIE_AT_STEP = fileURLToPath(new URL('../support/die-at-step.js', import.meta.url));

describe.each(Object.entries(COMMANDS))('%s', (_, command) => {
    test('that is killed before any of its steps is known by its mark, and the next command finishes it', async () => {
        for (let step = 1; ; step += 1) {
            const directory = await copyOfLake(command);
            const { exitCode, stderr } = await runFlowlake(['--lake', directory, ...command.words(folder)], {
                folder,
                environment: {
                    NODE_OPTIONS: `--import=${DIE_AT_STEP}`,
                    FLOWLAKE_TEST_DIE_AT: String(step),
                    FLOWLAKE_TEST_DIE_IN: directory,
                    FLOWLAKE_TEST_STEPS: join(directory, '../steps'),
                },
            });
            if (exitCode !== null) {
                expect({ step, exitCode, stderr }).toMatchObject({ exitCode: 0 });
                await expectRight(directory);
                expect(step).toBeGreaterThan(3);
                return;
            }
            const marks = await marksOf(directory);
            // The first step puts the mark in its place.
            expect({ step, marks }).toEqual({ step, marks: step === 1 ? [] : [expect.any(String)] });
            const isBeforeMark = step === 1 && command.before !== undefined;
            await expectMended(directory, {
                command: isBeforeMark ? { ...command, isOnlyItself: true } : command,
                turn: step,
                at: `step ${step}`,
            });
        }
    }, 120_000);
});
