/** The source that a user means by its raw key, or by how the key ends. */

import { nearestOf } from '#lake/nearest';
import { Failure } from './command.ts';

/** The one key that is named, or that ends so. @throws Failure where there is none, or more than one. */
export function findSource(name: string, keys: readonly string[]): string {
    const ending = keys.filter((key) => key.endsWith(`/${name}`));
    const found = keys.includes(name) ? [name] : ending.length > 0 ? ending : keys.filter((key) => key.endsWith(name));
    const [source, another] = found;
    if (source === undefined) {
        const near = nearestOf(name, keys);
        throw new Failure(`No source ${name}${near.length === 0 ? ': the lake has none' : `; the nearest are ${near.join(', ')}`}`);
    }
    if (another !== undefined) {
        throw new Failure(
            `${found.length} sources end in ${name}: ${found.slice(0, 5).join(', ')}${found.length > 5 ? ', ...' : ''}; give more of the key`,
        );
    }
    return source;
}
