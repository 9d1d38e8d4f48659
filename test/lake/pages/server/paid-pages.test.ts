/** Pages of a lake whose reading is paid for, as the server answers them: planned before they are asked, and kept where their days are over. */
import { z } from '@hono/zod-openapi';
import { expect, test } from '@jest/globals';
import { openAnswersFolder } from '#lake/pages/answers-folder';
import { definePage } from '#lake/pages/page';
import { createPages } from '#lake/pages/server/create-pages';
import { openBucketLakeFixture } from '#test/support/bucket-lake-fixture';
import { makeFolder } from '#test/support/temporary';

const ORIGIN = 'http://127.0.0.1:8123';

const flows = definePage({
    name: 'flows',
    parameters: z.strictObject({ to: z.iso.date() }),
    reads: ({ to }) => [{ table: 'pair_days', to }],
    answer: async ({ to }, { ask }) => {
        const { rows } = await ask('select cast(sum(flows) as bigint) from pair_days where day <= ?', { parameters: [to] });
        return { flows: String(rows[0]?.[0]) };
    },
});
const free = definePage({ name: 'free', parameters: z.strictObject({}), reads: () => [], answer: async () => 'free' });

async function open() {
    const fixture = await openBucketLakeFixture([{ day: '2026-01-05' }, { day: '2026-01-06' }]);
    const troubles: string[] = [];
    const pages = createPages({
        lake: fixture.lake,
        name: 's3://lake',
        version: '1',
        live: undefined,
        hasApi: false,
        web: new Map(),
        pages: [flows, free],
        cache: { folder: openAnswersFolder({ folder: await makeFolder(), onTrouble: (message) => troubles.push(message) }), version: '1' },
        authenticate: async () => 'ui',
        isTokenInAddress: true,
        now: () => new Date('2026-03-01T12:00:00Z'),
        onBroken: ({ error }) => troubles.push(String(error)),
    });
    const opened = await pages.fetch(new Request(`${ORIGIN}/?token=x`));
    const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? '';
    const ask = async (path: string) => (await pages.fetch(new Request(`${ORIGIN}/pages/${path}`, { headers: { cookie } }))).json();
    return { ...fixture, ask, troubles };
}

test('a page says what it will scan, is asked once, and then costs nothing until a day is corrected', async () => {
    const { ask, athena, putFlows, store, troubles } = await open();
    const sizes = await Promise.all(['05', '06'].map((day) => store.head(`pair_days/day=2026-01-${day}/part-00.parquet`)));
    const bytes = sizes.reduce((sum, info) => sum + (info?.sizeBytes ?? 0), 0);
    expect(await ask('flows/plan?to=2026-02-01')).toEqual({ plan: { bytes: String(bytes), costUsd: (10 * 5) / 2 ** 20, unknown: [] } });
    expect(athena.queries()).toEqual([]);
    expect(await ask('flows?to=2026-02-01')).toEqual({ flows: '2' });
    expect(await ask('flows/plan?to=2026-02-01')).toEqual({ plan: null });
    expect(await ask('flows?to=2026-02-01')).toEqual({ flows: '2' });
    expect(athena.queries()).toHaveLength(1);
    await putFlows([{ day: '2026-01-06' }, { day: '2026-01-06' }]);
    expect(await ask('flows/plan?to=2026-02-01')).toMatchObject({ plan: { unknown: [] } });
    expect(await ask('flows?to=2026-02-01')).toEqual({ flows: '3' });
    expect(troubles).toEqual([]);
});

test('today is asked each time, and a page that reads nothing has nothing to say before', async () => {
    const { ask, athena } = await open();
    await ask('flows?to=2026-03-01');
    await ask('flows?to=2026-03-01');
    expect(athena.queries()).toHaveLength(2);
    expect(await ask('free/plan')).toEqual({ plan: null });
});
