/** Hard times for the deployed Lambdas: turned away, their calls failing, every message given twice, files that nobody can work off. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { readLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import { groupOf, periodMessage, sourceMessage } from '#lake/work/messages';
import { drawText, openChance } from '#test/hard/support/flow-texts';
import { ofDay, pairDaysKey } from '#test/support/flow-tables';
import { makeFolder } from '#test/support/temporary';
import { nameOfCall } from './support/aws-call.ts';
import { bucket, flowlake, queueOf, store, until } from './support/deployed.ts';
import { invoke, reserveConcurrency, throttles } from './support/deployed-lambdas.ts';
import { deadLettersThere, drained, messagesThere } from './support/deployed-queues.ts';
import type { Fault, Seen } from './support/faulty-proxy.ts';
import { openHardTimes } from './support/hard-times.ts';
import { type MonthOfTexts, onDay, openMonth } from './support/month-of-texts.ts';

const SEED = Number(process.env.FLOWLAKE_SEED ?? Date.now() % 1_000_000);

const messageOf = (key: string): string => sourceMessage({ bucket, key, uploadedAt: new Date() });

describe('Lambdas that are turned away', () => {
    test('leave the files where they are, and do all of the work once they may', async () => {
        const [chance, folder, month] = [openChance(SEED), await makeFolder(), openMonth('2025-09')];
        await openHardTimes();
        const before = await throttles('consolidate');
        await reserveConcurrency('summarize', 1);
        await reserveConcurrency('consolidate', 0);
        for (let at = 0; at < 6; at += 1) {
            await month.put(`${at}.csv`, drawText(chance, { rows: 100, days: 3 }));
        }
        await until(async () => (await throttles('consolidate')) >= before + 3, 'consolidate is turned away three times');
        expect((await month.dayETags()).size).toBe(0);
        await reserveConcurrency('summarize', 0);
        await month.put('late.csv', drawText(chance, { rows: 100, days: 3 }));
        await expect(invoke('summarize', [messageOf(month.keyOf('late.csv'))])).rejects.toThrow(/429/);
        expect(await messagesThere()).toBeGreaterThan(0);
        expect((await readLedger(store, sourceId(month.keyOf('late.csv')))).record).toBeUndefined();
        await Promise.all([reserveConcurrency('summarize', undefined), reserveConcurrency('consolidate', undefined)]);
        await drained({ folder });
        await month.assertRight();
    });
});

describe('calls of the Lambdas', () => {
    test('of which a third fails, is answered late or loses its answer, come to the same figures', async () => {
        console.info(`failing calls: FLOWLAKE_SEED=${SEED}`);
        const [chance, folder, month] = [openChance(SEED), await makeFolder(), openMonth('2025-10')];
        const met = new Map<string, number>();
        const doomed = new Set<unknown>();
        const fates = openChance(SEED + 1);
        async function faultOf({ headers }: Seen): Promise<Fault> {
            const call = headers['amz-sdk-invocation-id'];
            // A few fail whenever they are tried again: then the batch gives the message back.
            if (String(headers['amz-sdk-request']).includes('attempt=1') && fates.below(100) < 2) {
                doomed.add(call);
            }
            const fate = doomed.has(call) ? 0 : fates.below(100);
            const [name, fault] = FATES.find(({ below }) => fate < below)?.meets ?? (['goes through', undefined] satisfies [string, Fault]);
            met.set(name, (met.get(name) ?? 0) + 1);
            if (name === 'late') {
                await sleep(4_000);
            }
            return fault;
        }
        // Long enough for six attempts, so that not every message is worked on by two.
        const { seen } = await openHardTimes({ faultOf, hiddenSeconds: 10 });
        for (let at = 0; at < 5; at += 1) {
            await month.put(`${at}.csv`, drawText(chance, { rows: 100, days: 2 }));
        }
        await until(async () => month.record('0.csv').then(...isThere), 'the first is known');
        for (let at = 0; at < 2; at += 1) {
            await month.put(`${at}.csv`, drawText(chance, { rows: 100, days: 2 }));
        }
        expect((await flowlake(['retract', month.keyOf('0.csv')], { folder })).exitCode).toBe(0);
        month.retracted('0.csv');
        const dead = await drained({ folder });
        console.info(`failing calls: ${JSON.stringify(Object.fromEntries(met))}, ${doomed.size} in vain, ${dead} dead letters`);
        await month.assertRight();
        expect(1 - (met.get('goes through') ?? 0) / seen.length).toBeGreaterThan(0.2);
        expect(doomed.size).toBeGreaterThan(0);
        expect([...met.keys()].sort()).toEqual(['500', '503', 'cut', 'goes through', 'late', 'lost answer', 'lost request']);
    });

    const FATES: { below: number; meets: [string, Fault] }[] = [
        // The SDK waits five times as long after it as after the others.
        { below: 4, meets: ['503', { status: 503, code: 'SlowDown' }] },
        { below: 12, meets: ['500', { status: 500, code: 'InternalError' }] },
        { below: 19, meets: ['lost answer', 'lose the answer'] },
        { below: 25, meets: ['lost request', 'lose the request'] },
        { below: 29, meets: ['cut', 'cut the answer'] },
        { below: 30, meets: ['late', undefined] },
    ];
});

const isThere = [() => true, () => false] as const;

describe('every message given twice', () => {
    const FILES = 12;
    /** Four more processes are enough to have each message in several hands. */
    const MOST_BESIDE = 4;

    test('one after the other, side by side, to both Lambdas at once and long after, changes nothing', async () => {
        const [chance, folder, month] = [openChance(SEED), await makeFolder(), openMonth('2025-11')];
        const beside: Promise<number>[] = [];
        let running = 0;
        let invocations = 0;
        async function giveOnceMore(job: 'summarize' | 'consolidate', bodies: string[]): Promise<void> {
            if (running < MOST_BESIDE) {
                running += 1;
                invocations += 1;
                beside.push(
                    invoke(job, bodies).finally(() => {
                        running -= 1;
                    }),
                );
            }
        }
        const [summaries, days] = [await queueOf('summarizeQueue'), await queueOf('consolidateQueue')];
        let copies = 0;
        await openHardTimes({
            // Nothing fails here: what is delivered is counted, so no message is to come back by itself.
            hiddenSeconds: 60,
            async faultOf(seen, body) {
                if (nameOfCall(seen) === 'SendMessageBatch') {
                    const { Entries }: { Entries: { MessageBody: string; MessageGroupId: string }[] } = JSON.parse(body.toString());
                    copies += Entries.length;
                    await days.send(Entries.map(({ MessageBody, MessageGroupId }) => ({ body: MessageBody, group: MessageGroupId })));
                    await giveOnceMore(
                        'consolidate',
                        Entries.map(({ MessageBody }) => MessageBody),
                    );
                }
                return undefined;
            },
        });
        async function putTwice(name: string): Promise<void> {
            await month.put(name, drawText(chance, { rows: 100, days: 3 }));
            const body = messageOf(month.keyOf(name));
            await giveOnceMore('summarize', [body]);
            await summaries.send([{ body }]);
            await giveOnceMore('summarize', [body]);
            copies += 1;
        }
        const names = Array.from({ length: FILES }, (_, at) => `${at}.csv`);
        const corrected = names.slice(0, 4);
        for (const name of [...names, ...corrected]) {
            await putTwice(name);
            await until(async () => running < MOST_BESIDE, 'some are done');
        }
        await drained({ folder });
        expect(new Set(await Promise.all(beside))).toEqual(new Set([0]));
        console.info(`twice: ${copies} messages copied, ${invocations} invocations beside the queues`);
        expect(invocations).toBeGreaterThan(2 * FILES);
        await month.assertFigures();
        const versions = await Promise.all(names.map(async (name) => Object.keys((await month.record(name)).versions).length));
        expect(Math.max(...versions.slice(corrected.length))).toBe(1);
        expect(Math.max(...versions)).toBeLessThanOrEqual(2);

        const before = { etags: await month.dayETags(), records: await Promise.all(names.map(month.record)) };
        const late = month.keys().map(messageOf);
        await summaries.send([...late, ...late].map((body) => ({ body })));
        const dayNews = [...before.etags.keys()].map((key) => {
            const [, day = ''] = /day=([^/]+)/.exec(key) ?? [];
            return { body: periodMessage({ ...ofDay(day), uploadedAt: new Date() }), group: groupOf(ofDay(day)) };
        });
        await days.send([...dayNews, ...dayNews]);
        await Promise.all([
            invoke('summarize', late),
            invoke('summarize', late),
            invoke(
                'consolidate',
                dayNews.map(({ body }) => body),
            ),
        ]);
        await drained({ folder });
        // Not one day is written again.
        expect(await month.dayETags()).toEqual(before.etags);
        for (const [at, record] of (await Promise.all(names.map(month.record))).entries()) {
            const was = before.records[at];
            expect(record).toEqual({ ...was, commits: expect.any(Number) });
            // The fence: one number for each delivery, and fewer where one batch had both.
            expect(record.commits - (was?.commits ?? 0)).toBeGreaterThanOrEqual(1);
            expect(record.commits - (was?.commits ?? 0)).toBeLessThanOrEqual(4);
        }
        await month.assertRight();
    });
});

