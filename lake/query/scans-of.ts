/**
 * Which tables a statement scans, and how often. Trino, inside of Athena, puts views and steps in where they are named: a table is scanned once each time
 * that it is named.
 */
import { tables } from '#lake/kinds';
import { readView, VIEW_NAMES } from './sql-files.ts';

export interface Scans {
    /** Scans of each table of the lake, by its name. */
    tables: ReadonlyMap<string, number>;
    /** Names that are read as relations and are none of the lake's, and steps that read themselves: how much they scan is not known. */
    unknown: ReadonlySet<string>;
}

/** The scans of one statement. Anything may be asked: of what is no SQL the answer is that of the words in it. */
export function scansOf(sql: string): Scans {
    return new Reader(tokensOf(sql)).read();
}

/** Words that stand for themselves, quoted names, and single characters; comments are left out, and texts stand as `''`. */
const TOKEN = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'?|"((?:[^"]|"")*)"?|(\w+)|(\S)/g;

interface Token {
    /** In lower case. */
    text: string;
    isName: boolean;
    isQuoted: boolean;
}

function tokensOf(sql: string): Token[] {
    return [...sql.matchAll(TOKEN)].flatMap(([whole, quoted, word, other]): Token[] => {
        if (quoted !== undefined) {
            return [{ text: quoted.replaceAll('""', '"').toLowerCase(), isName: true, isQuoted: true }];
        }
        if (word !== undefined) {
            return [{ text: word.toLowerCase(), isName: true, isQuoted: false }];
        }
        if (other !== undefined) {
            return [{ text: other, isName: false, isQuoted: false }];
        }
        return whole.startsWith("'") ? [{ text: "''", isName: false, isQuoted: false }] : [];
    });
}

/** Functions whose arguments have a `from` of their own: `extract(day from at)`. */
const WITH_FROM = new Set(['extract', 'trim', 'substring', 'overlay']);

/** Words after which a relation stands. */
const BEFORE_RELATION = new Set(['from', 'join', 'table', 'summarize', 'pivot', 'unpivot']);

/** Words that may stand between those and the relation. */
const BETWEEN = new Set(['lateral', 'only']);

/** Words that end the relations of a `from`, among which a comma brings the next one. */
const AFTER_RELATIONS = new Set([
    ...['where', 'group', 'order', 'having', 'limit', 'offset', 'fetch', 'window', 'qualify', 'union', 'except', 'intersect', 'select'],
]);

/** Words that begin a query; in brackets where a relation may stand, other ones are relations themselves. */
const QUERY_WORDS = new Set(['select', 'with', 'values', 'from', 'table', '(']);

const TABLE_NAMES = new Set(tables.map(({ name }) => name));

const ofViews = new Map<string, Scans>();

/** The scans of a view's select. */
function scansOfView(name: string): Scans {
    const known = ofViews.get(name) ?? scansOf(readView(name));
    ofViews.set(name, known);
    return known;
}

interface Counted {
    tables: Map<string, number>;
    unknown: Set<string>;
}

type Steps = ReadonlyMap<string, Scans>;

class Reader {
    private at = 0;
    private readonly tokens: readonly Token[];

    constructor(tokens: readonly Token[]) {
        this.tokens = tokens;
    }

    read(): Scans {
        const counted: Counted = { tables: new Map(), unknown: new Set() };
        while (this.at < this.tokens.length) {
            // What follows a bracket too many is read as well.
            this.readLevel(counted, { steps: new Map(), isRelation: false, hasOwnFrom: false });
            this.at++;
        }
        return counted;
    }

    /** Reads up to the end of the brackets, or of all. */
    private readLevel(
        counted: Counted,
        { steps: outer, isRelation, hasOwnFrom }: { steps: Steps; isRelation: boolean; hasOwnFrom: boolean },
    ): void {
        let steps = outer;
        let isExpected = isRelation && !QUERY_WORDS.has(this.textAt(0));
        let isAmongRelations = isExpected;
        for (; this.at < this.tokens.length && this.textAt(0) !== ')'; this.at++) {
            const text = this.textAt(0);
            const isWord = this.tokens[this.at]?.isQuoted === false;
            if (text === '(' && isWord) {
                const before = this.textAt(-1);
                this.at++;
                this.readLevel(counted, { steps, isRelation: isExpected, hasOwnFrom: WITH_FROM.has(before) });
                isExpected = false;
            } else if (isExpected && this.tokens[this.at]?.isName && !(isWord && BETWEEN.has(text))) {
                this.readRelation(counted, steps);
                isExpected = false;
            } else if (text === 'with' && isWord && this.isStep(this.textAt(1) === 'recursive' ? 2 : 1)) {
                steps = this.readSteps(steps);
            } else if (isWord && BEFORE_RELATION.has(text) && !(text === 'from' && (hasOwnFrom || this.textAt(-1) === 'distinct'))) {
                [isExpected, isAmongRelations] = [true, true];
            } else if (isWord && AFTER_RELATIONS.has(text)) {
                isAmongRelations = false;
            } else if (text === ',') {
                isExpected = isAmongRelations;
            }
        }
    }

    /** Reads a name, `a.b.c` too, and stands on its last token. A function is no relation. */
    private readRelation(counted: Counted, steps: Steps): void {
        while (this.textAt(1) === '.' && this.tokens[this.at + 2]?.isName) {
            this.at += 2;
        }
        const name = this.textAt(0);
        if (this.textAt(1) === '(') {
            return;
        }
        const step = steps.get(name) ?? (VIEW_NAMES.includes(name) ? scansOfView(name) : undefined);
        if (step !== undefined) {
            addTo(counted, step);
        } else if (TABLE_NAMES.has(name)) {
            counted.tables.set(name, (counted.tables.get(name) ?? 0) + 1);
        } else {
            counted.unknown.add(name);
        }
    }

    /** True if `name as (`, or `name (columns) as (`, stands that many tokens ahead. */
    private isStep(ahead: number): boolean {
        return this.tokens[this.at + ahead]?.isName === true && ['as', '('].includes(this.textAt(ahead + 1));
    }

    /** Reads the steps behind a `with`, and stands on the last bracket of the last one. */
    private readSteps(outer: Steps): Steps {
        const steps = new Map(outer);
        if (this.textAt(1) === 'recursive') {
            this.at++;
        }
        do {
            this.at++;
            const name = this.textAt(0);
            // One that reads itself finds nothing of that name here, so that it is among the unknown ones.
            this.at++;
            if (this.textAt(0) === '(') {
                this.skipBrackets();
            }
            while (this.at < this.tokens.length && this.textAt(0) !== '(') {
                this.at++;
            }
            this.at++;
            const counted: Counted = { tables: new Map(), unknown: new Set() };
            this.readLevel(counted, { steps, isRelation: false, hasOwnFrom: false });
            steps.set(name, counted);
        } while (this.textAt(1) === ',' && this.step());
        return steps;
    }

    private step(): boolean {
        this.at++;
        return true;
    }

    /** Goes behind the brackets that begin here. */
    private skipBrackets(): void {
        let depth = 0;
        do {
            depth += { '(': 1, ')': -1 }[this.textAt(0)] ?? 0;
            this.at++;
        } while (depth > 0 && this.at < this.tokens.length);
    }

    private textAt(ahead: number): string {
        return this.tokens[this.at + ahead]?.text ?? '';
    }
}

function addTo(counted: Counted, { tables: more, unknown }: Scans): void {
    for (const [name, times] of more) {
        counted.tables.set(name, (counted.tables.get(name) ?? 0) + times);
    }
    for (const name of unknown) {
        counted.unknown.add(name);
    }
}
