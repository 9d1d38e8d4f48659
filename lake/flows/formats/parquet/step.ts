/** The next rows of a row group: what stands in them, as text, and as the fast path takes it. */
import type { FlowPlace } from '../../flow-sink.ts';
import { normalize, ROLES } from '../dialects/dialect.ts';
import type { Header } from '../header.ts';
import { type Page, type ReadColumn, storedAt } from './pages.ts';
import { type ColumnType, clockOf, instantOfStored, jsonOfStored, type Stored, textOfStored } from './values.ts';

/** A column on its way through a row group. */
export interface Cursor {
    column: ReadColumn;
    pages: AsyncGenerator<Page>;
    page: Page;
    /** Row of the page that is next. */
    at: number;
}

/** What is made of the stored values of a needed column for the fast path; made once for each value of a dictionary. */
export interface Made<T> {
    /** What stands for a value that is to be taken with care. */
    ofNull: T;
    make: (stored: Exclude<Stored, null>) => T;
}

/** Stands before the first page. */
export const NO_PAGE: Page = { rowCount: 0, values: [], index: undefined, isDictionary: false };

export interface MadeColumn<T> {
    /** What is made of the next rows; overwritten by the next call. */
    rows(count: number): readonly T[];
}

/** Brings the cursor to a page that has a row left; there is one. */
export async function advance(cursor: Cursor): Promise<void> {
    while (cursor.at === cursor.page.rowCount) {
        const next = await cursor.pages.next();
        if (next.done) {
            throw new TypeError('pages end before their row group');
        }
        cursor.page = next.value;
        cursor.at = 0;
    }
}

/** The next rows of a row group, column by column; columns are named by their places in the file. */
export class Step {
    readonly #cursors: ReadonlyMap<number, Cursor>;
    readonly #header: Header;

    constructor(cursors: ReadonlyMap<number, Cursor>, header: Header) {
        this.#cursors = cursors;
        this.#header = header;
    }

    #stored(at: number, row: number): { stored: Stored; type: ColumnType } {
        const cursor = this.#cursors.get(at);
        return cursor
            ? { stored: storedAt(cursor.page, cursor.at + row), type: cursor.column.type }
            : { stored: null, type: { is: 'text' } };
    }

    /** The value as text, trimmed; empty where the row has none, or the file has no such column. */
    text(at: number, row: number): string {
        const { stored, type } = this.#stored(at, row);
        return textOfStored(stored, type);
    }

    /** The value as text, and an instant as its clock shows it, as tools that write text do. */
    shown(at: number, row: number): string {
        const instant = this.instant(at, row);
        return instant === undefined ? this.text(at, row) : clockOf(instant);
    }

    /** True if the column is stored as text. */
    isText(at: number): boolean {
        return this.#cursors.get(at)?.column.type.is === 'text';
    }

    /** The instant in a column of instants. */
    instant(at: number, row: number): bigint | undefined {
        const { stored, type } = this.#stored(at, row);
        const isInstant = type.is === 'instant' && (typeof stored === 'bigint' || typeof stored === 'number');
        return isInstant ? instantOfStored(stored, type.unit) : undefined;
    }

    /** True if the needed cells are the names of their columns: a header that was taken for a row by whoever made the file. */
    isHeader(row: number): boolean {
        const { columns, names } = this.#header;
        return ROLES.every((role) => normalize(this.text(columns[role], row)) === normalize(names[columns[role]] ?? ''));
    }

    /** The row for a person to look at: the columns that are read, as JSON. */
    json(row: number): string {
        const cells = [...this.#cursors].map(([at, { column }]) => {
            const { stored, type } = this.#stored(at, row);
            return `${JSON.stringify(column.name)}:${jsonOfStored(stored, type)}`;
        });
        return `{${cells.join(',')}}`;
    }

    made<T>(at: number, { ofNull, make }: Made<T>): MadeColumn<T> {
        const cursor = this.#cursors.get(at);
        const rows: T[] = [];
        let dictionary: ArrayLike<Stored> | undefined;
        let ofDictionary: T[] = [];
        return {
            rows(count) {
                const { page = NO_PAGE, at: from = 0 } = cursor ?? {};
                const { values, index } = page;
                if (page.isDictionary && dictionary !== values) {
                    dictionary = values;
                    ofDictionary = Array.from(values, (value) => (value === null ? ofNull : make(value)));
                }
                for (let row = 0; row < count; row += 1) {
                    const place = index ? (index[from + row] as number) : from + row;
                    if (place < 0) {
                        rows[row] = ofNull;
                    } else if (page.isDictionary) {
                        rows[row] = ofDictionary[place] as T;
                    } else {
                        const value = values[place] as Stored;
                        rows[row] = value === null ? ofNull : make(value);
                    }
                }
                return rows;
            },
        };
    }
}

/** The place of a row: its number, and its text once somebody asks for it. */
export class RowPlace implements FlowPlace {
    readonly lineNumber: number;
    readonly start = 0;
    readonly #write: () => string;
    #bytes: Buffer | undefined;

    constructor(lineNumber: number, write: () => string) {
        this.lineNumber = lineNumber;
        this.#write = write;
    }

    get bytes(): Buffer {
        this.#bytes ??= Buffer.from(this.#write());
        return this.#bytes;
    }

    get end(): number {
        return this.bytes.length;
    }
}
