/** Which statements are answered: those that read. Every engine has this rule, in these words. */
import { SqlError } from '#lake/errors';

/**
 * Lets a statement pass that reads. @throws SqlError where the first word of the statement, or of what it explains, is none of a statement
 * that reads
 */
export function assertReads(sql: string): void {
    const word = FIRST_WORD.exec(sql)?.[1]?.toLowerCase();
    if (word === undefined) {
        throw new SqlError('There is no statement in it');
    }
    if (!READING_WORDS.includes(word)) {
        throw refusal(word);
    }
    if (word === 'explain') {
        // Checked too: `explain analyze` runs what it explains.
        assertReads(explained(sql));
    }
}

/** The statement that an `explain` explains; any other one as it is. */
export function explained(sql: string): string {
    return sql.replace(EXPLAIN, '');
}

/** The error for a statement that does more than read; `what` is its kind. */
export function refusal(what: string): SqlError {
    return new SqlError(
        `Only statements that read are answered (select, with, from, values, table, describe, show, summarize, explain), and this is ${what.toUpperCase()}. ` +
            'The lake’s figures change only by upload and retract',
    );
}

const READING_WORDS = ['select', 'with', 'from', 'values', 'table', '(', 'describe', 'desc', 'show', 'summarize', 'unpivot', 'explain'];

/** White space and comments. */
const BLANK = '(?:\\s|--[^\\n]*(?:\\n|$)|/\\*[\\s\\S]*?\\*/)*';

/** A word, or the one character that stands there instead. */
const FIRST_WORD = new RegExp(`^${BLANK}(\\w+|(?!--|/\\*)[^\\s;])`);

/** The words of an `explain` and its options. */
const EXPLAIN = new RegExp(
    `^${BLANK}explain\\b${BLANK}(?:analyze\\b${BLANK})?(?:verbose\\b${BLANK})?(?:\\([^()]*\\)${BLANK}(?=\\w))?`,
    'i',
);
