/** Files that are as bad as a file can be: what they hold, what must come of them, and how much memory the program may take for it. */
import * as zlib from 'node:zlib';

export interface ExtremeFile {
    name: string;
    /** The bytes, made while they are asked for. */
    bytes: () => Iterable<Uint8Array>;
    /** What the upload must say: `error` of a file that is of no use, or its counts. */
    expected: { state: 'failed'; error: RegExp } | { state: 'done' | 'empty'; rows_kept: number; rows_rejected: number };
    /** True if `npm test` has the time for it. */
    isSmall?: boolean;
}

const KIB = 1 << 10;
const MIB = 1 << 20;

const HEADER = 'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts,Label\n';
const ROW = '192.0.2.1,198.51.100.1,31/03/2026 10:00:00 AM,100,3,x\n';

/** A byte or a short text over and over; the last piece is cut. */
function* repeated(text: string, lengthBytes: number): Generator<Uint8Array> {
    const piece = Buffer.from(text.repeat(Math.ceil(MIB / text.length)), 'latin1');
    for (let left = lengthBytes; left > 0; left -= piece.length) {
        yield piece.subarray(0, left);
    }
}

function* several(...parts: (string | Iterable<Uint8Array>)[]): Generator<Uint8Array> {
    for (const part of parts) {
        yield* typeof part === 'string' ? [Buffer.from(part, 'latin1')] : part;
    }
}

/** A gzip file that unpacks to `text`, and then to so many bytes of one kind. */
function* gzipBomb(text: string, byte: string, lengthBytes: number): Generator<Uint8Array> {
    const member = zlib.gzipSync(Buffer.alloc(64 * MIB, byte, 'latin1'));
    yield zlib.gzipSync(text);
    for (let left = lengthBytes; left > 0; left -= 64 * MIB) {
        yield member;
    }
}

/** One zstd frame of blocks that say "this byte, 128 KiB of it" in four bytes (RFC 8878, 3.1.1.2). */
function* zstdBomb(byte: string, lengthBytes: number): Generator<Uint8Array> {
    yield Buffer.from([...ZSTD_MAGIC, 0x00, windowOf(20)]);
    const block = Buffer.from([...blockHeader({ kind: 1, sizeBytes: 128 * KIB, isLast: false }), byte.charCodeAt(0)]);
    for (let left = lengthBytes; left > 0; left -= 128 * KIB) {
        yield block;
    }
    yield Buffer.from(blockHeader({ kind: 0, sizeBytes: 0, isLast: true }));
}

const ZSTD_MAGIC = [0x28, 0xb5, 0x2f, 0xfd];

/** The byte for a window of two to the power of `log` bytes. */
function windowOf(log: number): number {
    return (log - 10) << 3;
}

function blockHeader({ kind, sizeBytes, isLast }: { kind: 0 | 1; sizeBytes: number; isLast: boolean }): number[] {
    const header = (sizeBytes << 3) | (kind << 1) | (isLast ? 1 : 0);
    return [header & 255, (header >> 8) & 255, header >> 16];
}

/** A header and rows with so many more columns in front of the needed ones. */
function* wideFile(columns: number): Generator<Uint8Array> {
    const others = (name: string): string => Array.from({ length: columns }, (_, at) => `${name}${at},`).join('');
    yield* several(others('c'), HEADER, others(''), ROW);
}

const tooLong = /a row is longer than 16 MiB .*no file of flows/;
const noHeader = /no usable header/;

