/** The log of events on AWS: numbers without gaps, whoever adds at once, and what is gone is said to be. */
import { CloudEventLog } from '#lake/cloud/event-log';
import { SOCKET_TABLE } from '#lake/cloud/socket-table';
import { StateCalls } from '#lake/cloud/state-calls';
import type { LiveEvent } from '#lake/live/state-store';
import { MemoryDynamo } from '#test/support/memory-dynamo';

const late = (n: number): LiveEvent => ({ kind: 'pipeline_late', since_ms: n, why: 'no reason' });

const latest = (device: string): LiveEvent => ({ kind: 'latest', device, site: 'main', profile: 'p', received_ms: 1, metrics: {} });

function open(options: { maxLotBytes?: number } = {}) {
    const dynamo = new MemoryDynamo({ shape: SOCKET_TABLE as any, table: 'sockets' });
    const log = new CloudEventLog({
        calls: new StateCalls({ client: dynamo, table: 'sockets' }),
        now: () => 1_767_607_200_000,
        ...options,
    });
    const read = async (after: number | string, { limit = 1000, isLatestWanted = true } = {}) =>
        (await log.read({ after: String(after), limit, isLatestWanted }))?.map(
            ({ id, event }) => `${id} ${event.kind === 'pipeline_late' ? event.since_ms : event.kind}`,
        );
    return { dynamo, log, read };
}

test('gives each event the next number, and tells those behind any', async () => {
    const { log, read } = open();
    expect([await log.last(), await read(0), await read(1)]).toEqual(['0', [], undefined]);
    await log.append([late(1), late(2)], { name: 'a' });
    await log.append([], { name: 'nothing' });
    await log.append([late(3)], { name: 'b' });
    expect(await log.last()).toBe('3');
    expect(await read(0)).toEqual(['1 1', '2 2', '3 3']);
    expect(await read(1)).toEqual(['2 2', '3 3']);
    expect(await read(2)).toEqual(['3 3']);
    expect(await read(3)).toEqual([]);
    expect(await read(4)).toBeUndefined();
    expect(await read('999999999999999999')).toBeUndefined();
    expect(await read(0, { limit: 2 })).toEqual(['1 1', '2 2']);
});

test('leaves out new values where they are not wanted', async () => {
    const { log, read } = open();
    await log.append([latest('a'), late(2), latest('b')], { name: 'a' });
    expect(await read(0, { isLatestWanted: false })).toEqual(['2 2']);
    expect(await read(0)).toEqual(['1 latest', '2 2', '3 latest']);
});

test('adds a batch that comes again once', async () => {
    const { log, read } = open();
    await log.append([late(1)], { name: 'a' });
    await log.append([late(2)], { name: 'b' });
    await log.append([late(1)], { name: 'a' });
    expect(await read(0)).toEqual(['1 1', '2 2']);
});

test('adds a batch once whose answer was lost', async () => {
    const { dynamo, log, read } = open();
    let lost = 0;
    dynamo.fate = (when, operation) => {
        if (when === 'behind' && operation === 'TransactWriteItems' && lost === 0) {
            lost += 1;
            throw Object.assign(new Error('no answer'), { name: 'TimeoutError', $metadata: {} });
        }
    };
    await expect(log.append([late(1)], { name: 'a' })).rejects.toThrow('no answer');
    await log.append([late(1)], { name: 'a' });
    expect(await read(0)).toEqual(['1 1']);
});

test('is one order, whoever adds at once', async () => {
    const { log, read } = open();
    await Promise.all(Array.from({ length: 12 }, (_, n) => log.append([late(n * 2), late(n * 2 + 1)], { name: `batch-${n}` })));
    const all = (await read(0)) ?? [];
    expect(all.map((text) => text.split(' ')[0])).toEqual(Array.from({ length: 24 }, (_, n) => String(n + 1)));
    expect(all.map((text) => Number(text.split(' ')[1])).sort((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, n) => n));
    for (let n = 0; n < 24; n += 2) {
        // Events of a batch stand side by side.
        expect(Number(all[n + 1]?.split(' ')[1])).toBe(Number(all[n]?.split(' ')[1]) + 1);
    }
});

test('cuts a batch that no record can hold', async () => {
    const { dynamo, log, read } = open({ maxLotBytes: 120 });
    const events = Array.from({ length: 40 }, (_, n) => late(n * 7919));
    await log.append(events, { name: 'a' });
    expect(dynamo.items().filter(({ packed }) => packed).length).toBeGreaterThan(3);
    expect(await read(0)).toEqual(events.map((_, n) => `${n + 1} ${n * 7919}`));
    await log.append(events, { name: 'a' });
    expect(await log.last()).toBe('40');
});

test('says that events are gone, wherever the hole is, and goes on counting when all are', async () => {
    const { dynamo, log, read } = open();
    for (let n = 1; n <= 4; n += 1) {
        await log.append([late(n)], { name: `${n}` });
    }
    const drop = async (behind: number) => {
        const key = dynamo.items().find(({ place }) => Number(place?.S) === behind);
        await new StateCalls({ client: dynamo, table: 'sockets' }).remove({ part: key?.part ?? { S: '' }, place: key?.place ?? { S: '' } });
    };
    await drop(1);
    expect(await read(0)).toEqual(['1 1']);
    expect(await read(1)).toBeUndefined();
    expect(await read(2)).toEqual(['3 3', '4 4']);
    for (const behind of [0, 2, 3]) {
        await drop(behind);
    }
    expect([await read(0), await read(3), await read(4), await log.last()]).toEqual([undefined, undefined, [], '4']);
    await log.append([late(5)], { name: '5' });
    expect(await read(4)).toEqual(['5 5']);
    expect(await read(0)).toBeUndefined();
});
