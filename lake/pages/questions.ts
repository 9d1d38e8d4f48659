/** Page `questions`: what may be asked for. The saved questions with their parameters, and tables and views with their columns. */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from '@hono/zod-openapi';
import { viewsOfInputs } from '#lake/input-views';
import { tables } from '#lake/kinds';
import { once } from '#lake/once';
import { openDuckDb } from '#lake/query/duckdb';
import type { QueryEngine, ResultColumn } from '#lake/query/query-engine';
import { QUERY_NAMES, readView, VIEW_NAMES } from '#lake/query/sql-files';
import type { Table } from '#lake/tables';
import { definePage, type Json } from './page.ts';
import { savedQuestion } from './saved-questions.ts';

export const questionsPage = definePage({
    name: 'questions',
    parameters: z.strictObject({}),
    reads: () => [],
    async answer(_, { lake, signal }): Promise<Json> {
        // In a bucket these views are none: Glue knows nothing of what is in the lake's profiles.
        const more = lake.kind === 'directory' ? await viewsOfInputs(await lake.store()) : [];
        signal.throwIfAborted();
        const views = [...(await viewsOfPackage()), ...(await describe(more))];
        return {
            questions: QUERY_NAMES.map(savedQuestion),
            relations: [...tables.map(tableAsRelation), ...views],
        };
    },
});

interface View {
    name: string;
    sql: string;
}

/** Views of the package never change while it runs. */
const viewsOfPackage = once(() => describe(VIEW_NAMES.map((name) => ({ name, sql: readView(name) }))));

/** The views with their columns, as an empty lake has them: so nothing is read, and nothing costs. */
async function describe(views: readonly View[]): Promise<Json[]> {
    if (views.length === 0) {
        return [];
    }
    const engine = await openDuckDb({
        directory: join(tmpdir(), `flowlake-empty-${randomUUID()}`),
        moreViews: async () => views.filter(isMore),
    });
    try {
        const described: Json[] = [];
        for (const { name, sql } of views) {
            described.push({
                name,
                what: 'view',
                meaning: headOf(sql),
                columns: (await columnsOf(name, engine)).map(({ name, type }) => ({ name, type })),
            });
        }
        return described;
    } finally {
        await engine.close();
    }
}

function isMore({ name }: View): boolean {
    return !VIEW_NAMES.includes(name);
}

async function columnsOf(view: string, engine: QueryEngine): Promise<readonly ResultColumn[]> {
    const { columns, batches } = await engine.query(`select * from ${view} limit 0`);
    for await (const _ of batches) {
        // Read to the end, which frees what the question held.
    }
    return columns;
}

/** The comment that a view begins with. */
function headOf(sql: string): string {
    return (/^(?:--.*\n)*/.exec(sql)?.[0] ?? '').replaceAll(/^-- ?/gm, '').trim().replaceAll('\n', ' ');
}

function tableAsRelation({ name, grain, per, columns }: Table): Json {
    const day = { name: 'day', type: 'string', meaning: 'the day, `YYYY-MM-DD`; a filter on it reads these days only' };
    return {
        name,
        what: 'table',
        meaning: `One row per ${grain}.`,
        columns: [
            ...(per === undefined ? [] : [day]),
            ...columns.map((column) => ({
                name: column.name,
                type: column.type,
                meaning: column.meaning,
                ...(column.unit !== undefined && { unit: column.unit }),
            })),
        ],
    };
}
