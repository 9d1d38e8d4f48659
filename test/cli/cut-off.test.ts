/** A command that is interrupted wherever it looks up: it is known by its mark, and the next command brings the figures right. Kills: test/hard/cut-off.test.ts. */
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { COMMANDS, copyOfLake, expectMended, folder, isUndone, marksOf, run } from '#test/support/cut-off-commands';

/**
 * A signal that is aborted when it is looked at for the n-th time: an abort can do no more than be seen by a look. `fromMark` is the number of the
 * first look since the lake has a mark.
 */
function abortedAtLook(last: number, directory: string) {
    const controller = new AbortController();
    const { signal } = controller;
    const seen = { looks: 0, fromMark: 0 };
    const look = (): boolean => {
        seen.looks += 1;
        if (seen.fromMark === 0 && readdirSync(join(directory, '.flowlake/running')).length > 0) {
            seen.fromMark = seen.looks;
        }
        if (seen.looks === last) {
            controller.abort();
        }
        return seen.looks >= last;
    };
    Object.defineProperty(signal, 'aborted', { get: look });
    Object.defineProperty(signal, 'throwIfAborted', {
        value() {
            if (look()) {
                throw signal.reason;
            }
        },
    });
    return { signal, seen };
}

/** Every look since there is a mark, and the one before; of very many the first ones, where the lake is changed, and the last. */
function looksToTry({ looks, fromMark }: { looks: number; fromMark: number }): number[] {
    const all = Array.from({ length: looks - fromMark + 2 }, (_, at) => fromMark - 1 + at).filter((look) => look > 0);
    return all.length <= MOST_LOOKS ? all : [...all.slice(0, FIRST_LOOKS), ...all.slice(-1)];
}

const MOST_LOOKS = 40;
const FIRST_LOOKS = 8;

describe.each(Object.entries(COMMANDS))('%s', (name, command) => {
    test('that is interrupted wherever it looks up ends with 130, says nothing of success, and what is undone has a mark', async () => {
        const untouched = await copyOfLake(command);
        const whole = abortedAtLook(Number.POSITIVE_INFINITY, untouched);
        const ran = await run(untouched, command.words(folder), whole.signal);
        expect({ name, ...ran }).toMatchObject({ exitCode: 0 });
        expect(whole.seen.fromMark).toBeGreaterThan(0);
        let marked = 0;
        for (const look of looksToTry(whole.seen)) {
            const directory = await copyOfLake(command);
            const wasUndone = await isUndone(directory);
            const { exitCode, stderr } = await run(directory, command.words(folder), abortedAtLook(look, directory).signal);
            expect({ look, exitCode, stderr }).toMatchObject({ look, exitCode: 130 });
            const marks = await marksOf(directory);
            if (await isUndone(directory)) {
                expect({ look, stderr }).toEqual({ look, stderr: expect.not.stringMatching(/Took|Repaired|Freed|Uploaded/) });
            }
            if (!wasUndone && (await isUndone(directory))) {
                expect({ look, marks }).toEqual({ look, marks: [expect.any(String)] });
                if (name === 'retract') {
                    expect({ look, stderr }).toEqual({
                        look,
                        stderr: expect.stringContaining('is retracted, but its days are not yet without it'),
                    });
                }
                marked += 1;
            }
            // The process of the command would be gone by now.
            await Promise.all(marks.map((mark) => writeFile(join(directory, '.flowlake/running', mark), `${hostname()} 999999999 1`)));
            await expectMended(directory, {
                command: wasUndone ? { ...command, isOnlyItself: true } : command,
                turn: look,
                at: `look ${look}`,
            });
        }
        expect({ name, marked: marked > 0 }).toEqual({ name, marked: name === 'upload' || name === 'retract' });
    }, 120_000);
});
