/** Checks a profile document against profile.schema.json, and says each fault in words, with what to type. */
import type { ErrorObject } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ProfileDocument } from './document.ts';
import schema from './profile.schema.json' with { type: 'json' };

/** The JSON Schema of profiles, as editors take it. */
export const PROFILE_SCHEMA: object = schema;

/** A fault of a profile: where, and what to type. */
export interface Fault {
    /** Place in the document: `metrics[0].digits`. */
    path: string;
    why: string;
}

const open = lazily(() => new Ajv2020({ allErrors: true, verbose: true, strict: false }).compile<ProfileDocument>(schema));

/** The faults of a document's form; none if it is a profile as far as the schema can say. */
export function faultsOfForm(document: unknown): Fault[] {
    const validate = open();
    if (validate(document)) {
        return [];
    }
    const faults = new Map<string, Fault>();
    const mistyped = new Set<string>();
    for (const error of (validate.errors ?? []).filter(isTelling)) {
        // One word for a value of the wrong type: the first says what it may be at all.
        if (error.keyword === 'type' && mistyped.size === mistyped.add(error.instancePath).size) {
            continue;
        }
        const fault = { path: showPointer(error), why: explain(error) };
        faults.set(`${fault.path}\n${fault.why}`, fault);
    }
    return [...faults.values()];
}

/** True for a document that the schema allows. */
export function isProfileDocument(document: unknown): document is ProfileDocument {
    return open()(document);
}

function lazily<T>(make: () => T): () => T {
    let made: T | undefined;
    return () => {
        made ??= make();
        return made;
    };
}

/** A choice between schemas says nothing by itself: what is wrong stands in the errors of the one that was chosen. */
function isTelling({ keyword, schemaPath, data }: ErrorObject): boolean {
    const isChoice = keyword === 'oneOf' || keyword === 'anyOf';
    return (
        keyword !== 'if' &&
        keyword !== 'propertyNames' &&
        !/\/(?:oneOf|anyOf)\/\d+\//.test(schemaPath) &&
        !(isChoice && (typeof data !== 'object' || data === null))
    );
}

function showPointer({ instancePath }: ErrorObject): string {
    const path = instancePath
        .split('/')
        .slice(1)
        .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
        .map((key) => (/^\d+$/.test(key) ? `[${key}]` : /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`))
        .join('');
    return path.replace(/^\./, '');
}

interface Words {
    description?: string;
    examples?: unknown[];
    enum?: unknown[];
    properties?: Record<string, Words>;
    $ref?: string;
    oneOf?: { required?: string[] }[];
    anyOf?: { required?: string[] }[];
}

function explain(error: ErrorObject): string {
    const { keyword, params, data } = error;
    const parent = (error.parentSchema ?? {}) as Words;
    switch (keyword) {
        case 'required':
            return `lacks "${params.missingProperty}"${explainWord(params.missingProperty, parent)}`;
        case 'additionalProperties':
            return explainUnknown(String(params.additionalProperty), Object.keys(parent.properties ?? {}));
        case 'oneOf':
        case 'anyOf': {
            const choices = (parent[keyword] ?? []).flatMap(({ required }) => required ?? []).map((word) => `"${word}"`);
            const given = choices.filter((word) => word.slice(1, -1) in (data as object));
            return given.length > 1
                ? `has ${given.join(' and ')}, of which only one may stand`
                : `lacks one of ${choices.join(', ')}${exampleOf(choices[0]?.slice(1, -1), parent)}`;
        }
        case 'enum':
            return `is ${show(data)}, but must be ${(params.allowedValues as unknown[]).map(show).join(', ')}`;
        case 'const':
            return `is ${show(data)}, but must be ${show(params.allowedValue)}`;
        case 'type':
            return `is ${show(data)}, but must be ${nameTypes(params.type)}${explainWord(undefined, parent)}`;
        case 'pattern':
            return `is ${show(data)}, which has not the right form${explainWord(undefined, parent)}`;
        case 'false schema':
            return 'must not stand here';
        default:
            return `is ${show(data)}, but ${error.message ?? 'that is not allowed'}${explainWord(undefined, parent)}`;
    }
}

/** What a word means and an example of it. */
function explainWord(word: string | undefined, parent: Words): string {
    const { description } = wordsOf(word, parent);
    return `${description === undefined ? '' : ` (${description})`}${exampleOf(word, parent)}`;
}

function exampleOf(word: string | undefined, parent: Words): string {
    const words = wordsOf(word, parent);
    const example = words.examples?.[0] ?? words.enum?.[0];
    return example === undefined ? '' : `: type ${word === undefined ? '' : `"${word}": `}${JSON.stringify(example)}, for example`;
}

function wordsOf(word: string | undefined, parent: Words): Words {
    return word === undefined ? parent : resolve(parent.properties?.[word] ?? METRIC_WORDS?.[word] ?? {});
}

/** Words of a metric, which a condition of its schema asks for and does not describe. */
const METRIC_WORDS: Record<string, Words> = schema.$defs.metric.properties as Record<string, Words>;

function resolve(words: Words): Words {
    const name = words.$ref?.replace('#/$defs/', '');
    return name === undefined ? words : { ...(schema.$defs as Record<string, Words>)[name], ...words };
}

function explainUnknown(word: string, known: readonly string[]): string {
    const near = known.find((other) => distance(word.toLowerCase(), other.toLowerCase()) <= Math.max(1, Math.floor(word.length / 3)));
    const hint = near === undefined ? `known here are ${known.join(', ')}` : `did you mean "${near}"?`;
    return `has "${word}", which is no word of the language here: ${hint}`;
}

/** How many letters differ (Levenshtein). */
function distance(a: string, b: string): number {
    let row = Array.from({ length: b.length + 1 }, (_, i) => i);
    for (let i = 1; i <= a.length; i++) {
        const next = [i];
        for (let j = 1; j <= b.length; j++) {
            next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
        }
        row = next;
    }
    return row[b.length] ?? 0;
}

function show(value: unknown): string {
    const text = JSON.stringify(value) ?? String(value);
    return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

function nameTypes(types: string | readonly string[]): string {
    const names: Readonly<Record<string, string>> = {
        object: 'an object {...}',
        array: 'a list [...]',
        string: 'a text "..."',
        boolean: 'true or false',
        integer: 'a whole number',
        number: 'a number',
        null: 'null',
    };
    return (Array.isArray(types) ? types : [types]).map((type) => names[type] ?? type).join(' or ');
}
