/** What is wrong with an object of a table as a file, whatever its figures. */
import type { TablePeriod } from '#lake/layout';
import type { MergedTable } from '#lake/tables';
import type { Engine } from './engine.ts';
import type { Difference } from './findings.ts';
import { findLyingStatistics, loadRows, type ParquetFile, UNSORTED, type WrongType } from './parquet-rows.ts';

export interface FileFaults {
    /** Why it cannot be read whole, and in what else its bytes are not as they should be. */
    damaged: readonly string[];
    wrongTypes: readonly WrongType[];
}

/** Makes table `name` of the files as `loadRows` does. @returns what is wrong with files, by their keys, and the files that could be read whole */
export async function loadSound(
    engine: Engine,
    name: string,
    { table, files, signal }: { table: MergedTable; files: readonly ParquetFile[]; signal: AbortSignal | undefined },
): Promise<{ faults: ReadonlyMap<string, FileFaults>; sound: readonly ParquetFile[] }> {
    const { damaged, wrongTypes, unsorted } = await loadRows(engine, name, { table, files });
    // After an abort nothing that was loaded is true.
    signal?.throwIfAborted();
    const sound = files.filter(({ key }) => !damaged.has(key));
    const lying = await findLyingStatistics(engine, name, { table, files: sound });
    const faults = files.map(({ key }): [string, FileFaults] => {
        const fault = damaged.get(key);
        const others = [...(unsorted.includes(key) ? [UNSORTED] : []), ...(lying.get(key) ?? [])];
        return [key, { damaged: fault === undefined ? others : [fault], wrongTypes: wrongTypes.get(key) ?? [] }];
    });
    return { faults: new Map(faults), sound };
}

/** The faults of the period's object as differences. */
export function faultDifferences(of: TablePeriod, key: string, { damaged, wrongTypes }: FileFaults = NO_FAULTS): Difference[] {
    return [
        ...wrongTypes.map(({ name, found, expected }) => ({
            kind: 'period' as const,
            ...of,
            figure: `type of ${name}`,
            in_lake: found,
            recomputed: expected,
        })),
        ...damaged.map((figure) => ({ kind: 'damaged' as const, ...of, figure, in_lake: key, recomputed: null })),
    ];
}

const NO_FAULTS: FileFaults = { damaged: [], wrongTypes: [] };
