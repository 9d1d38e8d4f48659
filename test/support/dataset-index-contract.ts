/** What every index of chain objects promises (lake/live/datasets.ts); each adapter runs this suite. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { chainKey } from '#lake/layout';
import {
    type ChainFacts,
    type ChainSpan,
    chainFactsOf,
    type Dataset,
    type DatasetIndex,
    type DatasetQuestion,
    isAskedFor,
    MOST_DEVICES_NAMED,
    type ReadFacts,
} from '#lake/live/datasets';
import { chainMessage } from './chain-messages.ts';

const DAY_MS = 86_400_000;

/** Midnight of 2026-01-05 in UTC. */
const MONDAY_MS = Date.UTC(2026, 0, 5);

const readFacts = (fields: Partial<ReadFacts> = {}): ReadFacts => ({
    commits: 1,
    state: 'done',
    version: '1-0123456789abcdef',
    readings: 3,
    messagesKept: 3,
    messagesRejected: 1,
    profiles: 'thermometer@1',
    days: ['2026-01-04', '2026-01-05'],
    dayCount: 2,
    firstDay: '2026-01-04',
    lastDay: '2026-01-05',
    sizeBytes: 512,
    readAt: '2026-01-05T10:01:00.000Z',
    ...fields,
});

/** Facts of an object whose messages have the numbers from `first` to `last`, and arrived so. */
const facts = (first: string, last: string, fields: Partial<ChainFacts> = {}): ChainFacts => ({
    ...chainFactsOf([chainMessage(1, { sequence: first }), chainMessage(2, { sequence: last, device: 'th-2' })]),
    ...fields,
});

