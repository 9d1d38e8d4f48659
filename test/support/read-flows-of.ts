/** Reads a file of flows that a test made up, and tells all that it comes to. */
import { DURATION, PACKETS } from '#lake/flows/pair-table';
import { type FlowsResult, readFlows } from '#lake/flows/read-flows';

export interface ReadingOf {
    result: FlowsResult;
    /** Day, addresses and figures of each row of the table, in order. */
    totals: string[];
    /** Line number and reason of each reject. */
    rejects: string[];
    skipped: Record<string, number>;
}

/** `isCareful`: the paths that know rows by heart are not taken. */
export async function readFlowsOf(
    file: string | Buffer,
    { pieceBytes = 1 << 20, isCareful = false }: { pieceBytes?: number; isCareful?: boolean } = {},
): Promise<ReadingOf> {
    const bytes = Buffer.from(file);
    const rejects: string[] = [];
    const open = () => {
        rejects.length = 0;
        return pieces(bytes, pieceBytes);
    };
    const result = await readFlows(open, {
        onRejects: async (batch) => void rejects.push(...batch.map(({ lineNumber, reason }) => `${lineNumber} ${reason}`)),
        ...(isCareful && { watch: { src: '', dst: '', onRow: () => undefined } }),
    });
    return { result, totals: totalsOf(result), rejects, skipped: result.ok ? Object.fromEntries(result.skipped) : {} };
}

function totalsOf(result: FlowsResult): string[] {
    if (!result.ok) {
        return [];
    }
    const { table, days } = result;
    const rows = [...days].flatMap(([day, all]) =>
        [...all].map((row) => {
            const figures = [DURATION, PACKETS].flatMap((measure) =>
                Object.values(table.totalsOf(row, measure as typeof DURATION)).map(String),
            );
            return [day, table.sourceOf(row), table.destinationOf(row), table.flowsOf(row), ...figures].join(' ');
        }),
    );
    return rows.sort();
}

async function* pieces(bytes: Buffer, pieceBytes: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
        yield bytes.subarray(at, at + pieceBytes);
    }
}
