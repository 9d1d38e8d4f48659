/** One input of the fuzzer: bytes, how they are asked to be read, and in what pieces they arrive. All of it follows from one seed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ParquetTable, writeParquet } from '#test/support/parquet-file';
import { type Draw, drawFrom } from './draw.ts';
import { makeFile, pack } from './grammar.ts';
import { mutate } from './mutate.ts';
import { makeParquetTable } from './parquet-grammar.ts';
import { isParquet } from './plain-parquet.ts';
import type { PlainOptions } from './plain-reader.ts';

export interface FuzzInput {
    seed: number;
    bytes: Buffer;
    options: PlainOptions;
    /** Lengths of the pieces in which the first reader gets the bytes, in turn. */
    pieces: number[];
    /** What is written in a file of Parquet that is whole. */
    table?: ParquetTable;
    /** True for Parquet of which bytes were changed: each reader may refuse it, or find other values. */
    isDamaged?: boolean;
}

/** Golden files that are larger make the fuzzer slow, and are read by the golden tests. */
const MAX_FIXTURE_BYTES = 20_000;

/** The inputs of all golden cases, to be changed. */
export function readFixtures(): Buffer[] {
    const folder = new URL('../fixtures/flows/', import.meta.url).pathname;
    return readdirSync(folder)
        .flatMap((name) => readdirSync(join(folder, name)).map((file) => join(folder, name, file)))
        .filter((path) => path.includes('/input.'))
        .sort()
        .map((path) => readFileSync(path))
        .filter((bytes) => bytes.length <= MAX_FIXTURE_BYTES);
}

/** The input with this seed. */
export function makeInput(seed: number, fixtures: readonly Buffer[]): FuzzInput {
    const draw = drawFrom(seed);
    const made = draw.percent(PARQUET_SHARE)
        ? makeParquet(draw, fixtures.filter(isParquet))
        : {
              bytes: makeText(
                  draw,
                  fixtures.filter((bytes) => !isParquet(bytes)),
              ),
          };
    // Parquet is read by its places, and the second reader copies it piece by piece.
    const pieces = isParquet(made.bytes) ? [1 << 16] : makePieces(draw);
    return { seed, ...made, options: makeOptions(draw), pieces };
}

/** Files of Parquet in a hundred. */
const PARQUET_SHARE = 10;

function makeText(draw: Draw, fixtures: readonly Buffer[]): Buffer {
    let bytes = draw.percent(75) ? makeFile(draw) : draw.pick(fixtures);
    if (draw.percent(40)) {
        bytes = mutate(draw, bytes, draw.percent(50) ? draw.pick(fixtures) : makeFile(draw));
    }
    if (draw.percent(10)) {
        bytes = pack(draw, bytes);
        bytes = draw.percent(20) ? mutate(draw, bytes, draw.pick(fixtures)) : bytes;
    }
    return bytes;
}

/** A file of Parquet: whole, cut, with other bytes in it, or packed once more. */
function makeParquet(draw: Draw, fixtures: readonly Buffer[]): Pick<FuzzInput, 'bytes' | 'table' | 'isDamaged'> {
    const table = makeParquetTable(draw);
    const bytes = draw.percent(95) ? writeParquet(table) : draw.pick(fixtures);
    switch (draw.below(12)) {
        case 0:
            return { bytes: bytes.subarray(0, draw.below(bytes.length)) };
        case 1:
            return { bytes: mutate(draw, bytes, draw.pick(fixtures)), isDamaged: true };
        case 2:
            return {
                bytes: draw.percent(50)
                    ? pack(draw, bytes)
                    : Buffer.concat([bytes, draw.pick([bytes, Buffer.from('\n'), Buffer.alloc(3)])]),
            };
        default:
            return { bytes, table };
    }
}

function makeOptions(draw: Draw): PlainOptions {
    return {
        ...(draw.percent(15) && { dateOrder: draw.pick(['dmy', 'mdy', 'ymd'] as const) }),
        ...(draw.percent(15) && { durationUnit: draw.pick(['us', 's', 's', 'ms', 'ns'] as const) }),
    };
}

function makePieces(draw: Draw): number[] {
    const longest = draw.pick([1, 3, 20, 100, 5000, 1 << 20]);
    return Array.from({ length: 1 + draw.below(6) }, () => 1 + draw.below(longest));
}
