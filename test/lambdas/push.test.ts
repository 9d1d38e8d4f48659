/** Lambda push: whoever listens is told every event once and in order, whatever comes at once; who is gone or slow holds up nobody. */
import { CloudEventLog } from '#lake/cloud/event-log';
import { SOCKET_TABLE } from '#lake/cloud/socket-table';
import { Sockets } from '#lake/cloud/sockets';
import { StateCalls } from '#lake/cloud/state-calls';
import { itemRecord } from '#lake/cloud/state-records';
import { newItem } from '#lake/live/latest';
import type { LiveAlert, LiveEvent } from '#lake/live/state-store';
import { follow } from '#lambdas/push/follow';
import { noteEvents } from '#lambdas/push/note-events';
import { tellLevel } from '#lambdas/push/tell-level';
import { faultsOfEvent } from '#test/live-api/document-check';
import { MemoryDynamo } from '#test/support/memory-dynamo';
import { MemorySockets } from '#test/support/memory-sockets';

const T0 = 1_767_607_200_000;

const late = (n: number): LiveEvent => ({ kind: 'pipeline_late', since_ms: n, why: 'no reason' });

const latest = (device: string, value = '21.30'): LiveEvent => ({
    kind: 'latest',
    device,
    site: 'main',
    profile: 'p',
    received_ms: T0,
    metrics: { t: { value, text: null, unit: 'Cel', atMs: T0, message: 'm', receivedMs: T0, clock: 'device' } },
});

function openWorld() {
    const dynamo = new MemoryDynamo({ shape: SOCKET_TABLE as any, table: 'sockets' });
    const clock = { ms: T0 };
    const now = () => clock.ms;
    const calls = new StateCalls({ client: dynamo, table: 'sockets' });
    const log = new CloudEventLog({ calls, now });
    const sockets = new Sockets({ calls, now });
    const post = new MemorySockets();
    const live = { log, sockets, post, now, pause: () => new Promise<void>((resolve) => setImmediate(resolve)) };
    const batches = { count: 0 };
    const add = (...events: LiveEvent[]) => {
        batches.count += 1;
        return log.append(events, { name: `batch-${batches.count}` });
    };
    const connect = async (id: string, question?: object) => {
        await sockets.open({ id, reader: 'anna' });
        if (question) {
            await follow(id, JSON.stringify(question), live);
        }
    };
    const told = (id: string) => post.received(id).map(({ id: event, event: kind }) => `${event} ${kind}`);
    return { dynamo, clock, log, sockets, post, live, add, connect, told };
}