export const EXTREME_FILES: readonly ExtremeFile[] = [
    {
        name: 'bomb.csv.gz: 4 GiB of one letter',
        bytes: () => gzipBomb('', 'x', 4096 * MIB),
        expected: { state: 'failed', error: /a line that does not end in the first 1 MiB/ },
        isSmall: true,
    },
    {
        name: 'bomb.csv.gz: a header and a line of 4 GiB',
        bytes: () => gzipBomb(HEADER, 'x', 4096 * MIB),
        expected: { state: 'failed', error: tooLong },
        isSmall: true,
    },
    {
        name: 'bomb.csv.zst: 4 GiB of one letter in one frame',
        bytes: () => zstdBomb('x', 4096 * MIB),
        expected: { state: 'failed', error: noHeader },
        isSmall: true,
    },
    {
        name: 'window.csv.zst: a frame that wants a window of 2 GiB',
        bytes: () => [Buffer.from([...ZSTD_MAGIC, 0x00, windowOf(31), ...blockHeader({ kind: 0, sizeBytes: 1, isLast: true }), 0x78])],
        expected: { state: 'failed', error: /zstd data is damaged.*(memory|window)/i },
        isSmall: true,
    },
    {
        name: 'checksum.csv.zst: a frame whose checksum is wrong',
        bytes: () => [flipLast(zlib.zstdCompressSync(HEADER + ROW, { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } }))],
        expected: { state: 'failed', error: /zstd data is damaged.*checksum/i },
        isSmall: true,
    },
    {
        name: 'cut.csv.gz: cut in the middle',
        bytes: () => [zlib.gzipSync(Buffer.concat([...several(HEADER, noiseRows(20_000))])).subarray(0, 100_000)],
        expected: { state: 'failed', error: /gzip data is damaged or ends too early/ },
        isSmall: true,
    },
    {
        name: 'garbage.csv.gz: something else behind its end',
        bytes: () => several([zlib.gzipSync(HEADER + ROW)], ROW),
        expected: { state: 'failed', error: /gzip data is damaged/ },
        isSmall: true,
    },
    {
        name: 'nul.csv: 8 MiB of NUL bytes',
        bytes: () => repeated('\0', 8 * MIB),
        expected: { state: 'failed', error: /binary data/ },
        isSmall: true,
    },
    {
        name: 'quotes.csv: 8 MiB of quotes',
        bytes: () => repeated('"', 8 * MIB),
        expected: { state: 'failed', error: noHeader },
        isSmall: true,
    },
    {
        name: 'quoted-header.csv: a quote opens in front of the header and 8 MiB of rows',
        bytes: () => several('"', HEADER, repeated(ROW, 8 * MIB)),
        expected: { state: 'failed', error: noHeader },
        isSmall: true,
    },
    {
        name: 'columns.csv: a header of a million columns',
        bytes: () => wideFile(1_000_000),
        expected: { state: 'failed', error: /a line that does not end in the first 1 MiB/ },
        isSmall: true,
    },
    {
        name: 'columns.csv: a header of a hundred thousand columns',
        bytes: () => wideFile(100_000),
        expected: { state: 'done', rows_kept: 1, rows_rejected: 0 },
        isSmall: true,
    },
    {
        name: 'fields.csv: a row of a million fields',
        bytes: () => several(HEADER, ROW.trim(), repeated(',y', 2_000_000), '\n', ROW, repeated('y,', 2_000_000), '\n'),
        expected: { state: 'done', rows_kept: 1, rows_rejected: 2 },
        isSmall: true,
    },
    {
        name: 'digits.csv: numbers, addresses and dates of a million characters',
        bytes: () =>
            several(
                HEADER,
                ...[0, 1, 2, 3, 4].flatMap((long) =>
                    ROW.split(',').flatMap((cell, at) => [at === 0 ? '' : ',', ...(at === long ? [repeated('1', 1_000_000)] : []), cell]),
                ),
            ),
        expected: { state: 'empty', rows_kept: 0, rows_rejected: 5 },
        isSmall: true,
    },
    {
        name: 'encodings.csv: UTF-8, Big5, Latin-1, UTF-16 and escape sequences in one file',
        bytes: () =>
            several(
                HEADER,
                ROW.replace('AM', '\xe4\xb8\x8a\xe5\x8d\x88'),
                ROW.replace('AM', '\xa4W\xa4\xc8'),
                ROW.replace('x', 'Z\xfcrich \x1b[31m'),
                [Buffer.from(ROW, 'utf16le')],
                '\n',
                ROW,
            ),
        // The LF of the row in UTF-16 ends a line, and the NUL behind it is one of its own.
        expected: { state: 'done', rows_kept: 4, rows_rejected: 2 },
        isSmall: true,
    },
    {
        name: 'chain.csv: a row of open quotes over 5 MB that comes to nothing',
        bytes: () => several(HEADER, repeated('x","\n', 5_000_000), '"y\n'),
        expected: { state: 'empty', rows_kept: 0, rows_rejected: 1_000_001 },
    },
    {
        name: 'line.csv: a line of 2 GiB',
        bytes: () => several(HEADER, repeated('x', 2048 * MIB), '\n', ROW),
        expected: { state: 'failed', error: tooLong },
    },
    {
        name: 'open-quote.csv: a quote opens in front of 1 GiB of rows',
        bytes: () => several(HEADER, '"', repeated(ROW, 20_000_000 * ROW.length)),
        expected: { state: 'done', rows_kept: 19_999_999, rows_rejected: 1 },
    },
    {
        name: 'lone-quotes.csv: 8 MiB of lines that are one quote',
        bytes: () => several(HEADER, repeated('"\n', 8 * MIB)),
        expected: { state: 'empty', rows_kept: 0, rows_rejected: 2 * MIB },
    },
    {
        name: 'newlines.csv.gz: 4 GiB of line ends',
        bytes: () => gzipBomb('', '\n', 4096 * MIB),
        expected: { state: 'failed', error: /nothing but blanks and line ends in the first 1 MiB/ },
    },
    {
        name: 'newlines.csv.gz: a header, a row and 2 GiB of line ends',
        bytes: () => gzipBomb(HEADER + ROW, '\n', 2048 * MIB),
        expected: { state: 'done', rows_kept: 1, rows_rejected: 0 },
    },
    {
        name: 'rejects.csv: 8 MiB of lines of one letter',
        bytes: () => several(HEADER, repeated('x\n', 8 * MIB)),
        expected: { state: 'empty', rows_kept: 0, rows_rejected: 4 * MIB },
    },
];

/** Rows that do not pack well, so that half of the file is in the middle of them. */
function* noiseRows(count: number): Generator<Uint8Array> {
    let state = 1;
    for (let row = 0; row < count; row += 1) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        yield Buffer.from(ROW.replace(',100,', `,${state},`).replace('x', state.toString(36)));
    }
}

function flipLast(bytes: Buffer): Buffer {
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    return flipped;
}
