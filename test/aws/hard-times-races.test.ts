/** Deployed Lambdas that meet at one record, move by move: what one of them read is overtaken before it commits. */
import process from 'node:process';
import { expect, test } from '@jest/globals';
import { ledgerKey } from '#lake/layout';
import { sourceId } from '#lake/source-id';
import { periodMessage, sourceMessage } from '#lake/work/messages';
import { drawText, openChance } from '#test/hard/support/flow-texts';
import { ofDay } from '#test/support/flow-tables';
import { makeFolder } from '#test/support/temporary';
import { nameOfCall } from './support/aws-call.ts';
import { bucket, queueOf, until } from './support/deployed.ts';
import { invoke, processOfPort, reserveConcurrency, whyNoProcesses } from './support/deployed-lambdas.ts';
import { drained } from './support/deployed-queues.ts';
import type { Fault, Seen } from './support/faulty-proxy.ts';
import { openHardTimes } from './support/hard-times.ts';
import { onDay, openMonth } from './support/month-of-texts.ts';

const why = whyNoProcesses();
/** Skipped with the reason in its name. */
const orSkip = (name: string, work: () => Promise<void>): void =>
    why === undefined ? test(name, work) : test.skip(`${name} (${why})`, work);

const chance = openChance(7);
const draw = (): string => drawText(chance, { rows: 50, days: 2 });

/** Kills the process that made a request: the request was not made, or its answer never comes. */
function kill({ port }: Seen): void {
    const victim = processOfPort(port);
    if (victim) {
        process.kill(victim.pid, 'SIGKILL');
    }
}

/** True if the request writes this source's record. */
const writes =
    (rawKey: string) =>
    (seen: Seen): boolean =>
        nameOfCall(seen) === 'PUT ledger' && seen.url.includes(ledgerKey(sourceId(rawKey)));

/** Stops the next request that is meant until it is opened. */
function openGate() {
    let isMeant: (seen: Seen) => boolean = () => false;
    let open: (fault: Fault) => void = () => undefined;
    let held: Seen | undefined;
    return {
        async faultOf(seen: Seen): Promise<Fault> {
            if (!isMeant(seen)) {
                return undefined;
            }
            isMeant = () => false;
            held = seen;
            return new Promise((resolve) => {
                open = resolve;
            });
        },
        close(meant: (seen: Seen) => boolean): void {
            isMeant = meant;
        },
        /** Waits until one stands there. */
        async held(): Promise<Seen> {
            await until(async () => held !== undefined, 'a request stands before the gate');
            return held as Seen;
        },
        open: (fault?: Fault) => open(fault),
    };
}

test('a worker that read older bytes commits first: whoever read the newer ones looks again', async () => {
    const [folder, month] = [await makeFolder(), openMonth('2025-02')];
    const key = month.keyOf('a.csv');
    const gates = [openGate(), openGate()] as const;
    // Nothing fails here: no message is to come back while its worker is held.
    await openHardTimes({ faultOf: async (seen) => (await gates[0].faultOf(seen)) ?? gates[1].faultOf(seen), hiddenSeconds: 60 });
    await month.put('a.csv', draw());
    await drained({ folder });

    gates[0].close(writes(key));
    await month.put('a.csv', draw());
    await gates[0].held();
    gates[1].close(writes(key));
    await month.put('a.csv', draw());
    await gates[1].held();
    const { commits } = await month.record('a.csv');
    gates[0].open();
    await until(async () => (await month.record('a.csv')).commits > commits, 'the older bytes are committed');
    gates[1].open();
    await drained({ folder });
    await month.assertRight();
});

orSkip(
    'a worker that dies between its commit and its news of it: the next delivery, which has nothing to read, tells of the day',
    async () => {
        const [folder, month] = [await makeFolder(), openMonth('2025-03')];
        const gate = openGate();
        await openHardTimes({ faultOf: gate.faultOf });
        gate.close((seen) => nameOfCall(seen) === 'SendMessageBatch');
        await month.put('a.csv', draw());
        const held = await gate.held();
        expect((await month.record('a.csv')).commits).toBe(1);
        kill(held);
        gate.open('lose the request');
        await drained({ folder });
        await month.assertRight();
        expect((await month.record('a.csv')).version).toMatch(/^1-/);
    },
);

orSkip('a worker that saw less of a day, and dies with its write, takes nothing out of the day', async () => {
    const [folder, month] = [await makeFolder(), openMonth('2025-04')];
    const gates = [openGate(), openGate()] as const;
    await openHardTimes({ faultOf: async (seen) => (await gates[0].faultOf(seen)) ?? gates[1].faultOf(seen), hiddenSeconds: 60 });
    const isWriteOfDay = (seen: Seen): boolean => nameOfCall(seen) === 'PUT pair_days';
    gates[0].close(isWriteOfDay);
    await month.put('a.csv', onDay(draw(), 1));
    await gates[0].held();
    // Two writers at once, as a rebuild beside the queue, or a delivery that outlives its time-out.
    gates[1].close(isWriteOfDay);
    const second = invoke('consolidate', [periodMessage({ ...ofDay('2025-04-01'), uploadedAt: new Date() })]).then(...isOver);
    const held = await gates[1].held();
    gates[0].open();
    await month.put('b.csv', onDay(draw(), 1));
    await drained({ folder });
    const before = await month.dayETags();
    gates[1].open({ afterwards: () => kill(held) });
    await second;
    expect(await month.dayETags()).toEqual(before);
    await drained({ folder });
    await month.assertRight();
});

orSkip('a second delivery that read bytes which are gone again, and dies with its commit, commits nothing', async () => {
    const [folder, month] = [await makeFolder(), openMonth('2025-05')];
    const key = month.keyOf('a.csv');
    const gate = openGate();
    await openHardTimes({ faultOf: gate.faultOf });
    const first = await month.put('a.csv', draw());
    await drained({ folder });
    const before = await month.record('a.csv');

    // The delivery that will die has the function for itself; those of the queue are turned away meanwhile.
    await reserveConcurrency('summarize', 0);
    gate.close(writes(key));
    await month.put('a.csv', draw());
    await reserveConcurrency('summarize', 1);
    const second = until(
        () => invoke('summarize', [sourceMessage({ bucket, key, uploadedAt: new Date() })]).then(...isOver),
        'it has the function',
    );
    const held = await gate.held();
    await month.put('a.csv', first);
    await reserveConcurrency('summarize', undefined);
    const queue = await queueOf('summarizeQueue');
    await until(async () => Object.values(await queue.depth()).every((count) => count === 0), 'both messages are used up');
    gate.open({ afterwards: () => kill(held) });
    await second;
    await drained({ folder });
    await month.assertRight();
    const after = await month.record('a.csv');
    expect({ version: after.version, versions: after.versions }).toEqual({ version: before.version, versions: before.versions });
});

/** An invocation is over once it has died or ended; not where it was turned away. */
const isOver = [() => true, (error: unknown) => !String(error).includes('429')] as const;
