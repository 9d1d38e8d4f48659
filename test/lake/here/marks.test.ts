/** The marks by which a command that was killed is known. */
import { once } from 'node:events';
import { mkdir, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { findCutOff, markRunning, withMark } from '#lake/here/marks';
import { openDirectoryStore } from '#lake/store/directory';
import { makeFolder } from '#test/support/temporary';
import { kill, startCommand } from './marked-command.ts';

function temporaryFiles(directory: string): Promise<string[]> {
    return readdir(join(directory, '.flowlake/tmp'));
}

function marksOf(directory: string): Promise<string[]> {
    return readdir(join(directory, '.flowlake/running'));
}

describe('the mark of a command', () => {
    test('is seen when the command was killed, and so are the files that it was writing', async () => {
        const directory = await makeFolder();
        await kill(await startCommand(directory));
        await kill(await startCommand(directory));
        expect(await findCutOff(directory)).toBe(2);
        // The second command has removed what the first was writing.
        expect(await temporaryFiles(directory)).toHaveLength(1);
        const mark = await markRunning(directory);
        expect(mark.isWorkLeft).toBe(true);
        expect(await temporaryFiles(directory)).toEqual([]);
        // Until its work is done it stays, also where this command is killed in its turn.
        expect(await findCutOff(directory)).toBe(2);
        await mark.clear();
        expect(await findCutOff(directory)).toBe(0);
        expect((await markRunning(directory)).isWorkLeft).toBe(false);
    });

    test('is not seen while the command lives, and its files stay', async () => {
        const directory = await makeFolder();
        const child = await startCommand(directory);
        const mark = await markRunning(directory);
        expect(mark.isWorkLeft).toBe(false);
        expect(await findCutOff(directory)).toBe(0);
        expect(await temporaryFiles(directory)).toHaveLength(1);
        await mark.clear();
        // Another command's end is not the end of this one.
        await kill(child);
        expect(await findCutOff(directory)).toBe(1);
    });

    test('of a process whose number another one has by now is that of a dead one, and the other one’s files stay', async () => {
        const directory = await makeFolder();
        const child = await startCommand(directory);
        await writeFile(join(directory, '.flowlake/running', `${child.pid}-before`), `${hostname()} ${child.pid} 1`);
        expect((await markRunning(directory)).isWorkLeft).toBe(true);
        expect(await temporaryFiles(directory)).toHaveLength(1);
        child.stdin?.end('go on\n');
        expect(await once(child, 'close')).toEqual([0, null]);
        expect(await openDirectoryStore(directory).head('raw/a.csv')).toBeDefined();
    });

    test('keeps a command’s files from one whose clock is years ahead', async () => {
        const directory = await makeFolder();
        await startCommand(directory);
        const long = new Date('2001-01-01T00:00:00Z');
        const [writing = ''] = await temporaryFiles(directory);
        await utimes(join(directory, '.flowlake/tmp', writing), long, long);
        await markRunning(directory);
        expect(await temporaryFiles(directory)).toEqual([writing]);
    });

    test('that was not yet in its place when its command was killed goes, and so does that which could not be put there', async () => {
        const directory = await makeFolder();
        const child = await startCommand(directory);
        const [mark = ''] = await readdir(join(directory, '.flowlake/running'));
        await rename(join(directory, '.flowlake/running', mark), join(directory, '.flowlake/tmp', mark));
        const other = await markRunning(directory);
        expect(await temporaryFiles(directory)).toContain(mark);
        await kill(child);
        await markRunning(directory);
        expect(await temporaryFiles(directory)).not.toContain(mark);
        await other.clear();
        const before = await temporaryFiles(directory);
        await rm(join(directory, '.flowlake/running'), { recursive: true });
        await writeFile(join(directory, '.flowlake/running'), '');
        await expect(markRunning(directory)).rejects.toMatchObject({ name: 'StorageError' });
        expect(await temporaryFiles(directory)).toEqual(before);
    });

    test('of another machine is that of a command that may be cut off, and may as well be writing', async () => {
        const directory = await makeFolder();
        await mkdir(join(directory, '.flowlake/running'), { recursive: true });
        await mkdir(join(directory, '.flowlake/tmp'));
        await writeFile(join(directory, '.flowlake/running/7-there'), 'another-machine 7 7');
        await writeFile(join(directory, '.flowlake/tmp/7-there'), 'being written');
        expect(await findCutOff(directory)).toBe(1);
        expect((await markRunning(directory)).isWorkLeft).toBe(true);
        expect(await temporaryFiles(directory)).toEqual(['7-there']);
    });

    test('is whole from the first moment, or not there: a command that just starts is none that was cut off', async () => {
        const directory = await makeFolder();
        let isOver = false;
        const looks = (async () => {
            for (; !isOver; ) {
                expect(await findCutOff(directory)).toBe(0);
            }
        })();
        for (let turn = 0; turn < 100; turn += 1) {
            await (await markRunning(directory)).clear();
        }
        isOver = true;
        await looks;
    });

    test('lets files of unknown origin lie for a day', async () => {
        const directory = await makeFolder();
        await mkdir(join(directory, '.flowlake/tmp'), { recursive: true });
        for (const [name, ageMs] of Object.entries({ young: 23 * 3600e3, old: 25 * 3600e3 })) {
            const path = join(directory, '.flowlake/tmp', name);
            await writeFile(path, '');
            await utimes(path, new Date(), new Date(Date.now() - ageMs));
        }
        await markRunning(directory);
        expect(await temporaryFiles(directory)).toEqual(['young']);
    });

    test('in a folder that cannot be written to is one clear error', async () => {
        const directory = join(await makeFolder(), 'a-file');
        await writeFile(directory, '');
        await expect(markRunning(directory)).rejects.toMatchObject({ name: 'StorageError', message: expect.stringContaining(directory) });
        expect(await findCutOff(directory)).toBe(0);
    });
});

describe('work under a mark', () => {
    const never = new AbortController().signal;
    const nothingToFinish = () => Promise.reject(new Error('nothing was left'));

    test('has one while it is done and none after it, and gets its own answer', async () => {
        const directory = await makeFolder();
        const result = await withMark(directory, { signal: never, finish: nothingToFinish }, () => marksOf(directory));
        expect(result).toHaveLength(1);
        expect(await marksOf(directory)).toEqual([]);
    });

    test('keeps it after an error, and after an abort that the work has not seen', async () => {
        const directory = await makeFolder();
        const failing = withMark(directory, { signal: never, finish: nothingToFinish }, () => Promise.reject(new Error('disk full')));
        await expect(failing).rejects.toThrow('disk full');
        expect(await marksOf(directory)).toHaveLength(1);
        const aborted = new AbortController();
        const interrupted = withMark(directory, { signal: aborted.signal, finish: nothingToFinish }, async () => aborted.abort());
        await expect(interrupted).rejects.toThrow('abort');
        expect(await marksOf(directory)).toHaveLength(2);
    });

    test('comes after that of commands that were killed, whose marks go with its own', async () => {
        const directory = await makeFolder();
        await kill(await startCommand(directory));
        const done: string[] = [];
        await withMark(directory, { signal: never, finish: async () => void done.push('finished') }, async () => void done.push('worked'));
        expect(done).toEqual(['finished', 'worked']);
        expect(await marksOf(directory)).toEqual([]);
    });

    test('may be what mends what could not be finished before', async () => {
        const directory = await makeFolder();
        await kill(await startCommand(directory));
        let isMended = false;
        const finish = () => (isMended ? Promise.resolve() : Promise.reject(new Error('damaged')));
        const onUnfinished = nothingToFinish;
        await withMark(directory, { signal: never, finish, onUnfinished }, async () => {
            isMended = true;
        });
        expect(await marksOf(directory)).toEqual([]);
    });

    test('is done though what was left cannot be finished; that is told, and its mark alone stays', async () => {
        const directory = await makeFolder();
        await kill(await startCommand(directory));
        const left = await marksOf(directory);
        const told: string[] = [];
        const onUnfinished = async ({ message }: Error) => void told.push(message);
        const finish = () => Promise.reject(new Error('damaged'));
        expect(await withMark(directory, { signal: never, finish, onUnfinished }, async () => 'done')).toBe('done');
        expect([told, await marksOf(directory)]).toEqual([['damaged'], left]);
    });

    test('is not begun where the finishing was interrupted', async () => {
        const directory = await makeFolder();
        await kill(await startCommand(directory));
        const aborted = new AbortController();
        const finish = async () => aborted.abort();
        const work = () => Promise.reject(new Error('begun'));
        await expect(withMark(directory, { signal: aborted.signal, finish }, work)).rejects.toThrow('abort');
        expect(await marksOf(directory)).toHaveLength(2);
    });
});
