/** Tells whoever serves the lake that registry, credentials or alerts were changed by this process: it looks by itself too, some seconds later. */
import { StorageError } from '#lake/errors';
import type { Lake } from '#lake/lake';

/** Resolves once it has looked, or where nobody serves the lake. */
export async function tellServe(lake: Lake): Promise<void> {
    if (lake.kind === 'directory') {
        const { askServe } = await import('#lake/serve/control');
        await askServe(lake.directory, 'refresh').catch((error: unknown) => {
            // It is of no weight: what was written stands.
            if (!(error instanceof StorageError)) {
                throw error;
            }
        });
    }
}