export function describeDatasetIndex(name: string, openIndex: () => Promise<DatasetIndex>): void {
    describe(`${name}: an index of chain objects`, () => {
        let index: DatasetIndex;
        let stream: string;
        let count = 0;

        const keyAfter = (end: string, shard = 'shard-1') => chainKey({ kind: 'telemetry', stream, shard }, end);

        async function listed(question: DatasetQuestion = {}): Promise<Dataset[]> {
            const found: Dataset[] = [];
            for await (const item of index.list(question)) {
                if (item.stream === stream && isAskedFor(item, question) === true) {
                    found.push(item);
                }
            }
            return found.sort((a, b) => (a.key < b.key ? -1 : 1));
        }

        async function spans(first: string, last: string): Promise<ChainSpan[]> {
            const found: ChainSpan[] = [];
            for await (const span of index.spans({ stream, shard: 'shard-1' }, { first, last })) {
                found.push(span);
            }
            return found;
        }

        beforeEach(async () => {
            index = await openIndex();
            count += 1;
            stream = `devices-${count}`;
        });

        test('gives back what was noted, whoever came first', async () => {
            const [one, other] = [keyAfter('0'), keyAfter('2')];
            expect(await index.get(one)).toBeUndefined();
            await index.noteChain(one, facts('1', '2'));
            expect(await index.get(one)).toEqual({
                key: one,
                stream,
                shard: 'shard-1',
                chain: facts('1', '2'),
                read: undefined,
                isPruned: false,
            });
            expect(await index.noteRead(one, readFacts())).toBe(true);
            // The reader of the other object was faster than its writer.
            expect(await index.noteRead(other, readFacts({ days: undefined, dayCount: 101 }))).toBe(false);
            expect((await index.get(other))?.chain).toBeUndefined();
            await index.noteChain(other, facts('3', '4'));
            expect(await listed()).toEqual([
                { key: one, stream, shard: 'shard-1', chain: facts('1', '2'), read: readFacts(), isPruned: false },
                {
                    key: other,
                    stream,
                    shard: 'shard-1',
                    chain: facts('3', '4'),
                    read: readFacts({ days: undefined, dayCount: 101 }),
                    isPruned: false,
                },
            ]);
        });

        test('keeps the later commit of two, in whatever order they are noted, and how often', async () => {
            const key = keyAfter('0');
            await index.noteChain(key, facts('1', '2'));
            for (const commits of [2, 5, 3, 5]) {
                expect(await index.noteRead(key, readFacts({ commits, readings: commits }))).toBe(true);
            }
            expect((await index.get(key))?.read).toEqual(readFacts({ commits: 5, readings: 5 }));
            await index.noteRead(
                key,
                readFacts({
                    commits: 6,
                    state: 'retracted',
                    version: null,
                    profiles: null,
                    days: [],
                    dayCount: 0,
                    firstDay: null,
                    lastDay: null,
                }),
            );
            expect((await index.get(key))?.read).toMatchObject({ state: 'retracted', version: null, days: [], firstDay: null });
        });

        test('keeps what an object held that is pruned', async () => {
            const key = keyAfter('0');
            await index.noteChain(key, facts('1', '2'));
            await index.noteRead(key, readFacts());
            await index.notePruned(key, '2026-02-01T00:00:00.000Z');
            await index.notePruned(key, '2026-02-02T00:00:00.000Z');
            await index.noteRead(key, readFacts({ commits: 2 }));
            expect(await index.get(key)).toMatchObject({ chain: facts('1', '2'), read: { commits: 2 }, isPruned: true });
        });

        test('tells which objects of a chain have messages in a span, by numbers of any length', async () => {
            const big = '49590338271490256608559692538361571095921575989136588898';
            await index.noteChain(keyAfter('0'), facts('3', '9'));
            await index.noteChain(keyAfter('9'), facts('10', '99'));
            await index.noteRead(keyAfter('99'), readFacts());
            await index.noteChain(keyAfter('150'), facts('200', big));
            await index.noteChain(keyAfter('9', 'shard-2'), facts('10', '99'));
            const all = [
                { after: '150', first: '200', last: big },
                { after: '9', first: '10', last: '99' },
                { after: '0', first: '3', last: '9' },
            ];
            expect(await spans('1', `${big}0`)).toEqual(all);
            expect(await spans('9', '10')).toEqual(all.slice(1));
            expect(await spans('20', '30')).toEqual(all.slice(1, 2));
            expect(await spans('100', '199')).toEqual([]);
            expect(await spans('1', '2')).toEqual([]);
            expect(await spans(big, big)).toEqual(all.slice(0, 1));
        });

        test('finds by arrival what began before and ended after, over whatever days', async () => {
            const arrived = (from: number, until: number) => ({ firstArrivedMs: MONDAY_MS + from, lastArrivedMs: MONDAY_MS + until });
            await index.noteChain(keyAfter('0'), facts('1', '2', arrived(-2 * DAY_MS, -DAY_MS - 1)));
            await index.noteChain(keyAfter('2'), facts('3', '4', arrived(-10, 10)));
            await index.noteChain(keyAfter('4'), facts('5', '6', arrived(20, 30)));
            await index.noteChain(keyAfter('6'), facts('7', '8', arrived(40, 3 * DAY_MS)));
            await index.noteChain(keyAfter('8'), facts('9', '10', arrived(4 * DAY_MS, 4 * DAY_MS)));
            const firsts = async (question: DatasetQuestion) => (await listed(question)).map(({ chain }) => chain?.first);
            expect(await firsts({})).toEqual(['1', '3', '5', '7', '9']);
            expect(await firsts({ fromMs: MONDAY_MS, untilMs: MONDAY_MS + DAY_MS })).toEqual(['3', '5', '7']);
            expect(await firsts({ fromMs: MONDAY_MS + 30, untilMs: MONDAY_MS + 40 })).toEqual(['5']);
            expect(await firsts({ fromMs: MONDAY_MS + DAY_MS, untilMs: MONDAY_MS + 2 * DAY_MS })).toEqual(['7']);
            expect(await firsts({ untilMs: MONDAY_MS })).toEqual(['1', '3']);
            expect(await firsts({ fromMs: MONDAY_MS + 31 })).toEqual(['7', '9']);
        });

        test('names devices up to a bound, and counts them beyond it', async () => {
            const messages = (devices: number) =>
                Array.from({ length: devices }, (_, at) => chainMessage(at + 1, { device: `th-${String(at).padStart(4, '0')}` }));
            await index.noteChain(keyAfter('0'), chainFactsOf(messages(MOST_DEVICES_NAMED)));
            await index.noteChain(keyAfter('2000'), chainFactsOf(messages(MOST_DEVICES_NAMED + 1)));
            await index.noteChain(
                keyAfter('4000'),
                chainFactsOf([chainMessage(1, { device: undefined, profile: undefined, refused: 'no such device' })]),
            );
            const [named, counted, none] = await listed();
            expect(named?.chain?.devices).toHaveLength(MOST_DEVICES_NAMED);
            expect(named?.chain?.devices?.at(-1)).toBe('th-0999');
            expect(counted?.chain).toMatchObject({ devices: undefined, deviceCount: MOST_DEVICES_NAMED + 1 });
            expect(none?.chain).toMatchObject({ devices: [], deviceCount: 0, refused: 1, messages: 1, profiles: {} });
        });
    });
}
