/** Work in a directory lake: its tasks, in threads or in this process. */
import { cp, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { findUndoneWork } from '#lake/commit/reconcile';
import { retract } from '#lake/commit/retract';
import { finishDirectory } from '#lake/here/change-directory';
import { markRunning } from '#lake/here/marks';
import { runTask, type Task } from '#lake/here/tasks';
import { workInThreads } from '#lake/here/thread-workers';
import { type Outcome, runTasks } from '#lake/here/threads';
import { readLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import { openDirectoryStore } from '#lake/store/directory';
import { ABSENT } from '#lake/store/object-store';
import { findWrongAccounts } from '#test/support/accounts';
import { ofDay } from '#test/support/flow-tables';
import { countUp, readFigures, type SmallFile, smallFile } from '#test/support/small-files';
import { makeFolder } from '#test/support/temporary';
import { kill, startCommand } from './marked-command.ts';

const NOW = new Date('2026-03-01T00:00:00Z');
const DAY = ofDay('2026-02-01');

function temporaryFiles(directory: string): Promise<string[]> {
    return readdir(join(directory, '.flowlake/tmp'));
}

function fileOf(packets: number): SmallFile {
    return smallFile([{ src: '10.0.0.1', dst: '10.0.0.2', date: '01/02/2026', durationUs: 1, packets }]);
}

async function put(directory: string, name: string, text: string, overrides: Partial<Task & { kind: 'put' }> = {}): Promise<Task> {
    const path = join(await makeFolder(), name);
    await writeFile(path, text);
    await mkdir(directory, { recursive: true });
    return { kind: 'put', path, key: `raw/${name}`, ifMatch: ABSENT, metadata: {}, ...overrides };
}

describe('tasks', () => {
    test.each([
        ['in several threads', undefined],
        ['in this one, where little is to be read', 1000],
    ])('put, summarize and consolidate, %s', async (_, totalBytes) => {
        const directory = await makeFolder();
        const files = [1, 2, 3, 4].map(fileOf);
        const tasks = await Promise.all(files.map(({ text }, at) => put(directory, `${at}.csv`, text)));
        let bytes = 0;
        const outcomes: Outcome[] = [];
        const onBytes = (count: number): void => {
            bytes += count;
        };
        for await (const outcome of runTasks(directory, tasks, { onBytes, totalBytes })) {
            outcomes.push(outcome);
        }
        expect(
            outcomes.map(
                (outcome) => 'result' in outcome && [outcome.result.summarized?.record?.state, outcome.result.summarized?.periods],
            ),
        ).toEqual(files.map(() => ['done', [DAY]]));
        expect(bytes).toBe(files.reduce((sum, { text }) => sum + text.length, 0));
        expect(await workInThreads(directory).consolidate([DAY, DAY])).toEqual([]);
        const store = openDirectoryStore(directory);
        expect(await readFigures(store)).toEqual(countUp(files.map((file) => ({ file, site: 'main', options: {} }))));
        expect(await findWrongAccounts(store)).toBeUndefined();
        expect(await temporaryFiles(directory)).toEqual([]);
    });

    test('that fail do not stop the others, and their errors keep their class', async () => {
        const directory = await makeFolder();
        const good = await put(directory, 'good.csv', fileOf(1).text);
        const missing: Task = { ...(good as Task & { kind: 'put' }), path: '/nowhere/at/all.csv', key: 'raw/missing.csv' };
        const late: Task = { ...(good as Task & { kind: 'put' }), ifMatch: 'another etag', key: 'raw/late.csv' };
        const errors: Record<string, string> = {};
        for await (const outcome of runTasks(directory, [missing, good, late])) {
            errors['key' in outcome.task ? outcome.task.key : ''] = 'error' in outcome ? outcome.error.name : 'none';
        }
        expect(errors).toEqual({ 'raw/good.csv': 'none', 'raw/missing.csv': 'StorageError', 'raw/late.csv': 'ConflictError' });
        expect(await openDirectoryStore(directory).head('raw/missing.csv')).toBeUndefined();
        expect(await temporaryFiles(directory)).toEqual([]);
    });

    test('that are aborted while a new file is read leave the lake as it was', async () => {
        const directory = await makeFolder();
        const aborted = new AbortController();
        const task = await put(directory, 'a.csv', fileOf(1).text);
        let pieces = 0;
        const onBytes = (): void => {
            pieces += 1;
            // The first piece is read to put it, the second to summarize it.
            if (pieces === 2) {
                aborted.abort();
            }
        };
        await expect(runTask(directory, task, { onBytes, signal: aborted.signal })).rejects.toThrow('abort');
        const store = openDirectoryStore(directory);
        expect(await store.head('raw/a.csv')).toBeUndefined();
        expect((await readLedger(store, sourceId('raw/a.csv'))).record).toBeUndefined();
        expect(await findUndoneWork(openDirectoryStore(directory), { now: NOW })).toEqual({
            sources: [],
            deadObjects: [],
            periods: [],
            derived: [],
        });
        expect(await temporaryFiles(directory)).toEqual([]);
    });

    test('that fail while a file is replaced keep the new file for reconcile, and the old figures until then', async () => {
        const directory = await makeFolder();
        await runTask(directory, await put(directory, 'a.csv', fileOf(1).text));
        await workInThreads(directory).consolidate([DAY]);
        const store = openDirectoryStore(directory);
        const before = await readFigures(store);
        const aborted = new AbortController();
        const etag = (await store.head('raw/a.csv'))?.etag ?? '';
        const task = await put(directory, 'a.csv', fileOf(2).text, { ifMatch: etag });
        let pieces = 0;
        const onBytes = (): void => {
            pieces += 1;
            if (pieces === 2) {
                aborted.abort();
            }
        };
        await expect(runTask(directory, task, { onBytes, signal: aborted.signal })).rejects.toThrow('abort');
        expect(await readFigures(store)).toEqual(before);
        const done = await finishDirectory(directory, { now: () => NOW });
        expect(done).toEqual({ sources: ['raw/a.csv'], deadObjects: [], periods: [DAY], derived: [], errors: [] });
        expect(await readFigures(store)).toEqual(countUp([{ file: fileOf(2), site: 'main', options: {} }]));
        expect(await findUndoneWork(openDirectoryStore(directory), { now: NOW })).toEqual({
            sources: [],
            deadObjects: [],
            periods: [],
            derived: [],
        });
        await rm(directory, { recursive: true });
    });
});

test('a task that fails never takes a file out that replaced another one, also where that was in no figure', async () => {
    const directory = await makeFolder();
    const store = openDirectoryStore(directory);
    await mkdir(join(directory, 'raw'));
    await writeFile(join(directory, 'raw/a.csv'), fileOf(1).text);
    const { etag } = (await store.head('raw/a.csv')) ?? { etag: '' };
    const aborted = new AbortController();
    let pieces = 0;
    const onBytes = (): void => {
        pieces += 1;
        if (pieces === 2) {
            aborted.abort();
        }
    };
    const task = await put(directory, 'a.csv', fileOf(2).text, { ifMatch: etag });
    await expect(runTask(directory, task, { onBytes, signal: aborted.signal })).rejects.toThrow('abort');
    expect(Buffer.from((await store.get('raw/a.csv'))?.bytes ?? []).toString()).toBe(fileOf(2).text);
});

test('a lake that is copied elsewhere has nothing to do there: what is retracted stays so, and options are kept', async () => {
    const [from, to] = [await makeFolder(), join(await makeFolder(), 'copy')];
    const metadata = { 'date-order': 'mdy' };
    await runTask(from, await put(from, 'stays.csv', fileOf(1).text, { metadata }));
    await runTask(from, await put(from, 'goes.csv', fileOf(2).text));
    await mkdir(join(from, 'raw/site=berlin'));
    await writeFile(join(from, 'raw/site=berlin/by-hand.csv'), fileOf(3).text);
    await finishDirectory(from, { now: () => NOW });
    for (const key of ['raw/goes.csv', 'raw/site=berlin/by-hand.csv']) {
        await retract(key, { store: openDirectoryStore(from), now: () => NOW });
    }
    await finishDirectory(from, { now: () => NOW });
    await cp(from, to, { recursive: true });
    expect(await findUndoneWork(openDirectoryStore(to), { now: NOW })).toEqual({ sources: [], deadObjects: [], periods: [], derived: [] });
    await runTask(to, { kind: 'summarize', key: 'raw/goes.csv' });
    await runTask(to, { kind: 'summarize', key: 'raw/stays.csv' });
    expect(await readFigures(openDirectoryStore(to))).toEqual(countUp([{ file: fileOf(1), site: 'main', options: { dateOrder: 'mdy' } }]));
});

test('an upload that was killed before its file was in place brings nothing retracted back, in a copy neither', async () => {
    const [from, to] = [await makeFolder(), join(await makeFolder(), 'copy')];
    const task = await put(from, 'a.csv', fileOf(1).text);
    await runTask(from, task);
    const store = openDirectoryStore(from);
    await retract('raw/a.csv', { store, now: () => NOW });
    await finishDirectory(from, { now: () => NOW });
    // What the kill leaves: the mark, the whole file aside and its description.
    const child = await startCommand(from);
    const [own = ''] = await readdir(join(from, '.flowlake/running'));
    const aside = join(from, '.flowlake/tmp', own);
    await writeFile(aside, fileOf(1).text);
    const { ino, mtimeNs, size } = await stat(aside, { bigint: true });
    const folder = join(from, '.flowlake/objects', sourceId('raw/a.csv'));
    const described = { etag: (await store.head('raw/a.csv'))?.etag, generation: 'another', metadata: {}, putAt: '2099-01-01' };
    await writeFile(join(folder, `${ino}-${mtimeNs}-${size}`), JSON.stringify(described));
    await kill(child);
    await (await markRunning(from)).clear();
    expect(await readdir(folder)).toHaveLength(1);
    await cp(from, to, { recursive: true });
    expect(await findUndoneWork(openDirectoryStore(to), { now: NOW })).toEqual({ sources: [], deadObjects: [], periods: [], derived: [] });
});