describe('a connection', () => {
    test('is told nothing before it has said what it wants, and then what comes', async () => {
        const { live, add, connect, told } = openWorld();
        await connect('a');
        await add(late(1));
        await tellLevel(live);
        expect(told('a')).toEqual([]);
        await follow('a', '{}', live);
        await add(late(2), latest('th-7'));
        await tellLevel(live);
        expect(told('a')).toEqual(['1 ready', '2 pipeline_late', '3 latest']);
    });

    test('goes on behind the id that it has, and is told what it chose', async () => {
        const { live, add, connect, told, post } = openWorld();
        await add(late(1), latest('th-7'), latest('th-8'), late(4));
        await connect('a', { after: '1', kind: 'latest', device: 'th-8' });
        await connect('b', { after: '0', kind: 'pipeline_late' });
        await add(latest('th-8', '1.10'), late(6));
        await tellLevel(live);
        expect(told('a')).toEqual(['1 ready', '3 latest', '5 latest']);
        expect(told('b')).toEqual(['0 ready', '1 pipeline_late', '4 pipeline_late', '6 pipeline_late']);
        // Numbers keep their digits, and each event is one of the document.
        expect(post.sent.get('a')?.at(-1)).toContain('"value":1.10,');
        expect(post.received('a').flatMap(({ data }) => faultsOfEvent(JSON.stringify(data)))).toEqual([]);
    });

    test('is told that events are gone, and goes on', async () => {
        const { live, add, connect, told } = openWorld();
        await add(late(1), late(2));
        await connect('a', { after: '999999999999999999' });
        await add(late(3));
        await tellLevel(live);
        expect(told('a')).toEqual(['999999999999999999 ready', '2 reset', '3 pipeline_late']);
    });

    test('may ask for something else later', async () => {
        const { live, add, connect, told } = openWorld();
        await connect('a', { kind: 'raised' });
        await add(late(1));
        await tellLevel(live);
        await follow('a', '{"after":"0"}', live);
        expect(told('a')).toEqual(['0 ready', '0 ready', '1 pipeline_late']);
    });

    test.each([
        ['nonsense', 'bad_request'],
        ['[]', 'bad_parameter'],
        ['{"after":1}', 'bad_parameter'],
        ['{"after":"x"}', 'bad_parameter'],
        ['{"kind":"latest,nothing"}', 'bad_parameter'],
        ['{"kinds":"latest"}', 'bad_parameter'],
        ['{"ticket":"x"}', 'bad_parameter'],
    ])('that sends %s is told what is wrong, and stays', async (text, problem) => {
        const { live, connect, post, sockets } = openWorld();
        await connect('a');
        await follow('a', text, live);
        expect(JSON.parse(post.sent.get('a')?.[0] ?? '')).toMatchObject({ type: `urn:flowlake:problem:${problem}` });
        expect(post.disconnected).toEqual([]);
        expect(await sockets.list()).toEqual([]);
    });

    test('that is gone or slow ends, and holds up nobody', async () => {
        const { live, add, connect, told, post, sockets } = openWorld();
        for (const id of ['a', 'b', 'c', 'd']) {
            await connect(id, {});
        }
        post.fates.set('a', 'gone').set('c', 'failed');
        await add(late(1));
        expect(await tellLevel(live)).toEqual({ events: 1, ended: 2 });
        expect([told('b'), told('d')]).toEqual([
            ['0 ready', '1 pipeline_late'],
            ['0 ready', '1 pipeline_late'],
        ]);
        expect(post.disconnected.sort()).toEqual(['a', 'c']);
        expect((await sockets.list()).map(({ id }) => id)).toEqual(['b', 'd']);
        await connect('e');
        post.fates.set('e', 'gone');
        await follow('e', '{}', live);
        expect((await sockets.list()).map(({ id }) => id)).toEqual(['b', 'd']);
    });

    test('ends after an hour, behind the events of then', async () => {
        const { live, add, connect, told, post, clock } = openWorld();
        await connect('a', {});
        clock.ms += 3_600_000;
        await add(late(1));
        await tellLevel(live);
        expect([told('a'), post.disconnected]).toEqual([['0 ready', '1 pipeline_late'], ['a']]);
    });

    test('is one of a thousand at most', async () => {
        const { live, connect, post, sockets } = openWorld();
        await Promise.all(
            Array.from({ length: 1000 }, async (_, n) => {
                await sockets.open({ id: `s${n}`, reader: 'anna' });
                await sockets.begin(`s${n}`, { kinds: ['raised'] });
            }),
        );
        await connect('one-more');
        await follow('one-more', '{}', live);
        expect(JSON.parse(post.sent.get('one-more')?.[0] ?? '')).toMatchObject({ type: 'urn:flowlake:problem:unavailable' });
    });

    test('is sent messages that API Gateway takes, and a reset for an event that none can hold', async () => {
        const { live, add, connect, told, post } = openWorld();
        await connect('a', {});
        await add(
            ...Array.from({ length: 300 }, (_, n) => ({ ...late(n), why: 'x'.repeat(2000) }) as LiveEvent),
            { ...late(0), why: 'x'.repeat(200_000) } as LiveEvent,
            late(1),
        );
        await tellLevel(live);
        expect(post.sent.get('a')?.length).toBeGreaterThan(5);
        expect(told('a').slice(-3)).toEqual(['300 pipeline_late', '301 reset', '302 pipeline_late']);
    });
});

