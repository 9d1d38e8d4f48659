/** What is offered while SQL is typed: tables and views where a relation stands, their columns elsewhere, and the words of SQL. */
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';

export interface Relation {
    name: string;
    what: string;
    meaning: string;
    columns: readonly { name: string; type: string; unit?: string; meaning?: string }[];
}

const KEYWORDS = [
    ...[
        'select',
        'from',
        'where',
        'group by',
        'order by',
        'having',
        'limit',
        'with',
        'as',
        'join',
        'left join',
        'cross join',
        'on',
        'using',
    ],
    ...[
        'and',
        'or',
        'not',
        'in',
        'between',
        'like',
        'is null',
        'is not null',
        'case',
        'when',
        'then',
        'else',
        'end',
        'distinct',
        'desc',
        'asc',
    ],
    ...[
        'union all',
        'cast',
        'coalesce',
        'count',
        'sum',
        'min',
        'max',
        'avg',
        'max_by',
        'min_by',
        'over',
        'partition by',
        'row_number',
        'explain',
    ],
];

/** The source of completions over these relations. */
export function completeSql(relations: readonly Relation[]): (context: CompletionContext) => CompletionResult | null {
    const tables = relations.map(
        ({ name, what, meaning }): Completion => ({
            label: name,
            type: what === 'view' ? 'interface' : 'class',
            detail: what,
            info: meaning,
            boost: 2,
        }),
    );
    const words = KEYWORDS.map((label): Completion => ({ label, type: 'keyword', boost: -2 }));
    return (context) => {
        const word = context.matchBefore(/[\w.]*/);
        const before = context.state.sliceDoc(Math.max(0, context.pos - 2000), word?.from ?? context.pos);
        if (!word || (word.from === word.to && !context.explicit) || isInTextOrComment(before)) {
            return null;
        }
        const all = context.state.doc.toString();
        const qualifier = /^(\w+)\.\w*$/.exec(word.text)?.[1];
        if (qualifier !== undefined) {
            const named = relationsIn(all, relations).find(({ alias }) => alias === qualifier.toLowerCase());
            return named ? { from: word.from + qualifier.length + 1, options: columnsOf([named.relation]), validFor: /^\w*$/ } : null;
        }
        const isRelation = /\b(from|join)\s+(?:[\w\s]+,\s*)*$/i.test(before);
        const columns = columnsOf(relationsIn(all, relations).map(({ relation }) => relation));
        return { from: word.from, options: isRelation ? tables : [...columns, ...tables, ...words], validFor: /^\w*$/ };
    };
}

/** The relations that the SQL names, each with the name by which its columns are called. */
function relationsIn(sql: string, relations: readonly Relation[]): { alias: string; relation: Relation }[] {
    return [...sql.matchAll(/\b(?:from|join|,)\s*(\w+)(?:\s+(?:as\s+)?(\w+))?/gi)].flatMap(([, name = '', alias]) => {
        const relation = relations.find((one) => one.name === name.toLowerCase());
        return relation
            ? [{ alias: relation.name, relation }, ...(alias === undefined ? [] : [{ alias: alias.toLowerCase(), relation }])]
            : [];
    });
}

function columnsOf(relations: readonly Relation[]): Completion[] {
    const columns = new Map(relations.flatMap((relation) => relation.columns.map((column) => [column.name, { column, relation }])));
    return [...columns.values()].map(({ column: { name, type, unit, meaning }, relation }) => ({
        label: name,
        type: 'property',
        detail: unit ?? type,
        info: meaning ?? `of ${relation.name}`,
        boost: 1,
    }));
}

/** True behind an apostrophe that nothing closes, or behind `--`. */
function isInTextOrComment(before: string): boolean {
    const rest = before.replaceAll(/'(?:[^']|'')*'|--[^\n]*\n|\/\*[\s\S]*?\*\//g, '');
    return rest.includes("'") || rest.includes('--') || rest.includes('/*');
}
