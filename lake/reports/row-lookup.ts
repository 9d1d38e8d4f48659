/** One pair's rows out of the bytes of a summary or a day, without taking the others apart. */
import type { RowGroup } from 'hyparquet';
import { readPairRows } from '#lake/parquet';
import { emptyPairRows, type PairRows } from '#lake/rows';

export interface PairKey {
    src: string;
    dst: string;
    /** All sites where it is left out. */
    site?: string | undefined;
}

/** The rows of the pair, one for each site. */
export async function findPairRows(bytes: Uint8Array<ArrayBuffer>, { src, dst, site }: PairKey): Promise<PairRows> {
    const mayHold = (group: RowGroup): boolean => mayHoldText(group, 'src_ip', src) && mayHoldText(group, 'dst_ip', dst);
    const rows = await readPairRows(bytes, { mayHold });
    const isFound = rows.site.map((of, at) => rows.src_ip[at] === src && rows.dst_ip[at] === dst && (site === undefined || of === site));
    const found = emptyPairRows();
    const pick = (_: unknown, at: number): boolean => isFound[at] === true;
    for (const [name, column] of Object.entries(rows)) {
        Object.assign(found, { [name]: column instanceof BigInt64Array ? column.filter(pick) : [...column].filter(pick) });
    }
    return found;
}

/** By the group's statistics; addresses are ASCII, so the order of JavaScript is that of their bytes. */
function mayHoldText({ columns }: RowGroup, name: string, value: string): boolean {
    const { statistics } = columns.find(({ meta_data }) => meta_data?.path_in_schema.join('.') === name)?.meta_data ?? {};
    const { min_value: min, max_value: max } = statistics ?? {};
    return typeof min !== 'string' || typeof max !== 'string' || (min <= value && value <= max);
}