describe('what nobody can work off', () => {
    test('is tried as often as deployed, later each time, and put aside, while all others go on; status says so, and mended it comes back', async () => {
        const [chance, folder, month] = [openChance(SEED), await makeFolder(), openMonth('2025-12')];
        const poison = month.keyOf('poison.csv');
        const { name: queueName } = await queueOf('summarizeQueue');
        let isForbidden = true;
        let tries = 0;
        const waits: number[] = [];
        await openHardTimes({
            faultOf(seen, body) {
                if (nameOfCall(seen) === 'ChangeMessageVisibility') {
                    const asked: { QueueUrl: string; VisibilityTimeout: number } = JSON.parse(body.toString());
                    if (asked.QueueUrl.endsWith(queueName)) {
                        waits.push(asked.VisibilityTimeout);
                    }
                }
                const isPoison = nameOfCall(seen) === 'GET raw' && decodeURIComponent(seen.url).includes(poison);
                tries += isPoison ? 1 : 0;
                return isPoison && isForbidden ? { status: 403, code: 'AccessDenied' } : undefined;
            },
        });
        await month.put('poison.csv', onDay(drawText(chance, { rows: 100 }), 28));
        // A day that somebody wrote over, with a file of its own.
        await store.put(pairDaysKey('2025-12-27'), Buffer.from('no Parquet'));
        await month.put('damaged.csv', onDay(drawText(chance, { rows: 100 }), 27));
        const others = Array.from({ length: 5 }, (_, at) => `${at}.csv`);
        for (const name of others) {
            await month.put(name, drawText(chance, { rows: 100, days: 3 }));
        }
        await until(async () => (await messagesThere()) === 0 && (await deadLettersThere()) >= 2, 'the two are put aside');
        expect(tries).toBe(12);
        expect(waits).toEqual([10, 60, 300, ...Array.from({ length: 9 }, () => 900)]);
        const status = await flowlake('--output json status --queues', { folder });
        expect(status.exitCode).toBe(1);
        const [summarize, consolidate] = JSON.parse(status.stdout);
        expect(summarize).toMatchObject({ queue: 'summarize', dead_letters: 1 });
        // Two where the file was worked on by two, each of which told of the day.
        expect(consolidate.dead_letters).toBeGreaterThan(0);
        expect(await statesOf(month, others)).toEqual(others.map(() => 'done'));
        expect((await readLedger(store, sourceId(poison))).record).toBeUndefined();

        isForbidden = false;
        // What the log and status say of a damaged day; the day is then built from its summaries.
        await store.delete(pairDaysKey('2025-12-27'));
        expect((await flowlake('redrive', { folder })).exitCode).toBe(0);
        expect(await drained({ folder })).toBe(0);
        await month.assertRight();
        expect((await flowlake('status', { folder })).exitCode).toBe(0);
    });
});

async function statesOf(month: MonthOfTexts, names: readonly string[]): Promise<string[]> {
    return Promise.all(names.map(async (name) => (await month.record(name)).state));
}
