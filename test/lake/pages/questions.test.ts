/** What a person may ask for, as a browser needs it for forms and completion. */
import { expect, test } from '@jest/globals';
import { addInput } from '#lake/inputs';
import { kindsWithInputs, tables } from '#lake/kinds';
import { openLake } from '#lake/open-lake';
import type { PageContext } from '#lake/pages/page';
import { questionsPage } from '#lake/pages/questions';
import type { SavedQuestion } from '#lake/pages/saved-questions';
import { QUERY_NAMES, readQuery, VIEW_NAMES } from '#lake/query/sql-files';
import { openBucketLakeFixture } from '#test/support/bucket-lake-fixture';
import { openFixture } from '#test/support/lake-fixture';
import { pageContext } from '#test/support/page-context';

interface Answer {
    questions: SavedQuestion[];
    relations: {
        name: string;
        what: string;
        meaning: string;
        columns: { name: string; type: string; unit?: string; meaning?: string }[];
    }[];
}

const answer = async (context: PageContext) => (await questionsPage.answer({}, context)) as unknown as Answer;

async function answerOfDirectory(): Promise<Answer> {
    const { directory } = await openFixture([{ day: '2026-01-05' }]);
    const lake = await openLake(
        { kind: 'directory', name: directory, directory },
        { environment: {}, signal: new AbortController().signal },
    );
    const [kind] = kindsWithInputs();
    if (!kind) {
        throw new Error('no kind has inputs');
    }
    const document = (await kind.inputs.presets?.())?.get('plain-json');
    await addInput(await lake.store(), kind.inputs.prefix, 'plain-json', document);
    const found = await answer(pageContext(lake));
    await lake.close();
    return found;
}

test('every question has a meaning and one parameter for each ?', async () => {
    const { questions } = await answerOfDirectory();
    expect(questions.map(({ name }) => name)).toEqual(QUERY_NAMES);
    for (const { name, meaning, parameters, sql } of questions) {
        expect([name, sql]).toEqual([name, readQuery(name)]);
        const places = sql.replaceAll(/--.*/g, '').match(/\?/g)?.length;
        expect([name, parameters.length]).toEqual([name, places]);
        expect(meaning).toMatch(/^One row per .*[.?]$/);
        expect(meaning).not.toContain('Parameters');
        expect([name, parameters.filter((one) => !/^[a-z ]{2,30}$/.test(one.name))]).toEqual([name, []]);
    }
});

test('parameters have their types, choices and notes from the file', async () => {
    const { questions } = await answerOfDirectory();
    const of = (name: string) => questions.find((question) => question.name === name)?.parameters;
    expect(of('top_pairs')).toEqual([
        { name: 'site', type: 'varchar', isOptional: true, note: 'all' },
        { name: 'first day', type: 'varchar', isOptional: true },
        { name: 'last day', type: 'varchar', isOptional: true },
        { name: 'what counts', type: 'varchar', isOptional: false, choices: ['duration', 'packets', 'flows'] },
        { name: 'number of rows', type: 'bigint', isOptional: false },
    ]);
    expect(of('alerts')?.slice(0, 4)).toEqual([
        { name: 'now', type: 'bigint', isOptional: false, note: 'epoch ms' },
        { name: 'site', type: 'varchar', isOptional: true, note: 'all' },
        { name: 'device', type: 'varchar', isOptional: true, note: 'all' },
        { name: 'from', type: 'bigint', isOptional: true, note: 'leaves out what ended before' },
    ]);
    expect(of('reading_steps')?.[0]?.choices).toHaveLength(6);
});

test('every table and view is there with its columns, those of the lake’s profiles too', async () => {
    const { relations } = await answerOfDirectory();
    const names = relations.map(({ name }) => name);
    expect(names).toEqual([...tables.map(({ name }) => name), ...VIEW_NAMES, 'readings_wide_plain_json']);
    expect(relations.filter(({ columns }) => columns.length === 0)).toEqual([]);
    expect(relations.filter(({ meaning }) => meaning === '').map(({ name }) => name)).toEqual(['readings_wide_plain_json']);
    const pairDays = relations.find(({ name }) => name === 'pair_days');
    expect(pairDays?.columns[0]).toMatchObject({ name: 'day', meaning: expect.stringContaining('reads these days only') });
    expect(pairDays?.columns.find(({ name }) => name === 'flow_duration_us_sum')).toMatchObject({ type: 'bigint', unit: 'microseconds' });
    expect(relations.find(({ name }) => name === 'day_totals')).toMatchObject({
        what: 'view',
        meaning: expect.stringMatching(/^One row per site and day/),
    });
});

test('a lake in a bucket is not asked for any of it', async () => {
    const { lake, athena } = await openBucketLakeFixture([]);
    const { relations } = await answer(pageContext(lake));
    expect(relations).toHaveLength(tables.length + VIEW_NAMES.length);
    expect(athena.calls).toEqual([]);
});
