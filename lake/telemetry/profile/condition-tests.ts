/** Tests of a condition: does a value fit what a profile wants of it? */
import { compare, parseDecimal } from './decimal.ts';
import type { ConditionWords, Literal, Num, ValueType } from './document.ts';
import { ARRAY, FALSE, NULL, NUMBER, OBJECT, TEXT, TRUE } from './fields.ts';
import { parseTopicPattern } from './paths.ts';
import { asList, numberOf, type Token, textOf } from './tokens.ts';

/** All tests of a condition's words together. */
export function compileTest({ is, isNot, present, type, above, below, like }: ConditionWords): (token: Token | undefined) => boolean {
    const tests: ((token: Token | undefined) => boolean)[] = [];
    if (is !== undefined) {
        const literals = asList<Literal>(is as Literal | readonly Literal[]).map(compileLiteral);
        tests.push((token) => token !== undefined && literals.some((isIt) => isIt(token)));
    }
    if (isNot !== undefined) {
        const literals = asList<Literal>(isNot as Literal | readonly Literal[]).map(compileLiteral);
        tests.push((token) => token === undefined || !literals.some((isIt) => isIt(token)));
    }
    if (present !== undefined) {
        tests.push((token) => (token !== undefined && token.type !== NULL) === present);
    }
    if (type !== undefined) {
        const types = TYPES_OF[type];
        tests.push((token) => token !== undefined && types.includes(token.type));
    }
    if (above !== undefined) {
        tests.push(compileBound(above, 1));
    }
    if (below !== undefined) {
        tests.push(compileBound(below, -1));
    }
    if (like !== undefined) {
        const pattern = parseTopicPattern(like);
        tests.push((token) => {
            const text = textOf(token);
            return text !== undefined && pattern.match(text) !== undefined;
        });
    }
    return (token) => tests.every((test) => test(token));
}

const TYPES_OF: Readonly<Record<ValueType, readonly number[]>> = {
    number: [NUMBER],
    text: [TEXT],
    'yes/no': [TRUE, FALSE],
    null: [NULL],
    object: [OBJECT],
    list: [ARRAY],
};

function compileLiteral(literal: Literal): (token: Token) => boolean {
    if (typeof literal === 'string') {
        return (token) => token.type === TEXT && token.text === literal;
    }
    if (typeof literal === 'number') {
        const wanted = numberOf(literal);
        return (token) => {
            const value = token.type === NUMBER || token.type === TEXT ? parseDecimal(token.text) : undefined;
            return value !== undefined && compare(value, wanted) === 0;
        };
    }
    const type = literal === null ? NULL : literal ? TRUE : FALSE;
    return (token) => token.type === type;
}

function compileBound(bound: Num, sign: number): (token: Token | undefined) => boolean {
    const limit = numberOf(bound);
    return (token) => {
        const text = textOf(token);
        const value = text === undefined ? undefined : parseDecimal(text);
        return value !== undefined && compare(value, limit) === sign;
    };
}
