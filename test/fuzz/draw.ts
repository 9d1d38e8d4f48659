/** Choices drawn from a seed: the same seed makes the same choices, on every machine. */

export interface Draw {
    /** A whole number from 0 to below `count`. */
    below(count: number): number;
    pick<T>(list: readonly T[]): T;
    /** True in so many of a hundred cases. */
    percent(share: number): boolean;
    shuffle<T>(list: readonly T[]): T[];
}

/** mulberry32: 32 bits of state are enough for a file. */
export function drawFrom(seed: number): Draw {
    let state = seed | 0;
    const next = (): number => {
        state = (state + 0x6d2b79f5) | 0;
        let mixed = Math.imul(state ^ (state >>> 15), state | 1);
        mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
        return (mixed ^ (mixed >>> 14)) >>> 0;
    };
    // Seeds beside each other must not begin alike.
    next();
    const below = (count: number): number => next() % count;
    return {
        below,
        pick: (list) => list[below(list.length)]!,
        percent: (share) => below(100) < share,
        shuffle(list) {
            const mixed = [...list];
            for (let at = mixed.length - 1; at > 0; at -= 1) {
                const other = below(at + 1);
                [mixed[at], mixed[other]] = [mixed[other]!, mixed[at]!];
            }
            return mixed;
        },
    };
}