test('whoever comes, goes and comes again while events are added and told is told each once and in order', async () => {
    for (let seed = 1; seed <= 60; seed += 1) {
        const random = numbersOf(seed);
        const { dynamo, live, add, connect, post, log } = openWorld();
        const wait = async () => {
            for (let turns = Math.floor(random() * 4); turns > 0; turns -= 1) {
                await new Promise((resolve) => setImmediate(resolve));
            }
        };
        dynamo.fate = wait;
        post.pause = wait;
        let isOver = false;
        const adding = (async () => {
            for (let n = 0; n < 25; n += 1) {
                await add(...Array.from({ length: 1 + Math.floor(random() * 3) }, () => late(n)));
            }
        })();
        const telling = (async () => {
            while (!isOver) {
                await tellLevel(live);
                await wait();
            }
        })();
        const starts = new Map<string, number>();
        const coming = Array.from({ length: 8 }, async (_, n) => {
            for (let turns = Math.floor(random() * 60); turns > 0; turns -= 1) {
                await wait();
            }
            const last = Number(await log.last());
            const after = Math.floor(random() * (last + 1));
            starts.set(`s${n}`, after);
            await connect(`s${n}`, { after: String(after) });
        });
        await Promise.all([adding, ...coming]);
        isOver = true;
        await telling;
        await tellLevel(live);
        const last = Number(await log.last());
        for (const [id, after] of starts) {
            const ids = post.received(id).map((one) => Number(one.id));
            expect({ seed, id, ids }).toEqual({ seed, id, ids: [after, ...Array.from({ length: last - after }, (_, n) => after + 1 + n)] });
        }
    }
});

test('a program that died while it told is followed by one that tells everybody the rest', async () => {
    const { dynamo, live, add, connect, post } = openWorld();
    await connect('a', {});
    await add(late(1));
    dynamo.fate = (when, operation, input) => {
        // The note that all were told does not come through.
        if (when === 'before' && operation === 'UpdateItem' && JSON.stringify(input).includes('"1"')) {
            throw Object.assign(new Error('killed'), { name: 'Killed' });
        }
    };
    await expect(tellLevel(live)).rejects.toThrow('killed');
    dynamo.fate = () => undefined;
    await add(late(2));
    await tellLevel(live);
    // Told twice with the same id: a client leaves out what it has.
    expect(post.received('a').map(({ id }) => id)).toEqual(['0', '1', '1', '2']);
});

describe('the stream of the state table', () => {
    const lambdaRecord = (image: Record<string, any>, eventID = 'e1'): any => ({
        eventID,
        eventName: 'INSERT',
        // As Lambda hands it over: bytes are base64.
        dynamodb: {
            NewImage: JSON.parse(
                JSON.stringify(image, (_, value) => (value?.type === 'Buffer' ? Buffer.from(value.data).toString('base64') : value)),
            ),
        },
    });

    test('becomes events with numbers: new values of items, packed ones too, and alerts', async () => {
        const { log } = openWorld();
        const metrics = Object.fromEntries(
            Array.from({ length: 500 }, (_, n) => [
                `metric-${n}`,
                { value: `${n}.10`, text: null, unit: null, atMs: T0, message: `message-${n}`, receivedMs: T0, clock: 'device' as const },
            ]),
        );
        const item = { ...newItem('th-7', 's'), site: 'main', profile: 'p', metrics, lastReceivedMs: T0, version: 1 };
        const event: LiveEvent = { kind: 'latest', device: 'th-7', site: 'main', profile: 'p', received_ms: T0, metrics };
        const packed = itemRecord(item, { events: [event], nowMs: T0 });
        expect(packed.item_packed?.B).toBeDefined();
        const raised = { kind: 'raised', alert: { id: 'th-7~hot~1', device: 'th-7' } as LiveAlert };
        const events = {
            part: { S: 'device#th-7' },
            place: { S: 'events#1' },
            is: { S: 'events' },
            at_ms: { N: '1' },
            events: { S: JSON.stringify([raised, { kind: 'state', device: 'th-7', site: 'main', state: 'online' }]) },
        };
        const unreadable: string[] = [];
        const options = { log, onUnreadable: (_: unknown, id: string) => unreadable.push(id) };
        expect(
            await noteEvents(
                [lambdaRecord(packed), lambdaRecord({ ...events, events: { S: '[' } }, 'e2'), lambdaRecord(events, 'e3')],
                options,
            ),
        ).toBe(1);
        expect(unreadable).toEqual(['e2']);
        expect(await log.read({ after: '0', limit: 10, isLatestWanted: true })).toEqual([
            { id: '1', event },
            { id: '2', event: raised },
        ]);
        // The batch comes again.
        await noteEvents([lambdaRecord(packed), lambdaRecord(events, 'e3')], options);
        expect(await log.last()).toBe('2');
    });
});

/** Random numbers below 1, the same for the same seed. */
function numbersOf(seed: number): () => number {
    let state = seed * 2_654_435_761;
    return () => {
        state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 3_266_489_917) >>> 0;
        return state / 2 ** 32;
    };
}
