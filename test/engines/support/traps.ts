/** What became of a question, held against its exact answer: wrong just as docs/format.md says, or exact. */
import { expect } from '@jest/globals';
import type { LineAnswer, Trap } from './page-lines.ts';

interface Held {
    trap: Trap;
    /** The exact answer, in the order of day and pair. */
    exact: readonly string[];
}

/** Fails unless the answer is wrong in the way of the trap, and only so. */
export function expectTrap({ values = [], error }: LineAnswer, { trap, exact }: Held): void {
    if (trap === 'an error' || trap === 'not there') {
        expect(error).toMatch(trap === 'an error' ? /overflow|out of range/i : /^\w+: .*("day" not found|col\(day\) not found)/);
        return;
    }
    expect(error).toBeUndefined();
    // The rows are equal, whatever their order: readers of several files at once promise none.
    const wrong = trap === 'in any order' ? exact : exact.map((value) => wrongly(BigInt(value), trap));
    expect([...values].sort()).toEqual([...wrong].sort());
    expect(values).not.toEqual(exact);
    expect([...values].sort().join() === [...exact].sort().join()).toBe(trap === 'in any order');
}

/** Fails unless the answer is the exact one; its order counts only where it was asked for. */
export function expectExact({ values = [], error }: LineAnswer, { trap, exact }: Held): void {
    expect(error).toBeUndefined();
    expect(trap === 'in any order' ? values : [...values].sort()).toEqual(trap === 'in any order' ? exact : [...exact].sort());
}

function wrongly(value: bigint, trap: Trap): string {
    return String(trap === 'rounded to a double' ? BigInt(Number(value)) : BigInt.asIntN(64, value));
}
