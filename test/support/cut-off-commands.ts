/** Every command that changes a lake in a directory, to be cut off anywhere: a lake of which all figures are known, and what must hold afterwards. */
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect } from '@jest/globals';
import { containedOf } from '#lake/commit/period-state';
import { findUndoneWork, readAllRecords } from '#lake/commit/reconcile';
import { openDirectoryStore } from '#lake/store/directory';
import { fakeOutput, fakeWorld, runLine } from '#test/cli/fake-surroundings';
import { findWrongAccounts } from '#test/support/accounts';
import { ofDay, pairDaysKey, readPairRows, writePairRows } from '#test/support/flow-tables';
import { countUp, readFigures, type SmallFile, smallFile } from '#test/support/small-files';
import { makeFolder } from '#test/support/temporary';

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

export interface Command {
    words: (folder: string) => string[];
    /** What somebody has done to the lake before. */
    before?: (directory: string) => Promise<void>;
    /** True if nothing but the command itself does what it is for, so that it is the next command too. */
    isOnlyItself?: boolean;
}

export const COMMANDS: Record<string, Command> = {
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

export let folder: string;

beforeAll(async () => {
    folder = await makeFolder();
    await mkdir(join(folder, 'corrected'));
    for (const [name, { text }] of Object.entries(FILES)) {
        await writeFile(join(folder, name), text);
    }
    const files = ['a.csv', 'b.csv', 'extra.csv'].map((name) => join(folder, name));
    expect(await run(join(folder, 'template'), ['upload', ...files])).toMatchObject({ exitCode: 0 });
});

export function run(directory: string, words: readonly string[], signal?: AbortSignal) {
    return runLine(['--lake', directory, ...words], { world: fakeWorld({ now: NOW, stderr: fakeOutput(), ...(signal && { signal }) }) });
}

export async function copyOfLake({ before }: Command): Promise<string> {
    const directory = join(await makeFolder(), 'lake');
    await cp(join(folder, 'template'), directory, { recursive: true, preserveTimestamps: true });
    await before?.(directory);
    return directory;
}

export function marksOf(directory: string): Promise<string[]> {
    return readdir(join(directory, '.flowlake/running'));
}

/** True if something is undone that whoever ran the command would have to finish. */
export async function isUndone(directory: string): Promise<boolean> {
    const { sources, periods } = await findUndoneWork(openDirectoryStore(directory), { now: NOW() });
    return sources.length + periods.length > 0;
}

/** Figures and accounts are those of the files that count by the ledger; nothing is undone and no mark is left. */
export async function expectRight(directory: string): Promise<void> {
    const store = openDirectoryStore(directory);
    const records = [...(await readAllRecords(store)).values()].filter(({ state }) => state === 'done');
    const files = records.map(({ etag, site, options }) => ({ file: BY_DIGEST.get(etag) ?? smallFile([]), site, options }));
    expect(await readFigures(store)).toEqual(countUp(files));
    expect(await findWrongAccounts(store)).toBeUndefined();
    expect([await isUndone(directory), await marksOf(directory)]).toEqual([false, []]);
}

export async function expectMended(
    directory: string,
    { command, turn, at }: { command: Command; turn: number; at: string },
): Promise<void> {
    const words = (command.isOnlyItself ? command.words : NEXT[turn % NEXT.length])?.(folder) ?? [];
    const { exitCode, stderr } = await run(directory, words);
    expect({ at, words, exitCode, stderr }).toMatchObject({ exitCode: 0 });
    await expectRight(directory);
}
