/** The doubts that the ledger tells of sources: what a person should know of how they were read. */
import type { Doubt } from '#lake/kind';
import { kinds } from '#lake/kinds';
import type { KnownSource } from './known-sources.ts';

/** The doubts of one source; none of one that does not count. */
export function doubtsOfSource({ kind: name, state, facts, options }: KnownSource, { now }: { now: Date }): readonly Doubt[] {
    const kind = kinds.find((known) => known.name === name);
    return kind && (state === 'done' || state === 'empty') ? kind.doubtsOf(facts, { options, now }) : [];
}

export interface SharedDoubt extends Doubt {
    /** Keys of the sources that it holds for. */
    sources: string[];
}

/** Each doubt once, with the sources that it holds for; that of the most sources first. */
export function shareDoubts(sources: readonly KnownSource[], { now }: { now: Date }): SharedDoubt[] {
    const shared = new Map<string, SharedDoubt>();
    for (const source of sources) {
        for (const { text, remedy } of doubtsOfSource(source, { now })) {
            const name = JSON.stringify([text, remedy]);
            const one = shared.get(name) ?? { text, remedy, sources: [] };
            one.sources.push(source.source);
            shared.set(name, one);
        }
    }
    return [...shared.values()].sort((a, b) => b.sources.length - a.sources.length || (a.text < b.text ? -1 : 1));
}
