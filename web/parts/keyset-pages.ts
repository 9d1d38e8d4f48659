/**
 * Rows a page at a time, however many there are: the server is asked for some pages at once, behind the row that the address names. The next ones are shown without asking
 * again, and where asking costs nothing those behind them are asked for in time.
 */
import { useEffect, useRef } from 'preact/hooks';
import { askServer, pageAddress } from '../ask-server.ts';
import type { Query } from '../screen.ts';
import { useAbout } from '../shell/about-context.ts';
import { type PageState, usePage } from '../use-page.ts';
import { withChoices } from './link.tsx';

type AnyRow = Readonly<Record<string, string>>;

/** An answer of a page of rows; a row's values in `sortedBy` are the place behind it. */
export interface KeysetAnswer<Row = AnyRow> {
    sortedBy: readonly string[];
    rows: readonly Row[];
    next: string | null;
    previous: string | null;
}

/** Rows that are shown, and those that the server is asked for at once. */
const SHOWN_ROWS = 50;
const ASKED_ROWS = 500;

export interface ShownRows<Row> {
    rows: readonly Row[];
    /** Place of the first one among all, from 0; undefined where the address came from elsewhere. */
    offset: number | undefined;
    /** Addresses of the rows behind and before. */
    next: string | undefined;
    previous: string | undefined;
}

/** The address names a place by `after` (or `before`, for a way back). Other parameters say what is asked. */
export interface KeysetPages<T> {
    state: PageState<T>;
    /** What of the answer is shown now. */
    show<Row extends AnyRow>(answer: KeysetAnswer<Row>): ShownRows<Row>;
}

/** An answer, and the place of its first row among all where that is known. */
interface Chunk<T> {
    answer: T & KeysetAnswer;
    offset: number | undefined;
}

interface Memory<T> {
    /** What the chunks answer. */
    asked: string;
    /** Place that the page itself was asked for last. */
    base: string;
    /** Answers by the place that they begin behind. */
    chunks: Map<string, Chunk<T>>;
}

/** Asks `name`, one of the pages with rows, at the place that the address names. */
export function useKeysetPages<T extends object>(
    name: string,
    parameters: Query,
    { path, query }: { path: string; query: URLSearchParams },
): KeysetPages<T> {
    const { isPaid } = useAbout();
    const asked = JSON.stringify([name, parameters]);
    const at = query.get('after') ?? '';
    const before = query.get('before') ?? '';
    const memory = useRef<Memory<T>>({ asked: '', base: '', chunks: new Map() });
    if (memory.current.asked !== asked) {
        memory.current = { asked, base: at, chunks: new Map() };
    }
    const { chunks } = memory.current;
    if (before === '' && findChunk(chunks, at) === undefined) {
        memory.current.base = at;
    }
    const { base } = memory.current;
    const place: Query = before === '' ? { after: base, limit: String(ASKED_ROWS) } : { before, limit: String(SHOWN_ROWS) };
    const asking = usePage<T>(name, { ...parameters, ...place });
    if (before === '' && asking.state === 'ready' && hasRows(asking.data) && chunks.get(base)?.answer !== asking.data) {
        chunks.set(base, { answer: asking.data, offset: base === '' ? 0 : offsetBehind(chunks, base) });
    }
    const after = before === '' ? findChunk(chunks, at) : undefined;
    const chunk = after === undefined ? undefined : chunks.get(after);
    const first = chunk && at !== after ? placeBehind(chunk.answer, at) : 0;

    const ahead = chunk && first >= ASKED_ROWS / 2 && !isPaid ? chunk.answer.next : null;
    useEffect(() => {
        if (ahead === null || chunks.has(ahead)) {
            return;
        }
        const leaving = new AbortController();
        askServer<T>(pageAddress(name, { ...parameters, after: ahead, limit: String(ASKED_ROWS) }), { signal: leaving.signal }).then(
            (answer) => {
                if (hasRows(answer)) {
                    chunks.set(ahead, { answer, offset: offsetBehind(chunks, ahead) });
                }
            },
            // Whoever goes there asks once more, and is told.
            () => undefined,
        );
        return () => leaving.abort();
    }, [asked, ahead]);

    return {
        state: chunk && asking.state === 'ready' ? { ...asking, data: chunk.answer } : asking,
        show<Row extends AnyRow>(answer: KeysetAnswer<Row>): ShownRows<Row> {
            const address = (changes: Query): string => withChoices(path, query, { after: undefined, before: undefined, ...changes });
            if (before !== '') {
                return {
                    rows: answer.rows.slice(0, SHOWN_ROWS),
                    offset: undefined,
                    next: answer.next === null ? undefined : address({ after: answer.next }),
                    previous: answer.previous === null ? address({}) : address({ before: answer.previous }),
                };
            }
            const end = first + SHOWN_ROWS;
            return {
                rows: answer.rows.slice(first, end),
                offset: chunk?.offset === undefined ? undefined : chunk.offset + first,
                next: nextOf(answer, end, address),
                previous: previousOf(answer, { first, after: after ?? at, address, chunks: [...chunks.values()].map((one) => one.answer) }),
            };
        },
    };
}

function hasRows<T extends object>(answer: T): answer is T & KeysetAnswer {
    return 'rows' in answer && 'sortedBy' in answer;
}

/** The chunk whose rows stand behind the place; undefined where none of them has been answered. */
function findChunk<T>(chunks: Memory<T>['chunks'], place: string): string | undefined {
    const isOf = ({ answer }: Chunk<T>): boolean => placeBehind(answer, place) < answer.rows.length;
    return chunks.has(place) ? place : [...chunks].find(([, chunk]) => isOf(chunk))?.[0];
}

/** Place among all rows of the first one behind a chunk that ends there. */
function offsetBehind<T>(chunks: Memory<T>['chunks'], place: string): number | undefined {
    const ahead = [...chunks.values()].find(({ answer }) => answer.next === place);
    return ahead?.offset === undefined ? undefined : ahead.offset + ahead.answer.rows.length;
}

type AddressOf = (changes: Query) => string;

function nextOf(answer: KeysetAnswer, end: number, address: AddressOf): string | undefined {
    if (end < answer.rows.length) {
        return address({ after: cursorOf(answer, end - 1) });
    }
    return answer.next === null ? undefined : address({ after: answer.next });
}

function previousOf(
    answer: KeysetAnswer,
    { first, after, address, chunks }: { first: number; after: string; address: AddressOf; chunks: readonly KeysetAnswer[] },
): string | undefined {
    if (first > SHOWN_ROWS) {
        return address({ after: cursorOf(answer, first - SHOWN_ROWS - 1) });
    }
    if (first > 0) {
        return address({ after });
    }
    const ahead = chunks.find(({ next }) => next === after);
    if (ahead && ahead.rows.length > SHOWN_ROWS) {
        return address({ after: cursorOf(ahead, ahead.rows.length - SHOWN_ROWS - 1) });
    }
    return answer.previous === null ? undefined : address({ before: answer.previous });
}

/** The place behind the row. */
function cursorOf({ sortedBy, rows }: KeysetAnswer, at: number): string {
    return JSON.stringify(sortedBy.map((name) => rows[at]?.[name] ?? ''));
}

/** Place of the first row behind the cursor; that of the end where no row has it. */
function placeBehind(answer: KeysetAnswer, cursor: string): number {
    const found = answer.rows.findIndex((_, at) => cursorOf(answer, at) === cursor);
    return found < 0 ? answer.rows.length : found + 1;
}
