/** Answers over closed days that are kept where scanning is paid for. */
import { chmod, lstat, mkdir, readdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from '@hono/zod-openapi';
import { beforeEach, expect, test } from '@jest/globals';
import { openAnswersFolder } from '#lake/pages/answers-folder';
import type { Json, Page, PageContext, Reads } from '#lake/pages/page';
import { answerPage, type PageCache, planPage } from '#lake/pages/page-cache';
import { openBucketLakeFixture } from '#test/support/bucket-lake-fixture';
import { pairDaysKey } from '#test/support/flow-tables';
import { openFixture } from '#test/support/lake-fixture';
import { pageContext } from '#test/support/page-context';
import { makeFolder } from '#test/support/temporary';

const SQL = 'select cast(sum(flows) as bigint) as flows from pair_days';

interface Asked {
    site?: string;
}

interface CountOptions {
    reads?: Reads[];
    answer?: Page<Asked>['answer'];
}

/** A page that counts the flows of closed days; `answer` makes it another one. */
function countPage({ reads = [{ table: 'pair_days', to: '2026-02-28' }], answer }: CountOptions = {}): Page<Asked> {
    return {
        name: 'count',
        parameters: z.strictObject({ site: z.string() }).partial() as z.ZodType<Asked>,
        reads: () => reads,
        answer: answer ?? (async ({ site }, { ask }) => countOf(ask, site)),
    };
}

async function countOf(ask: PageContext['ask'], site?: string): Promise<Json> {
    const { rows } = site === undefined ? await ask(SQL) : await ask(`${SQL} where site = ?`, { parameters: [site] });
    return { flows: String(rows[0]?.[0]) };
}

let parent: string;
let folder: string;
let troubles: string[];
let cache: PageCache;

beforeEach(async () => {
    parent = await makeFolder();
    folder = join(parent, 'cache', 'pages');
    troubles = [];
    cache = { folder: openAnswersFolder({ folder, onTrouble: (message) => troubles.push(message) }), version: '1' };
});

async function openCount() {
    const fixture = await openBucketLakeFixture([{ day: '2026-01-05' }, { day: '2026-01-06' }]);
    const context = pageContext(fixture.lake);
    const ask = (page = countPage(), asked: Asked = {}, use: PageCache | undefined = cache) => answerPage(page, asked, context, use);
    return { ...fixture, context, ask, plan: (page = countPage()) => planPage(page, {}, context, cache) };
}

test('an answer is scanned for once, and its plan says so', async () => {
    const { ask, plan, athena } = await openCount();
    expect(await plan()).toMatchObject({ isKept: false, objects: 2 });
    expect(await ask()).toEqual({ answer: { flows: '2' }, isKept: false });
    expect(await plan()).toEqual({ bytes: 0, costUsd: 0, objects: 0, unknown: [], isKept: true });
    expect(await ask()).toEqual({ answer: { flows: '2' }, isKept: true });
    expect(athena.queries()).toHaveLength(1);
    expect(troubles).toEqual([]);
});

test('every parameter, program and page has an answer of its own', async () => {
    const { ask } = await openCount();
    await ask();
    expect((await ask(countPage(), { site: 'main' })).isKept).toBe(false);
    expect((await ask(countPage(), { site: 'x' })).isKept).toBe(false);
    expect((await ask(countPage(), {}, { ...cache, version: '2' })).isKept).toBe(false);
    expect((await ask({ ...countPage(), name: 'other' })).isKept).toBe(false);
    expect((await ask()).isKept).toBe(true);
});

test('after a correction, a new day or one that is gone nothing of before is told', async () => {
    const { ask, putFlows, remove } = await openCount();
    await ask();
    await putFlows([{ day: '2026-01-06' }, { day: '2026-01-06' }]);
    expect(await ask()).toEqual({ answer: { flows: '3' }, isKept: false });
    await putFlows([{ day: '2026-01-07' }]);
    expect(await ask()).toEqual({ answer: { flows: '4' }, isKept: false });
    await remove(pairDaysKey('2026-01-05'));
    expect(await ask()).toEqual({ answer: { flows: '3' }, isKept: false });
    expect((await ask()).isKept).toBe(true);
});

test('a day that is corrected while the page reads is not kept as it was', async () => {
    const { ask, putFlows } = await openCount();
    const corrected = countPage({
        async answer(_, { ask }) {
            const answer = await countOf(ask);
            await putFlows([{ day: '2026-01-06' }, { day: '2026-01-06' }]);
            return answer;
        },
    });
    expect(await ask(corrected)).toEqual({ answer: { flows: '2' }, isKept: false });
    expect(await ask()).toEqual({ answer: { flows: '3' }, isKept: false });
});

test('a day that is gone while the page reads, and is restored as it was, is not kept as gone', async () => {
    const object = { key: pairDaysKey('2026-01-05'), etag: 'e', sizeBytes: 1, modifiedAt: new Date(0) };
    let objects = [object];
    const store = {
        async *list() {
            yield* objects;
        },
    };
    const context = pageContext({ kind: 's3', bucket: 'lake', store: async () => store } as unknown as PageContext['lake']);
    const gone = countPage({
        async answer() {
            objects = [];
            return objects.length;
        },
    });
    expect(await answerPage(gone, {}, context, cache)).toEqual({ answer: 0, isKept: false });
    // As where a delete marker is taken off: the same upload is there again.
    objects = [object];
    const here = countPage({ answer: async () => objects.length });
    expect(await answerPage(here, {}, context, cache)).toEqual({ answer: 1, isKept: false });
    expect(await answerPage(here, {}, context, cache)).toEqual({ answer: 1, isKept: true });
});

test('a change of days that are not read changes nothing', async () => {
    const { ask, putFlows } = await openCount();
    const page = countPage({ reads: [{ table: 'pair_days', from: '2026-01-01', to: '2026-01-31' }] });
    await ask(page);
    await putFlows([{ day: '2026-02-01' }]);
    expect((await ask(page)).isKept).toBe(true);
});

test.each<[string, CountOptions]>([
    ['reads today', { reads: [{ table: 'pair_days', to: '2026-03-01' }] }],
    ['reads days without an end', { reads: [{ table: 'pair_days' }] }],
    ['reads days without an end through a view', { reads: [{ table: 'day_totals' }] }],
    ['reads nothing', { reads: [] }],
    ['says that it reads what is not known', { reads: [{ table: 'elsewhere', to: '2026-01-01' }] }],
    ['looks at the clock', { answer: async (_, { ask, now }) => [now().getTime(), await countOf(ask)] }],
    ['looks at the store', { answer: async (_, { ask, lake }) => (await lake.store()) && countOf(ask) }],
    [
        'asks for a table that it does not name',
        { answer: async (_, { ask }) => [await countOf(ask), (await ask('from sources')).rows.length] },
    ],
    [
        'asks the engine for such a table',
        { answer: async (_, { lake }) => (await (await lake.engine()).query('from sources')).columns.length },
    ],
    ['asks for what changes by itself', { answer: async (_, { ask }) => String((await ask('select now() from pair_days')).rows) }],
])('nothing is kept of a page that %s', async (_, options) => {
    const { ask } = await openCount();
    const page = countPage(options);
    await ask(page);
    expect((await ask(page)).isKept).toBe(false);
    await expect(lstat(folder)).rejects.toThrow('ENOENT');
});

test('tables that have no days are kept by their objects', async () => {
    const { ask, store } = await openCount();
    const page = countPage({ reads: [{ table: 'sources' }], answer: async (_, { ask }) => (await ask('from sources')).rows.length });
    await ask(page);
    expect((await ask(page)).isKept).toBe(true);
    await store.put('ledger/0123456789abcdef.json', Buffer.from('{}'));
    expect((await ask(page)).isKept).toBe(false);
});

test('questions of sql/ by their names are kept as well', async () => {
    const { ask } = await openCount();
    const page = countPage({
        answer: async (_, { lake }) => (await lake.ask('busiest_days', [null, null, '2026-02-28', 1n])).columns.length,
    });
    await ask(page);
    expect((await ask(page)).isKept).toBe(true);
});

test('a page that fails is not kept', async () => {
    const { ask } = await openCount();
    const page = countPage({ answer: async (_, { ask }) => String((await ask('select nonsense from pair_days')).rows) });
    await expect(ask(page)).rejects.toThrow(/nonsense/);
    await expect(ask(page)).rejects.toThrow(/nonsense/);
});

test('a lake in a directory is asked each time', async () => {
    const { directory, engine } = await openFixture([{ day: '2026-01-05' }]);
    const context = pageContext({ kind: 'directory', directory, engine: async () => engine } as PageContext['lake']);
    await answerPage(countPage(), {}, context, cache);
    expect(await answerPage(countPage(), {}, context, cache)).toEqual({ answer: { flows: '1' }, isKept: false });
    expect(await planPage(countPage(), {}, context, cache)).toBeUndefined();
});

test('the folder is for its user alone, also one that was open before', async () => {
    const { ask } = await openCount();
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o777);
    await ask();
    const [file = ''] = await readdir(folder);
    expect([(await lstat(folder)).mode & 0o777, (await lstat(join(folder, file))).mode & 0o777]).toEqual([0o700, 0o600]);
});

