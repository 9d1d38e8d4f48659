/** An upload as an edge asks for it: what comes of it is values, and what happens meanwhile is told by events. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import type { DirectoryLake } from '#lake/lake';
import { openLake } from '#lake/open-lake';
import type { UploadEvents, UploadFile, UploadOptions } from '#lake/upload/request';
import { upload } from '#lake/upload/upload';
import { countUp, readFigures, smallFile } from '#test/support/small-files';
import { makeFolder } from '#test/support/temporary';

const FIRST = fileOf('01/02/2026');
const SECOND = fileOf('02/02/2026');

let lake: DirectoryLake;
let folder: string;

function fileOf(date: string) {
    return smallFile([{ src: '10.0.0.1', dst: '10.0.0.2', date, durationUs: 1, packets: 2 }], { rejects: 1 });
}

beforeEach(async () => {
    folder = await makeFolder();
    const directory = join(folder, 'lake');
    const location = { kind: 'directory', name: 'lake', directory } as const;
    lake = (await openLake(location, { environment: {}, signal: new AbortController().signal, mayBeNew: true })) as DirectoryLake;
});

async function write(name: string, text: string): Promise<UploadFile> {
    const path = join(folder, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, text);
    return { shown: name, path, key: `raw/${name}`, sizeBytes: Buffer.byteLength(text) };
}

function asked(overrides: Partial<UploadOptions> = {}): UploadOptions {
    return {
        replace: false,
        allowDuplicate: false,
        readingOptions: {},
        wait: true,
        environment: {},
        signal: new AbortController().signal,
        now: () => new Date(),
        ...overrides,
    };
}

/** Events that write down what they are told; `read` is all bytes together. */
function listen(): { told: unknown[]; read: () => number; events: UploadEvents } {
    const told: unknown[] = [];
    let read = 0;
    return {
        told,
        read: () => read,
        events: {
            onCutOff: async () => void told.push('cut off'),
            onBegin: (totalBytes) => void told.push({ totalBytes }),
            onBytes(bytes) {
                read += bytes;
            },
            onTaken: async (added) => void told.push({ added }),
            onBrokenOff: async (left) => void told.push(left),
        },
    };
}

test('each file has a result, and its figures are in the lake', async () => {
    const files = [await write('a.csv', FIRST.text), await write('b.csv', SECOND.text), await write('c.csv', FIRST.text)];
    const { told, read, events } = listen();
    const results = await upload(lake, files, asked({ events }));
    expect(results.map(({ file, result, record, note }) => [file.shown, result, record?.rows_kept, note]).sort()).toEqual([
        ['a.csv', 'added', 1, undefined],
        ['b.csv', 'added', 1, undefined],
        ['c.csv', 'refused', undefined, expect.stringContaining('the same bytes are in the lake as raw/a.csv')],
    ]);
    const taken = FIRST.text.length + SECOND.text.length;
    expect([told, read()]).toEqual([[{ totalBytes: taken }, { added: 2 }], taken]);
    expect(await readFigures(await lake.store())).toEqual(countUp([FIRST, SECOND].map((file) => ({ file, site: 'main', options: {} }))));
});

test('reading options that the kind of a file does not know are refused before anything is written', async () => {
    const files = [await write('a.csv', FIRST.text)];
    await expect(upload(lake, files, asked({ readingOptions: { datum: 'sea' } }))).rejects.toMatchObject({
        name: 'UsageError',
        message: '--datum says nothing of flows: their files take --date-order, --duration-unit',
    });
    await expect(upload(lake, files, asked({ readingOptions: { dateOrder: 'ydm' } }))).rejects.toMatchObject({
        name: 'UsageError',
        message: 'Files of kind flows take --date-order dmy, mdy, ymd, not "ydm"',
    });
    expect(await readdir(folder)).toEqual(['a.csv']);
});

test('one that is aborted tells how far it came, and that nothing is left where nothing is', async () => {
    const aborted = new AbortController();
    const { told, events } = listen();
    const files = [await write('a.csv', FIRST.text), await write('b.csv', SECOND.text)];
    const onBytes = (): void => aborted.abort();
    await expect(upload(lake, files, asked({ signal: aborted.signal, events: { ...events, onBytes } }))).rejects.toThrow('abort');
    expect(told.at(-1)).toEqual({ taken: 0, of: 2, isAnyLeft: false });
    expect(await readdir(join(lake.directory, '.flowlake/running'))).toEqual([]);
});

test('one that is aborted while a file is replaced tells that the rest is left, and the next one finishes it', async () => {
    await upload(lake, [await write('a.csv', FIRST.text)], asked());
    const aborted = new AbortController();
    const { told, events } = listen();
    let pieces = 0;
    const onBytes = (): void => {
        pieces += 1;
        // The first piece is read to put it, the second to summarize it.
        if (pieces === 2) {
            aborted.abort();
        }
    };
    const files = [await write('a.csv', SECOND.text)];
    const options = asked({ replace: true, signal: aborted.signal, events: { ...events, onBytes } });
    await expect(upload(lake, files, options)).rejects.toThrow('abort');
    expect(told.at(-1)).toEqual({ taken: 0, of: 1, isAnyLeft: true });
    const [mark = ''] = await readdir(join(lake.directory, '.flowlake/running'));
    await writeFile(join(lake.directory, '.flowlake/running', mark), 'gone 999999 1');
    const next = listen();
    await upload(lake, [], asked({ events: next.events }));
    expect(next.told[0]).toBe('cut off');
    expect(await readFigures(await lake.store())).toEqual(countUp([{ file: SECOND, site: 'main', options: {} }]));
});
