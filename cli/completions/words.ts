/** What can be completed on a line, taken from the commands themselves: the scripts of all shells are written from this. */
import type { Command } from '#cli/command';
import type { Option } from '#cli/option';
import { globalOptions, optionsOf } from '#cli/parse-line';

/** What follows a flag, or stands as an argument: words to choose from, names on the disk, or text that nobody can foresee. */
export type Value = { kind: 'words'; words: readonly string[] } | { kind: 'file' } | { kind: 'directory' } | { kind: 'text' };

export interface Flag {
    /** `--out`; `-o` is its short form. */
    long: string;
    short: string | undefined;
    meaning: string;
    /** What follows it; undefined for a switch. */
    value: Value | undefined;
}

export interface CompletedCommand {
    /** One word or two. */
    name: string;
    summary: string;
    flags: readonly Flag[];
    argument: Value;
}

export interface Completions {
    commands: readonly CompletedCommand[];
    /** First words of commands of two: `device`, and what each of them has. */
    groups: ReadonlyMap<string, readonly CompletedCommand[]>;
    /** Flags that stand before or after any command. */
    anywhere: readonly Flag[];
}

const HELP: Flag = { long: '--help', short: '-h', meaning: 'show help', value: undefined };
const VERSION: Flag = { long: '--version', short: '-V', meaning: 'print the version', value: undefined };

export function completionsOf(commands: readonly Command[]): Completions {
    const completed = commands.map((command) => ({
        name: command.name,
        summary: command.summary,
        flags: Object.values(optionsOf(command)).map(flagOf),
        argument: typeOfValue(
            Object.values(command.arguments).find(({ choices, takes }) => choices !== undefined || takes !== undefined) ?? {},
        ),
    }));
    const groups = new Map<string, CompletedCommand[]>();
    for (const command of completed) {
        const [first = '', second] = command.name.split(' ');
        if (second !== undefined) {
            groups.set(first, [...(groups.get(first) ?? []), command]);
        }
    }
    return { commands: completed, groups, anywhere: [...Object.values(globalOptions).map(flagOf), HELP, VERSION] };
}

/** The words that may stand first, each with what it does. */
export function firstWords({ commands, groups }: Completions): { word: string; summary: string }[] {
    const single = commands.filter(({ name }) => !name.includes(' ')).map(({ name, summary }) => ({ word: name, summary }));
    const grouped = [...groups].map(([word, of]) => ({ word, summary: of.map(({ name }) => name.slice(word.length + 1)).join(', ') }));
    return [...single, ...grouped];
}

/** The second words of a group, each with what it does. */
export function secondWords(group: readonly CompletedCommand[]): { word: string; summary: string }[] {
    return group.map(({ name, summary }) => ({ word: name.split(' ')[1] ?? '', summary }));
}

function flagOf({ flags, meaning, parse, choices, takes }: Option<unknown>): Flag {
    const [, short, long = ''] = /^(?:(-\w), )?(--[\w-]+)/.exec(flags) ?? [];
    return { long, short, meaning, value: parse && typeOfValue({ choices, takes }) };
}

function typeOfValue({ choices, takes }: { choices?: readonly string[] | undefined; takes?: 'file' | 'directory' | undefined }): Value {
    return choices ? { kind: 'words', words: choices } : { kind: takes ?? 'text' };
}

/** The text in single quotes, as bash and zsh read it. */
export function quoted(text: string): string {
    return `'${text.replaceAll("'", "'\\''")}'`;
}
