/** Which fields of a message a profile names: what it names no pattern takes, and what it does not name is told of as unknown. */
import { type Lets, listed, type Path, type ProfileDocument, type Some, type Source } from './document.ts';
import type { Tree } from './json-tree.ts';
import { isPattern, keysOf, placeCaptures } from './patterns.ts';

type Keys = readonly string[];

export interface NamedFields {
    /** Paths within a message, and within the payload around it. */
    inMessage: readonly Keys[];
    around: readonly Keys[];
    ignored: readonly Keys[];
}

/** Every path of the profile. */
export function namedFields(profile: ProfileDocument): NamedFields {
    const inMessage: Keys[] = [];
    const around: Keys[] = [];
    const name = (path: Path | undefined, isOuter = false): void => {
        if (path !== undefined) {
            (isOuter ? around : inMessage).push(keysOf(path));
        }
    };
    const nameAll = (sources: Some<Source | string> | undefined): void => {
        for (const source of listed(sources)) {
            if (typeof source === 'object') {
                name(source.path, source.outer);
                nameAll(source.only);
                const { when, show, plus } = source as { when?: readonly Source[]; show?: Path; plus?: Source };
                nameAll(when);
                nameAll(plus);
                name(show);
            }
        }
    };
    const nameLets = (lets: Lets = {}): void => Object.values(lets).forEach(nameAll);
    nameLets(profile.let);
    nameAll(profile.device);
    nameAll(profile.time);
    nameAll(profile.identity);
    nameAll(profile.notReadings);
    // Texts are unpacked in the payload, and in the messages of it.
    const ofUnpack = (profile.unpack ?? []).flatMap(({ path, only }) => [{ path }, ...listed(only)]);
    nameAll(ofUnpack);
    nameAll(ofUnpack.map((text) => ({ ...text, outer: true })));
    for (const metric of profile.metrics) {
        name(metric.path);
        name(metric.show);
        nameLets(metric.let);
        for (const some of [metric.from, metric.unitFrom, metric.scalePower, metric.only, metric.unless, metric.time, metric.historical]) {
            nameAll(some);
        }
        for (const some of [metric.scale, metric.offset]) {
            nameAll(typeof some === 'object' ? some : undefined);
        }
    }
    return { inMessage, around, ignored: (profile.ignore ?? []).map(keysOf) };
}

/** True if the field at the place is named itself, by no pattern, or is ignored: no pattern takes it. */
export function isTaken({ inMessage, ignored }: NamedFields, place: Keys): boolean {
    const isIt = (path: Keys): boolean => path.length === place.length && path.every((key, at) => key === place[at] && !isPattern(key));
    return inMessage.some(isIt) || isIgnored(ignored, place);
}

/** True if the place is that of an ignored path, or stands below it. */
function isIgnored(ignored: readonly Keys[], place: Keys): boolean {
    return ignored.some((path) => path.length <= place.length && placeCaptures(path, place) !== undefined);
}

/**
 * Adds the fields that no path names: the highest ones below which nothing is named.
 * @param pathsAt tells the paths that may go to a place or through it
 * @param isLeftOut says which parts are looked at by themselves
 */
export function addUnknown(
    tree: Tree,
    {
        pathsAt,
        ignored,
        isLeftOut,
        add,
    }: {
        pathsAt: (place: Keys) => readonly Keys[];
        ignored: readonly Keys[];
        isLeftOut: (part: Tree) => boolean;
        add: (field: string) => void;
    },
): void {
    const look = (part: Tree, place: Keys): void => {
        const members =
            part.type === 'object'
                ? [...part.members]
                : part.type === 'list'
                  ? part.items.map((item, at) => [String(at), item] as const)
                  : [];
        for (const [key, member] of members) {
            const below = [...place, key];
            if (isLeftOut(member) || isIgnored(ignored, below)) {
                continue;
            }
            const reaching = [...pathsAt(below), ...ignored].filter(
                (path) => path.length >= below.length && placeCaptures(path, below) !== undefined,
            );
            const isRead = reaching.some((path) => path.length === below.length);
            const goesOn = reaching.some((path) => path.length > below.length);
            const isValue = ['number', 'text', 'yes/no'].includes(member.type);
            if (reaching.length === 0 || (isValue && !isRead)) {
                add(below.map(written).join('.'));
            } else if (member.type !== 'list' || goesOn) {
                // A list that is read as a whole has no elements that could be unknown.
                look(member, below);
            }
        }
    };
    const paths = pathsAt([]);
    if (tree.type !== 'list' || paths.every(({ length }) => length > 0) || paths.some(({ length }) => length > 0)) {
        look(tree, []);
    }
}

function written(key: string): string {
    return key === '' || key.includes('.') ? JSON.stringify(key) : key;
}
