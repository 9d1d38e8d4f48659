/** A table of rows. Its order and page stand in the address, so heads and pages are plain links. */
import type { ComponentChildren } from 'preact';

export interface Column<Row> {
    /** Names the column in the address where it can be sorted by. */
    name: string;
    title: ComponentChildren;
    /** Numbers stand right, below one another. */
    isNumber?: boolean;
    /** True where the table can be sorted by it. */
    isSortable?: boolean;
    cell(row: Row): ComponentChildren;
}

interface TableProps<Row> {
    /** What the table is of, for who does not see it; `isCaptionShown` shows it to all. */
    caption: string;
    isCaptionShown?: boolean;
    columns: readonly Column<Row>[];
    rows: readonly Row[];
    keyOf(row: Row): string;
    /** `packets` is smallest first, `-packets` largest first. */
    sort?: string | undefined;
    /** The address of the same table in another order. */
    sortAddress?(sort: string): string;
    /** Ways to the rows before and behind these. */
    pages?: Pages | undefined;
}

export interface Pages {
    /** Which rows these are: `1 to 50 of 1,234`. */
    label: ComponentChildren;
    previous?: string | undefined;
    next?: string | undefined;
}

export function Table<Row>({ caption, isCaptionShown = false, columns, rows, keyOf, sort, sortAddress, pages }: TableProps<Row>) {
    return (
        <div class="table">
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reached by keyboard */}
            <section class="table-scroll" tabIndex={0} aria-label={caption}>
                <table>
                    <caption class={isCaptionShown ? '' : 'hidden'}>{caption}</caption>
                    <thead>
                        <tr>
                            {columns.map((column) => (
                                <Head key={column.name} column={column} sort={sort} sortAddress={sortAddress} />
                            ))}
                        </tr>
                    </thead>
                    <tbody>
                        {rows.map((row) => (
                            <tr key={keyOf(row)}>
                                {columns.map(({ name, isNumber, cell }) => (
                                    <td key={name} class={isNumber ? 'number' : ''}>
                                        {cell(row)}
                                    </td>
                                ))}
                            </tr>
                        ))}
                    </tbody>
                </table>
            </section>
            {pages && <PageLinks pages={pages} caption={caption} />}
        </div>
    );
}

interface HeadProps<Row> {
    column: Column<Row>;
    sort: string | undefined;
    sortAddress: ((sort: string) => string) | undefined;
}

function Head<Row>({ column: { name, title, isNumber, isSortable }, sort, sortAddress }: HeadProps<Row>) {
    const order = sort === name ? 'ascending' : sort === `-${name}` ? 'descending' : undefined;
    // Figures are looked at largest first, names from their beginning.
    const other = order === undefined ? (isNumber ? `-${name}` : name) : order === 'ascending' ? `-${name}` : name;
    return (
        <th scope="col" class={isNumber ? 'number' : ''} aria-sort={order}>
            {isSortable && sortAddress ? (
                <a class="sort" href={sortAddress(other)}>
                    {title}
                    <span aria-hidden="true">{order === undefined ? '' : order === 'ascending' ? ' ▲' : ' ▼'}</span>
                </a>
            ) : (
                title
            )}
        </th>
    );
}

function PageLinks({ pages: { label, previous, next }, caption }: { pages: Pages; caption: string }) {
    return (
        <nav class="pages" aria-label={`Pages of: ${caption}`}>
            {previous === undefined ? <span class="off">‹ Previous</span> : <a href={previous}>‹ Previous</a>}
            <span>{label}</span>
            {next === undefined ? <span class="off">Next ›</span> : <a href={next}>Next ›</a>}
        </nav>
    );
}
