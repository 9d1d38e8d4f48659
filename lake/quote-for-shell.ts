/** Words of a command line that is shown to be typed again. */

/** The word, quoted where a shell would not take it for one. */
export function quoteForShell(word: string): string {
    if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) {
        return word;
    }
    return /["$`\\!]/.test(word) ? `'${word.replaceAll("'", "'\\''")}'` : `"${word}"`;
}
