/**
 * Inputs of readings: documents of the lake that a kind's reader asks for by name, in versions that never change. `<prefix><name>/<version>.json`
 * is a version, `<prefix><name>.json` says which one holds. docs/design.md has the reason for each rule.
 */
import { StorageError, UsageError } from '#lake/errors';
import type { Input, Inputs, Kind, SourceBytes } from '#lake/kind';
import { inputNameOf, inputPointerKey, inputVersionKey, isInputName } from '#lake/layout';
import { ABSENT, type ObjectStore, tryPut } from '#lake/store/object-store';

/** Versions of inputs by name; 0 where there was none. */
export type InputVersions = Readonly<Record<string, number>>;

/**
 * The input as it is now, read from the store; undefined where there is none, and for a name that none can have.
 * @throws StorageError where pointer or document are damaged
 */
export async function readInput(store: ObjectStore, prefix: string, name: string): Promise<Input | undefined> {
    const { version } = await readPointer(store, prefix, name);
    return version === 0 ? undefined : { version, document: await readVersion(store, prefix, { name, version }) };
}

/** An input as people see it: `version 2 of profile thermostat`, `no profile thermostat`. */
export function sayInput({ inputs }: Pick<Kind, 'inputs'>, { name, version }: { name: string; version: number }): string {
    const what = `${inputs?.noun ?? 'input'} ${name}`;
    return version === 0 ? `no ${what}` : `version ${version} of ${what}`;
}

/** Inputs with their versions in one text, by name: `lock@0, thermostat@2`; `@0` where there was none. */
export function nameInputs(versions: InputVersions): string {
    return Object.entries(versions)
        .map(([name, version]) => `${name}@${version}`)
        .join(', ');
}

/** The document of one version. @throws StorageError where it is gone or damaged */
export async function readVersion(
    store: ObjectStore,
    prefix: string,
    { name, version }: { name: string; version: number },
): Promise<unknown> {
    const key = inputVersionKey(prefix, name, version);
    const document = await findDocument(store, key);
    if (!document) {
        throw new StorageError(`${key} is gone, and ${inputPointerKey(prefix, name)} names it: restore it from a backup`);
    }
    return document.value;
}

