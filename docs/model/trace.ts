/** A history of the model as sentences. */

/** Replacements in this order: sets of versions are numbers in braces, each bit a version. */
const WORDS: [RegExp, string | ((whole: string, set: string) => string)][] = [
    [/live is \{0\}, of bytes nothing/, 'nothing is live'],
    [/live is \{(\d+)\}/, (_, set) => (set === '0' ? 'a version without rows on the day is live' : `${versions(set)} is live`)],
    [/version \{0\}/, 'a version without rows on the day'],
    [/version \{(\d+)\}/, (_, set) => versions(set)],
    [/content 0$/, 'none any more'],
    [/content 1$/, 'none are left'],
    [/content 2$/, 'they close with 1'],
    [/content 3$/, 'they close with what the profile says'],
    [/told 0$/, 'not told'],
    [/told 1$/, 'told'],
    [/\{0\}/, 'nothing'],
    [/\{(\d+)\}/, (_, set) => versions(set)],
];

/** One numbered line for each step that a worker, reconcile or a person does. A version's number is used again once nothing speaks of that version. */
export function inWords(history: readonly string[]): string {
    const lines = history.filter((line) => line !== '' && !line.endsWith('deletes {0}'));
    return lines.map((line, at) => `${String(at + 1).padStart(4)}. ${translated(line)}`).join('\n');
}

function translated(line: string): string {
    return WORDS.reduce((text, [from, to]) => (typeof to === 'string' ? text.replace(from, to) : text.replace(from, to)), line);
}

function versions(set: string): string {
    const numbers = [...Number(set).toString(2)].reverse().flatMap((bit, at) => (bit === '1' ? [String(at + 1)] : []));
    return `${numbers.length > 1 ? 'versions' : 'version'} ${numbers.join(' and ')}`;
}
