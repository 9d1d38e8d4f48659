/** Lakes of flows that were uploaded, with all that an upload leaves: for what is told by the ledger or by the objects' metadata. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FlowRow, flowCsv } from '#test/support/flow-csv';
import { runFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';

/** A file of flows. Times of its rows are day first. */
export interface UploadedFile {
    name: string;
    site?: string;
    rows: readonly FlowRow[];
}

/** Uploads the files into a new lake, or into the one in `directory`. @returns its directory */
export async function uploadFlows(files: readonly UploadedFile[], { directory }: { directory?: string } = {}): Promise<string> {
    const folder = await makeFolder();
    const lake = directory ?? join(folder, 'lake');
    for (const { name, site = 'main', rows } of files) {
        await writeFile(join(folder, name), flowCsv(rows));
        const { exitCode, stderr } = await runFlowlake(['--lake', lake, 'upload', '--date-order', 'dmy', '--site', site, name], { folder });
        if (exitCode !== 0) {
            throw new Error(stderr);
        }
    }
    return lake;
}
