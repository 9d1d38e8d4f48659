/** Streams of events: nothing is lost, nothing is kept for a client that does not read. */
import { setImmediate as turn } from 'node:timers/promises';
import { EventStreams, STREAM_LIMITS, type StreamLimits } from '#lake/live/api/event-streams';
import { EVENT_KINDS } from '#lake/live/api/schemas';
import type { EventLog } from '#lake/live/api/services';
import { type EventClient, readEvents } from '#test/live-api/event-client';
import { MemoryEventLog } from '#test/live-api/memory-services';

interface Follow {
    after?: string;
    device?: string;
    kinds?: readonly string[];
}

interface World {
    log: MemoryEventLog;
    streams: EventStreams;
    broken: unknown[];
    follow(options?: Follow): EventClient;
}

function open({ limits = {}, maxEvents = 10_000 }: { limits?: Partial<StreamLimits>; maxEvents?: number } = {}): World {
    const log = new MemoryEventLog(maxEvents);
    const broken: unknown[] = [];
    const streams = new EventStreams(log, { limits: { ...STREAM_LIMITS, ...limits }, onBroken: (error) => broken.push(error) });
    const follow = ({ after = '0', device, kinds = EVENT_KINDS }: Follow = {}) =>
        readEvents(new Response(streams.open({ after, device, kinds })));
    return { log, streams, broken, follow };
}

function tell(log: MemoryEventLog, count: number, device = 'd'): void {
    for (let n = 0; n < count; n += 1) {
        log.add({ kind: 'latest', device, site: 'main', profile: 'p', received_ms: n, metrics: {} });
    }
}

/** Lets everything happen that does not wait for a clock. */
async function turns(count: number): Promise<void> {
    for (let n = 0; n < count; n += 1) {
        await turn();
    }
}

const idsOf = (events: readonly { id: string }[]) => events.map(({ id }) => Number(id));

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, n) => first + n);

test('gives a backlog of thousands, in order, and what happens meanwhile', async () => {
    const { log, follow } = open();
    tell(log, 3000);
    const client = follow({ after: '1000' });
    expect(await client.next()).toEqual({ id: '1000', type: 'ready', data: '{"kind":"ready"}' });
    expect(idsOf(await client.take(1000))).toEqual(upTo(2000, 1001));
    tell(log, 500);
    expect(idsOf(await client.take(1500))).toEqual(upTo(3500, 2001));
    await client.close();
    expect(log.followers).toBe(0);
});

test('loses nothing that is told while it looks', async () => {
    const { log, follow } = open({ limits: { batch: 7 } });
    const client = follow();
    await client.next();
    for (let n = 0; n < 50; n += 1) {
        const next = client.take(3);
        tell(log, 1);
        await Promise.resolve();
        tell(log, 1);
        await turn();
        tell(log, 1);
        expect(idsOf(await next)).toEqual(upTo(n * 3 + 3, n * 3 + 1));
    }
    await client.close();
});

test('reads from the log only what its client takes', async () => {
    const { log, streams } = open({ limits: { batch: 10 } });
    tell(log, 10_000);
    let reads = 0;
    const read = log.read.bind(log);
    log.read = async (options) => {
        reads += 1;
        return read(options);
    };
    const reader = streams.open({ after: '0', kinds: EVENT_KINDS }).getReader();
    await turns(20);
    expect(reads).toBe(0);
    await reader.read();
    await reader.read();
    await reader.read();
    await turns(20);
    expect(reads).toBe(2);
    await reader.cancel();
});

test('tells the id of what nobody wanted, so that a client comes back behind it', async () => {
    const { log, follow } = open({ limits: { heartbeatMs: 10 } });
    tell(log, 5000, 'other');
    const client = follow({ device: 'd' });
    await client.next();
    const waiting = client.next();
    while (client.lastId !== '5000') {
        await turn();
    }
    tell(log, 1);
    expect((await waiting)?.id).toBe('5001');
    await client.close();
});

test('says so where events behind an id are gone, and goes on from now', async () => {
    const { log, follow } = open({ maxEvents: 10 });
    tell(log, 100);
    for (const after of ['89', '101', '0']) {
        const client = follow({ after });
        expect(await client.take(2)).toMatchObject([
            { type: 'ready', id: after },
            { type: 'reset', id: '100' },
        ]);
        await client.close();
    }
    const client = follow({ after: '90' });
    await client.next();
    expect(idsOf(await client.take(10))).toEqual(upTo(100, 91));
    // A client that is slower than the log is short.
    tell(log, 50);
    expect(await client.next()).toMatchObject({ type: 'reset', id: '150' });
    tell(log, 1);
    expect(await client.next()).toMatchObject({ type: 'latest', id: '151' });
    await client.close();
});

test('sends comments while nothing happens', async () => {
    const { streams } = open({ limits: { heartbeatMs: 5 } });
    const reader = streams.open({ after: '0', kinds: EVENT_KINDS }).getReader();
    await reader.read();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe(': still here\n\n');
    await reader.cancel();
});

test('ends a stream after its life, and all of them where the server closes', async () => {
    const short = open({ limits: { maxLifeMs: 10 } });
    const client = short.follow();
    await client.next();
    expect(await client.next()).toBeUndefined();
    expect(short.log.followers).toBe(0);

    const { log, streams, follow } = open({ limits: { maxStreams: 2 } });
    const clients = [follow(), follow()];
    expect(streams.isFull).toBe(true);
    await Promise.all(clients.map((one) => one.next()));
    const ends = clients.map((one) => one.next());
    streams.close();
    expect(await Promise.all(ends)).toEqual([undefined, undefined]);
    expect({ isFull: streams.isFull, followers: log.followers }).toEqual({ isFull: false, followers: 0 });
});

test('ends where the log cannot be read, and says why', async () => {
    const broken: unknown[] = [];
    const log: EventLog = {
        last: async () => '0',
        read: async () => {
            throw new Error('disk');
        },
        onAdded: () => () => {},
    };
    const streams = new EventStreams(log, { limits: STREAM_LIMITS, onBroken: (error) => broken.push(error) });
    const reader = streams.open({ after: '0', kinds: EVENT_KINDS }).getReader();
    await reader.read();
    await expect(reader.read()).rejects.toThrow('disk');
    expect(broken).toEqual([new Error('disk')]);
    expect(streams.isFull).toBe(false);
});

test('neither reads nor wakes up for latest values that its client did not ask for', async () => {
    const { log, follow } = open({ limits: { heartbeatMs: 10_000 } });
    tell(log, 100);
    let reads = 0;
    const read = log.read.bind(log);
    log.read = async (asked) => {
        reads += 1;
        return read(asked);
    };
    const client = follow({ kinds: ['pipeline_late'] });
    await client.next();
    const next = client.next();
    await turns(5);
    tell(log, 100);
    await turns(20);
    expect(reads).toBe(1);
    log.add({ kind: 'pipeline_late', since_ms: 1, why: 'none' });
    expect(await next).toMatchObject({ id: '201', type: 'pipeline_late' });
    await client.close();
});

test('gives what is of no device to who asked for one', async () => {
    const { log, follow } = open();
    const client = follow({ device: 'd' });
    await client.next();
    tell(log, 1, 'other');
    log.add({ kind: 'pipeline_late', since_ms: 1, why: 'none' });
    expect(await client.next()).toMatchObject({ id: '2', type: 'pipeline_late' });
    await client.close();
});