test('a file that is cut off or changed is no answer, and is made anew', async () => {
    const { ask } = await openCount();
    await ask();
    const [file = ''] = await readdir(folder);
    const path = join(folder, file);
    await truncate(path, 70);
    expect(await ask()).toEqual({ answer: { flows: '2' }, isKept: false });
    await writeFile(path, (await readFile(path, 'utf8')).replace('"2"', '"3"'));
    expect(await ask()).toEqual({ answer: { flows: '2' }, isKept: false });
    expect((await ask()).isKept).toBe(true);
});

test('a link in the place of an answer is not followed', async () => {
    const { ask } = await openCount();
    await ask();
    const [file = ''] = await readdir(folder);
    const elsewhere = join(parent, 'elsewhere');
    await writeFile(elsewhere, await readFile(join(folder, file)));
    const { rm } = await import('node:fs/promises');
    await rm(join(folder, file));
    await symlink(elsewhere, join(folder, file));
    expect((await ask()).isKept).toBe(false);
    expect(troubles).toHaveLength(1);
});

test('where nothing can be kept pages are answered, and it is told', async () => {
    await writeFile(join(parent, 'cache'), 'a file');
    const { ask } = await openCount();
    expect(await ask()).toEqual({ answer: { flows: '2' }, isKept: false });
    expect(troubles.join()).toContain(`cannot be kept in ${folder}`);
});

test('what was not asked for longest goes when there is too much, and what is too large is not kept', async () => {
    const kept = openAnswersFolder({ folder, maxBytes: 4 * 4096, onTrouble: (message) => troubles.push(message) });
    const names = ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => letter.repeat(64));
    for (const name of names.slice(0, 4)) {
        await kept.keep(name, name);
        // Files of one moment have no order.
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await kept.find(names[0] as string)).toBe(names[0]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await kept.keep(names[4] as string, 'e');
    expect((await readdir(folder)).map((name) => name[0]).sort()).toEqual(['a', 'c', 'd', 'e']);
    await kept.keep(names[5] as string, 'x'.repeat(4096));
    expect(await kept.find(names[5] as string)).toBeUndefined();
    expect(troubles).toEqual([]);
});
