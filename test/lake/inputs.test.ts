/** Inputs of readings: versions never change, the pointer only moves up, whoever writes and dies. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { addInput, listInputs, openInputs, openInputsAsRead, readInput } from '#lake/inputs';
import type { ObjectStore } from '#lake/store/object-store';
import { gauges } from '#test/kinds/gauges';
import { memoryStore } from '#test/support/memory-store';
import { stepwiseStore } from '#test/support/stepwise-store';

const PREFIX = 'scales/';
const [OLD, NEW, OTHER] = [{ zero_mm: 1 }, { zero_mm: 2 }, { zero_mm: 3 }];

let store: ObjectStore;

beforeEach(() => {
    store = memoryStore();
});

async function textAt(key: string): Promise<string | undefined> {
    const object = await store.get(key);
    return object && Buffer.from(object.bytes).toString();
}

describe('an input', () => {
    test('has versions from 1 on, and the last one added holds', async () => {
        expect(await readInput(store, PREFIX, 'harbour')).toBeUndefined();
        expect(await addInput(store, PREFIX, 'harbour', OLD)).toEqual({ version: 1, isNew: true });
        expect(await addInput(store, PREFIX, 'harbour', NEW)).toEqual({ version: 2, isNew: true });
        expect(await readInput(store, PREFIX, 'harbour')).toEqual({ version: 2, document: NEW });
        expect(JSON.parse((await textAt('scales/harbour/1.json')) ?? '')).toEqual(OLD);
    });

    test('is left as it is where the document is the one that holds', async () => {
        await addInput(store, PREFIX, 'harbour', OLD);
        expect(await addInput(store, PREFIX, 'harbour', { ...OLD })).toEqual({ version: 1, isNew: false });
        expect(await textAt('scales/harbour/2.json')).toBeUndefined();
    });

    test('of before holds again as a version of its own', async () => {
        for (const document of [OLD, NEW, OLD]) {
            await addInput(store, PREFIX, 'harbour', document);
        }
        expect(await readInput(store, PREFIX, 'harbour')).toEqual({ version: 3, document: OLD });
    });

    test('is listed by name with the version that holds', async () => {
        await addInput(store, PREFIX, 'pier', OLD);
        await addInput(store, PREFIX, 'harbour', OLD);
        await addInput(store, PREFIX, 'harbour', NEW);
        expect(await listInputs(store, PREFIX)).toEqual([
            { name: 'harbour', version: 2 },
            { name: 'pier', version: 1 },
        ]);
    });

    test('has a name that is a file on any disk', async () => {
        for (const name of ['', '.', '..', 'a/b', 'Harbour', 'a b', 'x'.repeat(65), '-a']) {
            await expect(addInput(store, PREFIX, name, OLD)).rejects.toThrow(`The name ${JSON.stringify(name)} is not usable`);
            expect(await readInput(store, PREFIX, name)).toBeUndefined();
        }
    });

    test.each([
        ['no JSON', '{'],
        ['no version', '{}'],
        ['no whole number', '{"version": 1.5}'],
        ['no version', '{"version": 0}'],
    ])('whose pointer is damaged (%s) is an error that names it, never none', async (_, text) => {
        await store.put('scales/harbour.json', Buffer.from(text));
        await expect(readInput(store, PREFIX, 'harbour')).rejects.toThrow('scales/harbour.json');
        await expect(addInput(store, PREFIX, 'harbour', OLD)).rejects.toThrow('scales/harbour.json');
    });

    test('whose document is gone is an error, never none', async () => {
        await addInput(store, PREFIX, 'harbour', OLD);
        await store.delete('scales/harbour/1.json');
        await expect(readInput(store, PREFIX, 'harbour')).rejects.toThrow('scales/harbour/1.json is gone');
    });
});

describe('two who add at once', () => {
    /** Lets both adds go on call by call in the order that `turns` says: 0 and 1 are whose call is next. */
    async function inTurns(turns: readonly number[], documents: readonly [unknown, unknown]): Promise<number[]> {
        const waiting: ((() => void) | undefined)[] = [];
        let onWaiting = (): void => undefined;
        const adds = documents.map((document, who) => {
            const stepwise = stepwiseStore(store, async (_, effect) => {
                await new Promise<void>((go) => {
                    waiting[who] = go;
                    onWaiting();
                });
                return effect();
            });
            return addInput(stepwise, PREFIX, 'harbour', document).then(({ version }) => version);
        });
        const ended = adds.map(() => false);
        adds.forEach(
            (add, who) =>
                void add.finally(() => {
                    ended[who] = true;
                    onWaiting();
                }),
        );
        for (let at = 0; ended.includes(false); at += 1) {
            while (!ended.every((isEnded, who) => isEnded || waiting[who])) {
                await new Promise<void>((resolve) => {
                    onWaiting = resolve;
                });
            }
            const wanted = turns[at] ?? at % 2;
            const who = waiting[wanted] ? wanted : 1 - wanted;
            const go = waiting[who];
            waiting[who] = undefined;
            go?.();
            await new Promise((resolve) => setImmediate(resolve));
        }
        return Promise.all(adds);
    }

    const ORDERS = Array.from({ length: 64 }, (_, order) => Array.from({ length: 6 }, (__, bit) => (order >> bit) & 1));

    test('never make one version of two documents, and the last pointer names the document of its number', async () => {
        for (const turns of ORDERS) {
            store = memoryStore();
            await addInput(store, PREFIX, 'harbour', OLD);
            const versions = await inTurns(turns, [NEW, OTHER]);
            expect(new Set(versions).size).toBe(2);
            for (const [who, version] of versions.entries()) {
                expect(JSON.parse((await textAt(`scales/harbour/${version}.json`)) ?? '')).toEqual([NEW, OTHER][who]);
            }
            expect((await readInput(store, PREFIX, 'harbour'))?.version).toBe(Math.max(...versions));
        }
    });

    test('with the same document end at one that holds', async () => {
        for (const turns of ORDERS) {
            store = memoryStore();
            await inTurns(turns, [NEW, { ...NEW }]);
            expect((await readInput(store, PREFIX, 'harbour'))?.document).toEqual(NEW);
        }
    });
});

