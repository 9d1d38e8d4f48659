/** The user's folder for what may be thrown away at any time. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Path of this program's cache folder of this name, below XDG_CACHE_HOME or ~/.cache; it need not be there. */
export function cacheFolder(name: string, environment: Readonly<Record<string, string | undefined>>): string {
    return join(environment.XDG_CACHE_HOME ?? join(environment.HOME ?? homedir(), '.cache'), 'flowlake', name);
}
