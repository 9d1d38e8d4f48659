/** Opens the lake that a command line names, for one command. */
import { NotFoundError, UsageError } from '#lake/errors';
import type { Lake, LakeLocation, QueryState } from '#lake/lake';
import { openLake } from '#lake/open-lake';
import type { Scanned } from '#lake/query/query-engine';
import { quoteForShell } from '#lake/quote-for-shell';
import { sayBytes, sayScanned } from '#lake/say-size';
import { type Context, Failure } from './command.ts';
import { openStatusLine } from './draw/status-line.ts';
import type { Output } from './output.ts';

/**
 * Opens the lake for `use` and closes it after; on a terminal it shows how far a query of Athena is, and everywhere what each has read and its price. `mayBeNew` is for commands that write:
 * the directory may be missing.
 * @throws UsageError where no lake is named. @throws Failure where there is no such lake.
 */
export async function useLake<T>(
    {
        lake,
        signal,
        environment,
        stderr,
        maxScanBytes,
    }: Pick<Context, 'lake' | 'signal' | 'environment'> & { stderr?: Output; maxScanBytes?: number | undefined },
    use: (lake: Lake) => Promise<T>,
    { mayBeNew = false }: { mayBeNew?: boolean } = {},
): Promise<T> {
    if (lake === undefined) {
        throw new UsageError('Which lake? Give it as --lake ./my-lake or s3://bucket, or name a default: export FLOWLAKE_LAKE=./my-lake');
    }
    const line = stderr && openStatusLine(stderr);
    const onQueryState = ({ state, scannedBytes }: QueryState): void => {
        const isOver = state !== 'QUEUED' && state !== 'RUNNING';
        void (isOver ? line?.clear() : line?.draw(`Athena: ${state.toLowerCase()}, ${sayBytes(scannedBytes)} scanned`));
    };
    const onScanned = async (scanned: Scanned): Promise<void> => {
        await line?.say(`Scanned ${sayScanned(scanned)}`);
    };
    const opened = await openLake(lake, { environment, signal, mayBeNew, onQueryState, meter: { maxScanBytes, onScanned } }).catch(
        (error: unknown) => {
            throw error instanceof NotFoundError ? withNextStep(error, lake) : error;
        },
    );
    try {
        return await use(opened);
    } finally {
        await line?.clear();
        await opened.close();
    }
}

function withNextStep(error: NotFoundError, { name }: LakeLocation): Failure {
    const next = `upload something first (flowlake --lake ${quoteForShell(name)} upload <file>)`;
    return new Failure(`${error.message}: ${next}`, { cause: error });
}
