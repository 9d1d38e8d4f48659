/** Registered devices in latest state, and versions of answers. */
import { join } from 'node:path';
import { newItem } from '#lake/live/latest';
import { noteRegistered } from '#lake/live/note-registered';
import { openStateDatabase, type StateDatabase } from '#lake/serve/state-database';
import { openStateQueries } from '#lake/serve/state-queries';
import { stateServices } from '#lake/serve/state-services';
import { START_MS } from '#test/support/live-world';
import { makeFolder } from '#test/support/temporary';

const databases: StateDatabase[] = [];

afterAll(() => {
    for (const database of databases) {
        database.close();
    }
});

async function open() {
    const state = openStateDatabase(join(await makeFolder(), 'state.sqlite'));
    databases.push(state);
    const queries = openStateQueries(state.database);
    const clock = () => ({ nowMs: START_MS, watermarkMs: START_MS, watchedSinceMs: START_MS, isPipelineLate: false });
    return { state, services: stateServices({ state, queries, clock }) };
}

const registered = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ device: `th-${String(n).padStart(4, '0')}`, site: 'main', profile: 'thermostat' }));

test('a device that was registered and never heard of is unknown, and stays what it is once it was', async () => {
    const { state, services } = await open();
    await state.write({
        changes: [{ item: { ...newItem('th-0001', 's'), refused: 7, version: 1 }, alerts: [], events: [] }],
        nowMs: START_MS,
    });
    await noteRegistered(state, registered(3), { nowMs: START_MS });
    await noteRegistered(state, registered(3), { nowMs: START_MS });
    const { answer } = await services.devices({ after: undefined, limit: 10 });
    expect(answer.items.map(({ state: is, item }) => `${item.device} ${is} ${item.refused} ${item.version}`)).toEqual([
        'th-0000 unknown 0 1',
        'th-0001 unknown 7 1',
        'th-0002 unknown 0 1',
    ]);
    expect((await services.fleet()).answer.devices.unknown).toBe(3);
});

test('thousands are noted, though another writer comes in between', async () => {
    const { state, services } = await open();
    let isFirst = true;
    const contested: StateDatabase = {
        ...state,
        read: async (devices) => {
            const known = await state.read(devices);
            if (isFirst) {
                isFirst = false;
                await noteRegistered(state, registered(1), { nowMs: START_MS });
            }
            return known;
        },
    };
    await noteRegistered(contested, registered(1200), { nowMs: START_MS });
    expect((await services.fleet()).answer.devices.unknown).toBe(1200);
});

test('the version of a device is another one in a database that was made anew', async () => {
    const versions: (string | undefined)[] = [];
    for (let n = 0; n < 2; n += 1) {
        const { state, services } = await open();
        await noteRegistered(state, registered(1), { nowMs: START_MS });
        versions.push((await services.device('th-0000'))?.version);
    }
    expect(versions[0]).toBeDefined();
    expect(versions[0]).not.toBe(versions[1]);
});
