/** The processes that Lambdas of a local cloud run in: each has its code in a folder of its own below the cloud's. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface LambdaWorker {
    /** Name of the function. */
    name: string;
    pid: number;
}

/** Those that are there now, of the cloud that has this folder. None where there is no /proc, as Linux has it. */
export function lambdaWorkers(folder: string): LambdaWorker[] {
    const prefix = join(folder, 'tmp', 'ministack-lambda-');
    return numbersIn('/proc').flatMap((pid) => {
        const [, script = ''] = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.split('\0') ?? [];
        if (!script.startsWith(prefix)) {
            return [];
        }
        // ministack ends the folder's name with a random part behind the function's.
        const [place = ''] = script.slice(prefix.length).split('/');
        return [{ name: place.slice(0, place.lastIndexOf('-')), pid }];
    });
}

export function numbersIn(folder: string): number[] {
    return (attempt(() => readdirSync(folder)) ?? []).map(Number).filter((number) => number > 0);
}

/** A process may be gone between two looks. */
export function attempt<T>(look: () => T): T | undefined {
    try {
        return look();
    } catch {
        return undefined;
    }
}
