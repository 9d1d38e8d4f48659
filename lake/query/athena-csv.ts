/**
 * The CSV files that Athena writes its results to: every value in quotes, a quote in it doubled, null as an empty field without quotes
 * (https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html). Read with less than a whole file in memory.
 */

/** A row's fields; the empty text is not null. */
export type CsvRow = (string | null)[];

/** The rows of the file in batches, its header being the first. @throws Error where the file ends inside of a value */
export async function* readAthenaCsv(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<CsvRow[]> {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    let rest = '';
    for await (const chunk of bytes) {
        const { rows, end, text } = takeRows(rest + decoder.decode(chunk, { stream: true }));
        rest = text.slice(end);
        if (rows.length > 0) {
            yield rows;
        }
    }
    const last = rest + decoder.decode();
    if (last === '') {
        return;
    }
    const { rows, end, text } = takeRows(`${last}\n`);
    if (end < text.length) {
        throw new Error(`The file ends inside of a value: ${text.slice(end, end + 60)}`);
    }
    yield rows;
}

/** The rows that are whole, and where the first one begins that is not. */
function takeRows(text: string): { rows: CsvRow[]; end: number; text: string } {
    const rows: CsvRow[] = [];
    let row: CsvRow = [];
    let end = 0;
    let at = 0;
    for (;;) {
        const field = takeField(text, at);
        if (field === undefined) {
            return { rows, end, text };
        }
        row.push(field.value);
        at = field.end + 1;
        if (text[field.end] === '\n') {
            rows.push(row);
            row = [];
            end = at;
        }
    }
}

/**
 * The field that begins at `start` and the place of the comma or line feed behind it; undefined where it is not there yet. A quote that
 * is the text's last character may be half of a doubled one: then the row is not whole either, and will be read anew.
 */
function takeField(text: string, start: number): { value: string | null; end: number } | undefined {
    if (text[start] !== '"') {
        const end = firstOf(text, start);
        return end === undefined ? undefined : { value: end === start ? null : text.slice(start, end), end };
    }
    for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 2)) {
        if (text[at + 1] !== '"') {
            return { value: text.slice(start + 1, at).replaceAll('""', '"'), end: at + 1 };
        }
    }
    return undefined;
}

/** Place of the next comma or line feed. */
function firstOf(text: string, start: number): number | undefined {
    for (let at = start; at < text.length; at += 1) {
        if (text[at] === ',' || text[at] === '\n') {
            return at;
        }
    }
    return undefined;
}
