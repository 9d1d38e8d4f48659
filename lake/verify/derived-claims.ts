/** Holds what a derived object says of itself against what is there: what it was made of, and the state that it ends with. */
import type { InputsNow } from '#lake/inputs';
import type { Json, Kind, SecondDerivation, StateFact } from '#lake/kind';
import type { TablePeriod } from '#lake/layout';
import { type Named, readNamed, readStateOf, type StateRead } from './derived-object.ts';
import type { Difference } from './findings.ts';
import { messageOf } from './lake-files.ts';

/** What an object says of itself. */
export interface Claims {
    named: Named | undefined;
    state: StateRead;
}

export async function readClaims(path: string, entries: ReadonlyMap<string, string> | undefined): Promise<Claims> {
    return { named: await readNamed(path, entries), state: await readStateOf(path, entries) };
}

/** What an object of the day would be made of now. */
export interface There {
    kind: Pick<Kind, 'merged' | 'inputs'>;
    inputs: InputsNow;
    /** Format of the table. */
    format: number;
    /** Etags of the day's merged objects, by their periods. */
    etags: ReadonlyMap<string, string>;
    /** Names of the inputs that deriving the day asks for, as far as that is known. */
    asked: readonly string[];
    /** What the nearest earlier day says that it closed with, of a chained table; undefined where that is not known, or the table is none. */
    before: { day: string | undefined; closing: string | null } | undefined;
}

/** Differences where the object names something else than is there, or nothing. */
export async function findOtherMakings(of: TablePeriod, named: Named | undefined, there: There): Promise<Difference[]> {
    const { kind, inputs, format, etags, asked, before } = there;
    const differ = (figure: string, in_lake: string | null, recomputed: string | null): Difference[] =>
        in_lake === recomputed ? [] : [{ kind: 'made_of', ...of, figure, in_lake, recomputed }];
    if (!named) {
        return differ('what it was made of', null, 'merged objects, inputs and states');
    }
    const differences = differ('format', named.format === undefined ? null : String(named.format), String(format));
    const namedEtags = new Map(named.parts.map(({ period, etag }) => [period, etag]));
    for (const period of [...new Set([...namedEtags.keys(), ...etags.keys()])].sort()) {
        differences.push(...differ(`etag of ${kind.merged.name} ${period}`, namedEtags.get(period) ?? null, etags.get(period) ?? null));
    }
    const said = [...named.parts.map((part) => part.inputs), named.endInputs].flatMap((versions) => Object.entries(versions));
    for (const name of [...new Set([...said.map(([each]) => each), ...asked])].sort()) {
        const now = kind.inputs ? await inputs.versionOf(kind.inputs, name) : 0;
        const versions = new Set(said.filter(([each]) => each === name).map(([, version]) => String(version)));
        for (const version of versions.size === 0 ? [null] : versions) {
            differences.push(...differ(`version of ${kind.inputs?.noun ?? 'input'} ${name}`, version, String(now)));
        }
    }
    if (before) {
        differences.push(...differ(`state that it opened with, of ${before.day ?? 'no day before'}`, named.opening, before.closing));
    }
    return differences;
}

/**
 * Differences where the state that the object of a chained table holds is not the one that it names, or that its day comes to.
 * @param closing the state behind the day; undefined where that is not known
 */
export function findOtherStates(
    of: TablePeriod,
    { named, state }: Claims,
    { closing, factsOf }: { closing: { state: Json } | undefined; factsOf: SecondDerivation['factsOf'] },
): Difference[] {
    const about = { kind: 'state' as const, ...of };
    const noState = (why: string): Difference => ({ ...about, figure: why, in_lake: null, recomputed: 'a state' });
    if ('fault' in state) {
        return [noState(state.fault)];
    }
    const isNamed = !named || named.closing === state.hash;
    const hashes = isNamed ? [] : [{ ...about, figure: 'hash of its state', in_lake: named.closing, recomputed: state.hash }];
    if (!closing || !factsOf) {
        return hashes;
    }
    try {
        const differing = compareFacts(factsOf(state.state), factsOf(closing.state));
        return [...hashes, ...differing.map((difference) => ({ ...about, ...difference }))];
    } catch (error) {
        return [...hashes, noState(`its state is none of ${of.table}: ${messageOf(error)}`)];
    }
}

function compareFacts(
    inLake: readonly StateFact[],
    recomputed: readonly StateFact[],
): Pick<Difference, 'key' | 'figure' | 'in_lake' | 'recomputed'>[] {
    const byName = (facts: readonly StateFact[]): Map<string, StateFact> =>
        new Map(facts.map((fact) => [JSON.stringify([...Object.values(fact.key), fact.figure]), fact]));
    const [there, should] = [byName(inLake), byName(recomputed)];
    return [...new Set([...there.keys(), ...should.keys()])].sort().flatMap((name) => {
        const [one, other] = [there.get(name), should.get(name)];
        const fact = one ?? other;
        return !fact || one?.value === other?.value
            ? []
            : [{ key: fact.key, figure: `state: ${fact.figure}`, in_lake: one?.value ?? null, recomputed: other?.value ?? null }];
    });
}
