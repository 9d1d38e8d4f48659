/** Files that an upload does not take, told by what they are: a few lines, however many files there are. */
import { sayCount } from '#cli/draw/quantity';

/** A file that is not taken, and what it is: `a PDF document`, `Zeek dns log`. */
export interface SortedFile {
    shown: string;
    what: string;
}

/** Sorts, and names of one sort, that are told before the rest is counted. */
const MOST_SORTS = 8;
const MOST_NAMES = 3;

/** One line for each sort, with the names of a few files: `2 files (each a PDF document): a.pdf, b.pdf`. */
export function saySorts(files: readonly SortedFile[]): string[] {
    const sorts = sortsOf(files);
    const rest = sorts.slice(MOST_SORTS);
    const lines = sorts.slice(0, MOST_SORTS).map(({ what, shown }) => {
        const names = shown.slice(0, MOST_NAMES).join(', ') + (shown.length > MOST_NAMES ? ` and ${shown.length - MOST_NAMES} more` : '');
        return `${sayCount(shown.length, 'file')} (${shown.length > 1 ? 'each ' : ''}${what}): ${names}`;
    });
    const others = rest.reduce((sum, { shown }) => sum + shown.length, 0);
    return others > 0 ? [...lines, `${sayCount(others, 'file')} of ${sayCount(rest.length, 'other sort')}`] : lines;
}

/** All sorts in one line: `24 files skipped: Zeek dns log (14), Zeek http log (10)`. */
export function saySkipped(files: readonly SortedFile[]): string {
    const sorts = sortsOf(files);
    const told = sorts.slice(0, MOST_SORTS).map(({ what, shown }) => (files.length > 1 ? `${what} (${shown.length})` : what));
    const rest = sorts.length - told.length;
    return `${sayCount(files.length, 'file')} skipped: ${told.join(', ')}${rest > 0 ? ` and ${sayCount(rest, 'more sort')}` : ''}`;
}

/** The files of each sort, the sort with the most of them first. */
function sortsOf(files: readonly SortedFile[]): { what: string; shown: string[] }[] {
    const sorts = new Map<string, string[]>();
    for (const { what, shown } of files) {
        const names = sorts.get(what) ?? [];
        names.push(shown);
        sorts.set(what, names);
    }
    const all = [...sorts].map(([what, shown]) => ({ what, shown }));
    return all.sort((one, other) => other.shown.length - one.shown.length || (one.what < other.what ? -1 : 1));
}