describe('who dies while adding', () => {
    test('leaves the input as it was or as it shall be, and the same command once more ends it', async () => {
        for (let dieAt = 0; ; dieAt += 1) {
            store = memoryStore();
            await addInput(store, PREFIX, 'harbour', OLD);
            let calls = 0;
            const dying = stepwiseStore(store, async (_, effect) => {
                calls += 1;
                if (calls > dieAt) {
                    throw new Error('killed');
                }
                return effect();
            });
            const isDone = await addInput(dying, PREFIX, 'harbour', NEW).then(
                () => true,
                () => false,
            );
            expect([OLD, NEW]).toContainEqual((await readInput(store, PREFIX, 'harbour'))?.document);
            expect((await addInput(store, PREFIX, 'harbour', NEW)).version).toBe(2);
            expect(await readInput(store, PREFIX, 'harbour')).toEqual({ version: 2, document: NEW });
            if (isDone) {
                expect(dieAt).toBeGreaterThan(2);
                return;
            }
        }
    });

    test('with another document leaves a version that nobody takes for theirs', async () => {
        await addInput(store, PREFIX, 'harbour', OLD);
        await store.put('scales/harbour/2.json', Buffer.from(JSON.stringify(OTHER)));
        expect(await addInput(store, PREFIX, 'harbour', NEW)).toEqual({ version: 3, isNew: true });
        expect(JSON.parse((await textAt('scales/harbour/2.json')) ?? '')).toEqual(OTHER);
    });
});

describe('one reading', () => {
    const { inputs } = gauges;
    const prefix = inputs?.prefix ?? '';

    test('gets one answer however often it asks, and says what it asked for', async () => {
        await addInput(store, prefix, 'harbour', OLD);
        const reading = openInputs(store, gauges);
        expect(await reading.input('harbour')).toEqual({ version: 1, document: OLD });
        await addInput(store, prefix, 'harbour', NEW);
        expect(await reading.input('harbour')).toEqual({ version: 1, document: OLD });
        expect(await reading.input('away')).toBeUndefined();
        await addInput(store, prefix, 'away', NEW);
        expect(await reading.input('away')).toBeUndefined();
        expect(reading.versions()).toEqual({ away: 0, harbour: 1 });
    });

    test('is repeated with the versions that it had', async () => {
        await addInput(store, prefix, 'harbour', OLD);
        await addInput(store, prefix, 'harbour', NEW);
        await addInput(store, prefix, 'away', NEW);
        const again = openInputsAsRead(store, gauges, { harbour: 1, away: 0 });
        expect([await again.input('harbour'), await again.input('away')]).toEqual([{ version: 1, document: OLD }, undefined]);
    });
});
