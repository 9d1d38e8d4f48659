/** Delta debugging: makes a failing list of anything short, as long as it still fails. A. Zeller, R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002. */

/**
 * The shortest list found for which `stillFails` holds, as it must for `parts`; their order stays. `budget.tries` is how often it may be
 * asked, and is counted down.
 */
export async function minimizeList<T>(
    parts: readonly T[],
    stillFails: (parts: readonly T[]) => Promise<boolean>,
    budget: { tries: number },
): Promise<T[]> {
    let left = [...parts];
    for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
        for (let at = 0; at < left.length && budget.tries > 0; ) {
            const rest = [...left.slice(0, at), ...left.slice(at + size)];
            budget.tries -= 1;
            if (await stillFails(rest)) {
                left = rest;
            } else {
                at += size;
            }
        }
    }
    return left;
}
