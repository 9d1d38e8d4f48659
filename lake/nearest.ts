/** What a user may have meant by a name that is not there. */

/**
 * The candidates that take the fewest changes to become the word, the nearest first. A path counts with as many of its last parts as the
 * word has.
 */
export function nearestOf(word: string, candidates: readonly string[], { count = 3 }: { count?: number } = {}): string[] {
    const parts = word.split('/').length;
    return candidates
        .map((candidate) => ({ candidate, edits: countEdits(word, candidate.split('/').slice(-parts).join('/')) }))
        .sort((a, b) => a.edits - b.edits || (a.candidate < b.candidate ? -1 : 1))
        .slice(0, count)
        .map(({ candidate }) => candidate);
}

/** How many characters are to put in, take out or replace (Levenshtein), row by row of the usual table. */
export function countEdits(from: string, to: string): number {
    let before = Array.from({ length: to.length + 1 }, (_, index) => index);
    for (let row = 1; row <= from.length; row++) {
        const current = [row];
        for (let column = 1; column <= to.length; column++) {
            const replaced = (before[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
            current.push(Math.min(replaced, (before[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
        }
        before = current;
    }
    return before[to.length] ?? 0;
}
