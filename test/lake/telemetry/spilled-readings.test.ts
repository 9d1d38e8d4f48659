/** Readings that do not fit memory: what a source comes to is the same to the last figure. */
import { describe, expect, it } from '@jest/globals';
import { Fingerprint, fingerprintOf } from '#lake/commit/fingerprint';
import type { ReadOutcome } from '#lake/kind';
import { readTelemetry } from '#lake/telemetry/read';
import { readingSummaries } from '#lake/telemetry/tables';
import { type MemoryScratch, memoryScratch } from '#test/support/memory-scratch';
import { type ReadBytes, type ReadBytesOptions, rowsOf, sourceOf } from './support.ts';

const meter = {
    name: 'meter',
    device: { path: 'id' },
    time: [{ path: 't', unit: 's' }, 'arrival'],
    identity: [{ path: 'seq' }, { path: 't' }],
    metrics: [
        { name: 'power', path: 'p', unit: 'W', digits: 9, max: 1_000_000, statistics: false },
        { name: 'state', path: 's', kind: 'text' },
    ],
};
const options: ReadBytesOptions = { profiles: { meter }, profile: 'meter' };
const plain: ReadBytesOptions = { ...options, profiles: { meter: { ...meter, identity: undefined } } };
const SECOND = 1_767_607_200;
const HOURS = 5;

/** Messages of some hours, not in the order of time: with repeats far behind, texts, large and negative numbers, and rejects in between. */
function messages(): string {
    const lines = Array.from({ length: 400 }, (_, at) => {
        const value = at % 50 === 0 ? '2000000' : at % 17 === 0 ? `-${at}.000000001` : at % 11 === 0 ? `${at * 2 ** 40}.5` : `${at}.25`;
        const state = at % 7 === 0 ? `,"s":"state ${at % 21}"` : '';
        const payload = `{"id":"m${at % 13}","t":${SECOND + ((at * 577) % (HOURS * 3600))},"seq":"${at % 5 === 0 ? 'a:b' : at}","p":${value}${state}}`;
        return at % 90 === 0 ? '{"id":' : payload;
    });
    return [...lines, ...lines.slice(100, 300), ...lines.toReversed()].join('\n');
}

interface Read extends ReadBytes {
    scratches: MemoryScratch[];
}

async function read(text: string, how: ReadBytesOptions, mostHeld: number): Promise<Read> {
    const scratches: MemoryScratch[] = [];
    const rejects: ReadBytes['rejects'] = [];
    const openScratch = (): MemoryScratch => {
        const scratch = memoryScratch();
        scratches.push(scratch);
        return scratch;
    };
    const source = { ...sourceOf(Buffer.from(text), how, rejects), openScratch };
    const outcome = await readTelemetry(source, { profile: 'meter' }, { mostHeld });
    return { outcome, rejects, scratches };
}

function periodsOf(outcome: ReadOutcome) {
    if (!outcome.ok) {
        throw new Error(outcome.error);
    }
    return outcome.periods;
}

describe('readings that do not fit memory', () => {
    it.each([
        ['by the identities that the profile names', options],
        ['by the hash of the payload', plain],
    ])('come to the same rows, rejects and facts, messages known %s', async (_, how) => {
        const whole = await read(messages(), how, Number.POSITIVE_INFINITY);
        expect(whole.scratches).toEqual([]);
        expect(whole.outcome).toMatchObject({ ok: true, rowsRead: 1000 });
        expect([...periodsOf(whole.outcome).keys()]).toHaveLength(HOURS);
        expect(rowsOf(whole.outcome).some(({ copies }) => Number(copies) > 2)).toBe(true);
        for (const mostHeld of [1, 10, 333]) {
            const parts = await read(messages(), how, mostHeld);
            expect(parts.scratches).toHaveLength(1);
            expect(parts.scratches[0]?.sizeBytes).toBeGreaterThan(0);
            expect(rowsOf(parts.outcome)).toEqual(rowsOf(whole.outcome));
            expect(parts.rejects).toEqual(whole.rejects);
            expect({ ...parts.outcome, periods: undefined }).toEqual({ ...whole.outcome, periods: undefined });
            const prints = [parts, whole].map(({ outcome }) => fingerprintOf(readingSummaries, periodsOf(outcome)));
            expect(prints[0]).toBe(prints[1]);
            expect(prints[0]).not.toBe(new Fingerprint(readingSummaries).end());
        }
    });

    it('are let go of once they are closed, and where the source turns out to be of no use', async () => {
        const { outcome, scratches } = await read(messages(), options, 10);
        const periods = periodsOf(outcome);
        expect(scratches[0]?.isClosed).toBe(false);
        periods.close?.();
        periods.close?.();
        expect(scratches[0]?.isClosed).toBe(true);
        expect(() => periods.get([...periods.keys()][0] ?? '')).toThrow('closed');
        const cut = await read(`[${messages().split('\n').slice(1, 80).join()}`, options, 10);
        expect(cut.outcome).toMatchObject({ ok: false, error: expect.stringContaining('does not end') });
        expect(cut.scratches.map(({ isClosed }) => isClosed)).toEqual([true]);
    });

    it('cannot be asked for after they were closed where all fitted memory, too', async () => {
        const periods = periodsOf((await read(messages(), options, Number.POSITIVE_INFINITY)).outcome);
        expect(periods.get('1970-01-01T00')).toBeUndefined();
        periods.close?.();
        expect(() => periods.get([...periods.keys()][0] ?? '')).toThrow('closed');
    });
});
