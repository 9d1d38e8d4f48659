/** The questions of sql/<kind>/queries with what their heads say: what each answers, and the parameters that stand as `?` in it. */
import { UsageError } from '#lake/errors';
import type { Value } from '#lake/query/query-engine';
import { QUERY_NAMES, readQuery } from '#lake/query/sql-files';
import { textsInAddress } from './texts-in-address.ts';

// Types and no interfaces: only those are JSON to TypeScript.
export type QuestionParameter = {
    /** What it is, in the words of the file: `first day`. */
    name: string;
    type: 'varchar' | 'bigint';
    /** True if it may be null. */
    isOptional: boolean;
    /** What null stands for, or what else the file says of it: `all`, `epoch ms`. */
    note: string | undefined;
    /** The only values that it may have; undefined where any may be. */
    choices: readonly string[] | undefined;
};

export type SavedQuestion = {
    name: string;
    /** What a row of the answer is, and the question. */
    meaning: string;
    parameters: readonly QuestionParameter[];
    sql: string;
};

/** The question of this name. @throws UsageError where there is none */
export function savedQuestion(name: string): SavedQuestion {
    if (!QUERY_NAMES.includes(name)) {
        throw new UsageError(`There is no question ${JSON.stringify(name.slice(0, 100))}: there are ${QUERY_NAMES.join(', ')}`);
    }
    const sql = readQuery(name);
    const head = /^(?:--.*\n)*/.exec(sql)?.[0] ?? '';
    const [meaning = '', parameters = ''] = head.replaceAll(/^-- ?/gm, '').split(/^Parameters: /m);
    const types = [...sql.matchAll(/cast\(\? as (varchar|bigint)\)/g)].map(([, type]) => (type === 'bigint' ? 'bigint' : 'varchar'));
    const said = partsOf(parameters.trim().replace(/\.$/, ''));
    return { name, meaning: meaning.trim().replaceAll('\n', ' '), parameters: said.map((text, at) => parameterOf(text, types[at])), sql };
}

/** Values of a question's parameters as a person typed them, in order: an empty one is null. @throws UsageError that names what is wrong */
export function valuesOf({ name, parameters }: SavedQuestion, typed: readonly string[]): Value[] {
    if (typed.length !== parameters.length) {
        throw new UsageError(`Question ${name} has ${parameters.length} parameters, and these are ${typed.length}`);
    }
    return parameters.map((parameter, at) => readValue(parameter, typed[at]?.trim() ?? ''));
}

/** Values in an address: a JSON array of texts. */
export const TypedValues = textsInAddress('is no JSON array of texts, like ["berlin",""]', { maxLength: 1000 });

/** The parts between commas, but for commas in brackets. */
function partsOf(text: string): string[] {
    return text.split(/,\s*(?![^(]*\))/).filter((part) => part !== '');
}

function parameterOf(text: string, type: QuestionParameter['type'] = 'varchar'): QuestionParameter {
    const [, before = '', isOptional, nullMeans] = /^(.*?)( or null(?: for (.*))?)?$/s.exec(text) ?? [];
    const [, name = '', inBrackets] = /^(.*?)(?: \((.*)\))?$/s.exec(before) ?? [];
    const choices = choicesIn(inBrackets);
    return {
        name,
        type,
        isOptional: isOptional !== undefined,
        note: [choices === undefined ? inBrackets : undefined, nullMeans].filter((part) => part !== undefined).join('; ') || undefined,
        choices,
    };
}

/** `duration, packets or flows` lists choices; so does a single one in backquotes. */
function choicesIn(text: string | undefined): string[] | undefined {
    const [, only] = /^`(\w+)`$/.exec(text ?? '') ?? [];
    if (only !== undefined) {
        return [only];
    }
    const words = text?.split(/, | or /) ?? [];
    return words.length > 1 && words.every((word) => /^\w+$/.test(word)) ? words : undefined;
}

function readValue({ name, type, isOptional, choices }: QuestionParameter, typed: string): Value {
    if (typed === '') {
        if (!isOptional) {
            throw new UsageError(`${name} is missing: this question needs it`);
        }
        return null;
    }
    if (choices && !choices.includes(typed)) {
        throw new UsageError(`${name} is ${JSON.stringify(typed.slice(0, 100))}; it may be ${choices.join(', ')}`);
    }
    if (type !== 'bigint') {
        return typed;
    }
    if (!/^-?\d{1,18}$/.test(typed)) {
        throw new UsageError(`${name} is ${JSON.stringify(typed.slice(0, 100))}; it is a whole number of 18 digits at most`);
    }
    return BigInt(typed);
}
