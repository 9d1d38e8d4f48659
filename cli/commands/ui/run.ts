/** Serves the web application over a lake until Ctrl-C. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { RunContext } from '#cli/command';
import { useLake } from '#cli/use-lake';
import { openLatestState } from '#cli/use-state';
import { readVersion } from '#cli/version';
import { cacheFolder } from '#lake/cache-folder';
import { hashToken } from '#lake/credentials';
import { StorageError, UsageError } from '#lake/errors';
import type { Lake } from '#lake/lake';
import { openAnswersFolder } from '#lake/pages/answers-folder';
import type { PageCache } from '#lake/pages/page-cache';
import { createPages } from '#lake/pages/server/create-pages';
import { readWebFiles } from '#lake/pages/server/web-files';
import { openHttpServer } from '#lake/serve/http-server';

const MAX_PORT = 65_535;
const TOKEN_BYTES = 32;

/** Runs until the signal is aborted. @returns 0 then */
export async function showLake({ port }: { port: number }, context: RunContext): Promise<number> {
    const { signal, now, stdout, stderr } = context;
    if (port > MAX_PORT) {
        throw new UsageError(`--port ${port} is no port: 1 to ${MAX_PORT}, or 0 for any free one`);
    }
    return useLake(context, async (lake) => {
        const token = randomBytes(TOKEN_BYTES).toString('base64url');
        const latest = await openLatest(lake, context);
        const pages = createPages({
            lake,
            name: context.lake?.name ?? '',
            version: readVersion(),
            live: latest?.state,
            hasApi: false,
            web: readWebFiles(),
            cache: cacheOf(lake, context),
            authenticate: async (given) => (isSame(given, token) ? 'ui' : undefined),
            isTokenInAddress: true,
            now,
            onBroken: ({ instance, error, method, path }) =>
                void stderr.write(
                    `${now().toISOString()} ${method} ${path} failed (${instance}): ${error instanceof Error ? error.message : error}\n`,
                ),
        });
        const http = await openHttpServer({ port, portFlag: '--port', fetch: pages.fetch });
        try {
            await stdout.write(`${http.url}/?token=${token}\n`);
            await stderr.write('Open this address in a browser of this machine. Ctrl-C ends it\n');
            await ended(signal);
        } finally {
            await http.close();
            latest?.close();
        }
        return 0;
    });
}

/** Latest state where the lake has one. One that cannot be opened is said, and the pages of what lies in the tables go without. */
async function openLatest(lake: Lake, context: RunContext): Promise<Awaited<ReturnType<typeof openLatestState>>> {
    try {
        return await openLatestState(lake, context);
    } catch (error) {
        if (lake.kind === 's3' || !(error instanceof StorageError)) {
            throw error;
        }
        await context.stderr.write(`Latest state of devices is not shown: ${error.message}\n`);
        return undefined;
    }
}

/** Answers that cost something are kept in the user's cache folder. */
function cacheOf({ kind }: Lake, { environment, stderr }: RunContext): PageCache | undefined {
    const onTrouble = (message: string) => void stderr.write(`${message}\n`);
    return kind === 's3'
        ? { folder: openAnswersFolder({ folder: cacheFolder('pages', environment), onTrouble }), version: readVersion() }
        : undefined;
}

function isSame(given: string, token: string): boolean {
    return timingSafeEqual(Buffer.from(hashToken(given)), Buffer.from(hashToken(token)));
}

function ended(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
        if (signal.aborted) {
            resolve();
        }
        signal.addEventListener('abort', () => resolve(), { once: true });
    });
}
