/** A command that is cut off, by Ctrl-C or kill -9, at any of its steps: it is known by its mark, and the next command brings the figures right. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { containedOf } from '#lake/commit/period-state';
import { findUndoneWork, readAllRecords } from '#lake/commit/reconcile';
import { openDirectoryStore } from '#lake/store/directory';
import { findWrongAccounts } from '#test/support/accounts';
import { ofDay, pairDaysKey, readPairRows, writePairRows } from '#test/support/flow-tables';
import { runFlowlake } from '#test/support/flowlake';
import { countUp, readFigures, type SmallFile, smallFile } from '#test/support/small-files';
import { makeFolder } from '#test/support/temporary';
import { fakeOutput, fakeWorld, runLine } from './fake-surroundings.ts';

const DIE_AT_STEP = fileURLToPath(new URL('../support/die-at-step.js', import.meta.url));
const NOW = () => new Date();

/** Files by what they hold; names are those that the lake of every test knows, or gets. */
const FILES = {
    'a.csv': fileOf(1, ['01/02/2026', '02/02/2026', '03/02/2026']),
    'b.csv': fileOf(2, ['02/02/2026']),
    'extra.csv': fileOf(3, ['03/02/2026']),
    'new.csv': fileOf(4, ['02/02/2026', '04/02/2026']),
    'corrected/a.csv': fileOf(5, ['02/02/2026', '05/02/2026']),
    'next.csv': fileOf(6, ['01/02/2026']),
} satisfies Record<string, SmallFile>;
const BY_DIGEST = new Map(Object.values(FILES).map((file) => [createHash('sha256').update(file.text).digest('hex'), file]));
const RANGE = ['--from', '2026-02-01', '--to', '2026-02-28'];

function fileOf(packets: number, dates: readonly string[]): SmallFile {
    return smallFile(
        dates.map((date) => ({ src: '10.0.0.1', dst: '10.0.0.2', date, durationUs: packets, packets })),
        { rejects: 1 },
    );
}

interface Command {
    words: (folder: string) => string[];
    /** What somebody has done to the lake before. */
    before?: (directory: string) => Promise<void>;
    /** True if nothing but the command itself does what it is for, so that it is the next command too. */
    isOnlyItself?: boolean;
}

const COMMANDS: Record<string, Command> = {
    upload: { words: (folder) => ['upload', '--replace', join(folder, 'corrected/a.csv'), join(folder, 'new.csv')] },
    retract: { words: () => ['retract', 'raw/a.csv'] },
    rebuild: {
        words: () => ['rebuild', ...RANGE, '--anew'],
        before: (directory) => rm(join(directory, pairDaysKey('2026-02-02'))),
    },
    reconcile: {
        words: () => ['reconcile'],
        async before(directory) {
            await rm(join(directory, pairDaysKey('2026-02-01')));
            await writeFile(join(directory, 'raw/new.csv'), FILES['new.csv'].text);
        },
    },
    prune: { words: () => ['prune', '--raw-before', '2026-03-01'] },
    'verify --repair': {
        words: () => ['verify', '--repair'],
        before: (directory) => writeWrongDay(directory, '2026-02-02'),
        isOnlyItself: true,
    },
};

/** Commands that finish first what another one left. */
const NEXT: ((folder: string) => string[])[] = [
    () => ['reconcile'],
    (folder) => ['upload', join(folder, 'next.csv')],
    () => ['rebuild', ...RANGE],
    () => ['retract', 'raw/extra.csv'],
    () => ['prune', '--raw-before', '2000-01-01'],
];

/** A day that says that it contains what it should, and has other figures. */
async function writeWrongDay(directory: string, day: string): Promise<void> {
    const store = openDirectoryStore(directory);
    const object = await store.get(pairDaysKey(day));
    const rows = await readPairRows(object?.bytes ?? new Uint8Array());
    rows.fwd_pkts_sum[0] = 999n;
    await store.put(pairDaysKey(day), writePairRows(rows, { contains: await containedOf(ofDay(day), { store }) }));
}

let folder: string;

beforeAll(async () => {
    folder = await makeFolder();
    await mkdir(join(folder, 'corrected'));
    for (const [name, { text }] of Object.entries(FILES)) {
        await writeFile(join(folder, name), text);
    }
    const files = ['a.csv', 'b.csv', 'extra.csv'].map((name) => join(folder, name));
    expect(await run(join(folder, 'template'), ['upload', ...files])).toMatchObject({ exitCode: 0 });
});

function run(directory: string, words: readonly string[], signal?: AbortSignal) {
    return runLine(['--lake', directory, ...words], { world: fakeWorld({ now: NOW, stderr: fakeOutput(), ...(signal && { signal }) }) });
}

async function copyOfLake({ before }: Command): Promise<string> {
    const directory = join(await makeFolder(), 'lake');
    await cp(join(folder, 'template'), directory, { recursive: true, preserveTimestamps: true });
    await before?.(directory);
    return directory;
}

function marksOf(directory: string): Promise<string[]> {
    return readdir(join(directory, '.flowlake/running'));
}

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

/** True if something is undone that whoever ran the command would have to finish. */
async function isUndone(directory: string): Promise<boolean> {
    const { sources, periods } = await findUndoneWork(openDirectoryStore(directory), { now: NOW() });
    return sources.length + periods.length > 0;
}

/** Figures and accounts are those of the files that count by the ledger; nothing is undone and no mark is left. */
async function expectRight(directory: string): Promise<void> {
    const store = openDirectoryStore(directory);
    const records = [...(await readAllRecords(store)).values()].filter(({ state }) => state === 'done');
    const files = records.map(({ etag, site, options }) => ({ file: BY_DIGEST.get(etag) ?? smallFile([]), site, options }));
    expect(await readFigures(store)).toEqual(countUp(files));
    expect(await findWrongAccounts(store)).toBeUndefined();
    expect([await isUndone(directory), await marksOf(directory)]).toEqual([false, []]);
}

async function expectMended(directory: string, { command, turn, at }: { command: Command; turn: number; at: string }): Promise<void> {
    const words = (command.isOnlyItself ? command.words : NEXT[turn % NEXT.length])?.(folder) ?? [];
    const { exitCode, stderr } = await run(directory, words);
    expect({ at, words, exitCode, stderr }).toMatchObject({ exitCode: 0 });
    await expectRight(directory);
}

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