/** Every input of the prefix with the version that holds, by name. */
export async function listInputs(store: ObjectStore, prefix: string): Promise<{ name: string; version: number }[]> {
    const found: { name: string; version: number }[] = [];
    for await (const { key } of store.list(prefix)) {
        const name = inputNameOf(prefix, key);
        if (name !== undefined) {
            found.push({ name, version: (await readPointer(store, prefix, name)).version });
        }
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What `addInput` did. */
export interface AddedInput {
    /** The version that has the document now. */
    version: number;
    /** False where the version holds since before: it has this very document, or was to stay. */
    isNew: boolean;
}

/**
 * Makes the document the version of the input that holds. First the version is taken, then the pointer is moved, on condition that it is as it was
 * read, and only upwards: so no version is ever two documents, and none holds a second time. Safe to repeat after a crash: who adds the document once
 * more goes on where it ended. Only then are sources to be listed that were read with another version.
 * With `onlyFirst` an input that is there stays as it is.
 * @throws UsageError for a name that no input may have
 */
export async function addInput(
    store: ObjectStore,
    prefix: string,
    name: string,
    document: unknown,
    { onlyFirst = false }: { onlyFirst?: boolean } = {},
): Promise<AddedInput> {
    checkInputName(name);
    const text = textOf(document);
    for (;;) {
        const { version: before, etag } = await readPointer(store, prefix, name);
        if (before > 0 && (onlyFirst || textOf(await readVersion(store, prefix, { name, version: before })) === text)) {
            return { version: before, isNew: false };
        }
        const version = await takeVersion(store, prefix, { name, after: before, text });
        const pointer = Buffer.from(`${JSON.stringify({ version })}\n`);
        if (await tryPut(store, inputPointerKey(prefix, name), pointer, { ifMatch: etag })) {
            return { version, isNew: true };
        }
        // Another was faster, or the answer was lost: look again.
    }
}

/** Lets the names pass that an input may have. @throws UsageError for others */
export function checkInputName(name: string): void {
    if (!isInputName(name)) {
        const rule = 'lower case letters, digits, dot, dash and underscore, beginning with a letter or digit, 64 at most';
        throw new UsageError(`The name ${JSON.stringify(name)} is not usable: ${rule}`);
    }
}

/** Writes the document as the first version that is free. One that a killed command has left with this very document is as good. */
async function takeVersion(
    store: ObjectStore,
    prefix: string,
    { name, after, text }: { name: string; after: number; text: string },
): Promise<number> {
    for (let version = after + 1; ; version += 1) {
        const key = inputVersionKey(prefix, name, version);
        if (await tryPut(store, key, Buffer.from(text), { ifMatch: ABSENT })) {
            return version;
        }
        const taken = await findDocument(store, key);
        if (taken && textOf(taken.value) === text) {
            return version;
        }
    }
}

/** The document's text as it is stored: the order of its fields is part of it. */
function textOf(document: unknown): string {
    return `${JSON.stringify(document, undefined, 4)}\n`;
}

/** The version that holds, and the pointer's etag; 0 and ABSENT where there is none. */
async function readPointer(store: ObjectStore, prefix: string, name: string): Promise<{ version: number; etag: string }> {
    const key = inputPointerKey(prefix, name);
    const pointer = isInputName(name) ? await findDocument(store, key) : undefined;
    if (!pointer) {
        return { version: 0, etag: ABSENT };
    }
    const { value, etag } = pointer;
    const version = typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
    if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) {
        throw new StorageError(`${key} names no version of ${name}: restore it from a backup, {"version": 1} names the first one`);
    }
    return { version, etag };
}

/** The JSON of an object; undefined where there is none. @throws StorageError for one that is no JSON */
async function findDocument(store: ObjectStore, key: string): Promise<{ value: unknown; etag: string } | undefined> {
    const object = await store.get(key);
    try {
        return object && { value: JSON.parse(Buffer.from(object.bytes).toString()), etag: object.info.etag };
    } catch (error) {
        throw new StorageError(`${key} is no JSON: restore it from a backup`, { cause: error });
    }
}

/** The inputs that one reading of a source asks for. */
export interface ReadingInputs {
    /** See `SourceBytes.input`. */
    input: SourceBytes['input'];
    /** What was asked for so far, by name ascending. */
    versions(): InputVersions;
}

/**
 * The inputs of one reading as they are now: each name is looked up once, in the store. `planned` are documents that will be there as version 1, for
 * who tries what would come of it.
 */
export function openInputs(
    store: ObjectStore,
    { name: kindName, inputs }: Pick<Kind, 'name' | 'inputs'>,
    { planned = new Map() }: { planned?: ReadonlyMap<string, unknown> | undefined } = {},
): ReadingInputs {
    return answerFrom(async (name) => {
        const found = await readInput(store, prefixOf(kindName, inputs), name);
        return found || !planned.has(name) ? found : { version: 1, document: planned.get(name) };
    });
}

/** The inputs of one reading in the versions that an earlier one had. Names that it did not ask for have none. */
export function openInputsAsRead(
    store: ObjectStore,
    { name: kindName, inputs }: Pick<Kind, 'name' | 'inputs'>,
    versions: InputVersions,
): ReadingInputs {
    const byName = new Map(Object.entries(versions));
    return answerFrom(async (name) => {
        const version = byName.get(name) ?? 0;
        const prefix = prefixOf(kindName, inputs);
        return version === 0 ? undefined : { version, document: await readVersion(store, prefix, { name, version }) };
    });
}

function answerFrom(read: (name: string) => Promise<Input | undefined>): ReadingInputs {
    const asked = new Map<string, Promise<Input | undefined>>();
    const versions = new Map<string, number>();
    return {
        async input(name) {
            const answer = asked.get(name) ?? read(name);
            asked.set(name, answer);
            const found = await answer;
            versions.set(name, found?.version ?? 0);
            return found;
        },
        versions: () => Object.fromEntries([...versions].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
}

function prefixOf(kindName: string, inputs: Inputs | undefined): string {
    if (!inputs) {
        throw new Error(`the reader of ${kindName} asks for an input, and its kind has none`);
    }
    return inputs.prefix;
}

/** Versions of inputs as one look at the store shows them: each pointer is read once, however many sources name it. */
export interface InputsNow {
    /** True if every input has the version that is named. */
    areOf(inputs: Inputs | undefined, versions: InputVersions | undefined): Promise<boolean>;
    /** The version that holds, 0 where there is none. */
    versionOf(inputs: Inputs, name: string): Promise<number>;
}

/** Looks at inputs for one pass; never kept for another one, whose figures would rest on a version that no longer holds. */
export function lookAtInputs(store: ObjectStore): InputsNow {
    const known = new Map<string, Promise<number>>();
    const versionOf = ({ prefix }: Inputs, name: string): Promise<number> => {
        const key = inputPointerKey(prefix, name);
        const version = known.get(key) ?? readPointer(store, prefix, name).then((pointer) => pointer.version);
        known.set(key, version);
        return version;
    };
    return {
        versionOf,
        async areOf(inputs, versions = {}) {
            for (const [name, version] of inputs ? Object.entries(versions) : []) {
                if (inputs && (await versionOf(inputs, name)) !== version) {
                    return false;
                }
            }
            return true;
        },
    };
}
