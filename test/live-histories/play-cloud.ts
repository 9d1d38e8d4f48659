/**
 * Plays a history against latest state on AWS: records of a shard are handed out in batches as an event source of Kinesis does, again from the first one that is not done, in other
 * batches each time. Each call to the table may fail before it is done or behind it, and a second worker may be faster.
 */

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { eventsIn, type StreamRecord } from '#lake/cloud/state-events';
import { alertIn, itemIn, type StoredRecord } from '#lake/cloud/state-records';
import { openCloudState } from '#lake/cloud/state-store';
import { STATE_TABLE } from '#lake/cloud/state-table';
import { openCloudWatch } from '#lake/cloud/state-watch';
import type { ChainMessage } from '#lake/telemetry/chain-line';
import { takeLatest } from '#lambdas/take-latest';
import { look } from '#lambdas/watch/look';
import { MemoryDynamo } from '#test/support/memory-dynamo';
import { memoryStore } from '#test/support/memory-store';
import { BEGIN_MS, drawLuck, drawMoves, type Luck, type Move } from './draw-moves.ts';
import { compareWith, Died, openedProfiles } from './play.ts';

const NOTHING = { info: () => undefined, warn: () => undefined, error: () => undefined };

/**
 * The history of a seed. AWS's clocks are never set, and no restart gives devices their intervals again: those moves are for one machine. @returns what is wrong, else
 * undefined
 */
export async function playCloudSeed(
    seed: number,
    { isNoted = () => undefined, server = memoryTable() }: { isNoted?: (what: string) => void; server?: TableServer } = {},
): Promise<string | undefined> {
    const moves = drawMoves(seed).filter(({ move }) => move !== 'jump' && move !== 'restart');
    return playCloud(moves, drawLuck(seed), { isNoted, server });
}

/** What holds the table. */
export interface TableServer {
    client: Pick<DynamoDBClient, 'send'>;
    table: string;
    /** All records, in no order. */
    items(): Promise<StoredRecord[]>;
    /** Changes in their order. */
    changes(): Promise<StreamRecord[]>;
}

function memoryTable(): TableServer {
    const dynamo = new MemoryDynamo({ shape: STATE_TABLE, maxPage: 5, maxBatch: 3 });
    return { client: dynamo, table: dynamo.table, items: async () => dynamo.items(), changes: async () => dynamo.records };
}

async function playCloud(
    moves: readonly Move[],
    luck: Luck,
    { isNoted, server }: { isNoted: (what: string) => void; server: TableServer },
): Promise<string | undefined> {
    const profiles = await openedProfiles;
    let nowMs = BEGIN_MS;
    const now = () => nowMs;
    const dynamo = { client: { send: unlucky as DynamoDBClient['send'] }, table: server.table };
    const state = openCloudState({ ...dynamo, now });
    const watch = openCloudWatch(dynamo);
    const messages: ChainMessage[] = [];
    /** Messages that the event source knows as done. */
    let done = 0;
    let isQuiet = false;

    const take = (from: number, to: number) =>
        takeLatest(messages.slice(from, to), { stream: 's', state, profiles, clock: () => state.clock(), now });

    let lost = 0;
    async function unlucky(command: any): Promise<unknown> {
        const operation = command.constructor.name.replace(/Command$/, '');
        const fate = isQuiet || operation === 'Query' || operation === 'GetItem' ? 'works' : luck.fate();
        isNoted(`${fate} ${operation}`);
        if (fate === 'dies before') {
            throw new Died();
        }
        if (fate === 'another is faster') {
            isQuiet = true;
            await take(done, messages.length);
            isQuiet = false;
        }
        const answer = await server.client.send(command);
        if (fate === 'dies behind') {
            lost += 1;
            // Who waits for an answer in vain asks again after a while: seldom, so that histories are short.
            throw lost % 5 > 0 ? new Died() : Object.assign(new Error('lost'), { name: 'InternalServerError' });
        }
        return answer;
    }

    async function untilDone(work: () => Promise<void>): Promise<void> {
        for (;;) {
            try {
                await work();
                return;
            } catch (error) {
                if (!(error instanceof Died)) {
                    throw error;
                }
            }
        }
    }

    const lookOnce = () =>
        untilDone(() =>
            look({
                ...{ watch, state, profiles, now, store: memoryStore(), signal: new AbortController().signal, log: NOTHING },
                watermark: async () => nowMs,
                metrics: { addMetric: () => undefined },
            }),
        );
    isQuiet = true;
    await lookOnce();
    isQuiet = false;
    for (const move of moves) {
        if (move.move === 'pass') {
            nowMs += move.ms;
        } else if (move.move === 'message') {
            const { device, profile, site, refused, payload } = move;
            const sequence = String(messages.length + 1);
            messages.push({ sequence, arrivedMs: nowMs, way: 'mqtt', device, profile, site, refused, payload: Buffer.from(payload) });
        } else if (move.move === 'tick') {
            await untilDone(async () => {
                while (done < messages.length) {
                    const end = Math.min(messages.length, done + luck.batch());
                    await take(done, end);
                    done = end;
                }
            });
            await lookOnce();
        }
    }
    const [records, changes] = [await server.items(), await server.changes()];
    return compareWith(moves, {
        items: () =>
            records
                .filter(({ is }) => is?.S === 'device')
                .map(itemIn)
                .sort((a, b) => (a.device < b.device ? -1 : 1)),
        alerts: () => records.filter(({ is }) => is?.S === 'alert').map(alertIn),
        events: () => changes.flatMap(eventsIn).map(({ event }) => event),
    });
}
