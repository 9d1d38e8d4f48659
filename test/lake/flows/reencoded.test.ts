/** A file of flows that was packed, cut, ordered or put together otherwise gives the same figures, or the answer says why not. */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { cut } from '#test/support/bytes';
import { add, type Figures, type Flow, file, read, TABLES } from '#test/support/made-up-flows';

const RUNS = 120;

function dialectOf({ tool }: { tool: string }): string | undefined {
    return tool.split(' ')[0];
}

interface Text {
    columns: readonly string[];
    rows: readonly (readonly string[])[];
    separator: string;
}

function textOf({ tool, flows }: { tool: string; flows: readonly Flow[] }): Text {
    const { columns, row, separator } = TABLES[tool]!;
    return { columns, separator, rows: flows.map(row) };
}

function bytesOf({ columns, rows, separator }: Text, lineEnd = '\n'): Buffer {
    return Buffer.from([columns, ...rows].map((cells) => cells.join(separator) + lineEnd).join(''));
}

/** The columns in another order, by numbers that say where each goes. */
function permuted({ columns, rows, separator }: Text, keys: readonly number[]): Text {
    const order = columns.map((_, at) => at).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b);
    const inOrder = (cells: readonly string[]): string[] => order.map((at) => cells[at] ?? '');
    return { columns: inOrder(columns), rows: rows.map(inOrder), separator };
}

const REENCODED: Readonly<Record<string, (text: Text, keys: readonly number[]) => Uint8Array>> = {
    'in gzip': (text) => gzipSync(bytesOf(text)),
    'in gzip of several members': (text) => Buffer.concat([...cut(bytesOf(text), [37])].map((part) => gzipSync(part))),
    'in zstd': (text) => zstdCompressSync(bytesOf(text)),
    'with CRLF': (text) => bytesOf(text, '\r\n'),
    'with CR alone': (text) => bytesOf(text, '\r'),
    'without its last line end': (text) => bytesOf(text).subarray(0, -1),
    'with a byte order mark': (text) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytesOf(text)]),
    'in quotes': ({ columns, rows, separator }) => {
        const quoted = (cells: readonly string[]): string[] => cells.map((cell) => `"${cell}"`);
        return bytesOf({ columns: quoted(columns), rows: rows.map(quoted), separator });
    },
    'under another separator': ({ columns, rows }) => bytesOf({ columns, rows, separator: '\t' }),
    'with its columns in another order': (text, keys) => bytesOf(permuted(text, keys)),
    'with its rows in another order': (text, keys) => {
        const rows = text.rows.map((row, at) => ({ row, key: keys[at % keys.length] ?? 0 })).sort((a, b) => a.key - b.key);
        return bytesOf({ ...text, rows: rows.map(({ row }) => row) });
    },
    'with its header after each row': ({ columns, rows, separator }) =>
        bytesOf({ columns, rows: rows.flatMap((row) => [row, columns]), separator }),
    'with rows of separators only': ({ columns, rows, separator }) => {
        const blank = columns.map(() => '');
        return bytesOf({ columns, rows: rows.flatMap((row) => [row, blank]), separator });
    },
};

const keys = fc.array(fc.nat({ max: 1000 }), { minLength: 8, maxLength: 8 });

test.each(Object.entries(REENCODED))('a file %s gives the same figures', async (_, reencode) => {
    await fc.assert(
        fc.asyncProperty(file, keys, async (made, order) => {
            const text = textOf(made);
            const figures = await read(bytesOf(text));
            expect(typeof figures).toBe('object');
            expect(await read(reencode(text, order))).toEqual(figures);
        }),
        { numRuns: RUNS },
    );
});

test('a file that is split gives figures that add up to its own', async () => {
    await fc.assert(
        fc.asyncProperty(file, fc.nat({ max: 40 }), async (made, at) => {
            const text = textOf(made);
            const whole = await read(bytesOf(text));
            const parts = [text.rows.slice(0, at), text.rows.slice(at)].map((rows) => bytesOf({ ...text, rows }));
            const [one, other] = await Promise.all(parts.map((part) => read(part)));
            expect([typeof one, typeof other]).toEqual(['object', 'object']);
            expect(add(one as Figures, other as Figures)).toEqual(whole);
        }),
        { numRuns: RUNS },
    );
});

test('a file behind itself gives its figures twice, also with its columns in another order', async () => {
    await fc.assert(
        fc.asyncProperty(file, keys, async (made, order) => {
            const text = textOf(made);
            const figures = await read(bytesOf(text));
            const twice = typeof figures === 'string' ? figures : add(figures, figures);
            expect(await read(Buffer.concat([bytesOf(text), bytesOf(text)]))).toEqual(twice);
            expect(await read(Buffer.concat([bytesOf(text), bytesOf(permuted(text, order))]))).toEqual(twice);
        }),
        { numRuns: RUNS },
    );
});

test('a file behind one of another tool is refused, and the answer says at which line to split it', async () => {
    await fc.assert(
        fc.asyncProperty(file, file, async (one, other) => {
            fc.pre(dialectOf(one) !== dialectOf(other) && TABLES[one.tool]!.separator === TABLES[other.tool]!.separator);
            const bytes = Buffer.concat([bytesOf(textOf(one)), bytesOf(textOf(other))]);
            expect(await read(bytes)).toMatch(
                new RegExp(`^line ${one.flows.length + 2} is the header of another tool .* split the file there$`),
            );
        }),
        { numRuns: RUNS },
    );
});
