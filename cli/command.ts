/** What a command is, and what it gets to run: everything it knows of the world stands in its context, so a test can be the world. */
import type { LakeLocation } from '#lake/lake';
import type { Option } from './option.ts';
import type { Output } from './output.ts';

/** A word of a command's line. `one` is required, `one or more` takes the rest of the line. */
export interface Argument {
    meaning: string;
    count: 'one' | 'one or none' | 'one or more';
    /** The words that it may be; any where there are none. */
    choices?: readonly string[];
    /** What it names on the disk, where it does. */
    takes?: 'file' | 'directory';
}

/** Arguments by name, in the order in which they are written on the line. */
export type Arguments = Readonly<Record<string, Argument>>;
/** Options by the camel case of their long flag: `dryRun` is `--dry-run`. */
export type Options = Readonly<Record<string, Option<unknown>>>;

type ArgumentValue<C extends Argument['count']> = C extends 'one' ? string : C extends 'one or none' ? string | undefined : string[];
type ArgumentValues<A extends Arguments> = { readonly [K in keyof A]: ArgumentValue<A[K]['count']> };
type OptionValues<O extends Options> = { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never };

export type OutputFormat = 'table' | 'json' | 'csv';

/** The world as the commands see it; main.ts makes it of the process, tests make it of fakes. */
export interface Surroundings {
    environment: Readonly<Record<string, string | undefined>>;
    /** Way out for data. */
    stdout: Output;
    /** Way out for everything else. */
    stderr: Output;
    /** What is piped in, to be read once. */
    readInput(): AsyncIterable<Uint8Array>;
    /** Aborted at the first Ctrl-C; a command that then throws, or returns, ends with 130. */
    signal: AbortSignal;
    now(): Date;
    /** How this program is started here, `npx flowlake` or `flowlake`: for telling the user what to type next. */
    invocation: string;
}

/** What every command gets beside its own arguments and options. */
export interface RunContext extends Surroundings {
    /** The lake that --lake or FLOWLAKE_LAKE names; undefined where neither does, which `useLake` makes an error. */
    lake: LakeLocation | undefined;
    output: OutputFormat;
    /** Bytes that the questions of the command may read, where that is paid for: --max-scan. */
    maxScanBytes?: number | undefined;
    /** True if --output was given, rather than left at `table`. */
    isOutputGiven: boolean;
    /** Runs another command line in these surroundings; `otherwise` replaces some of them. @returns its exit code */
    invoke(argv: readonly string[], otherwise?: Partial<Surroundings>): Promise<number>;
}

export interface Context<A extends Arguments = Arguments, O extends Options = Options> extends RunContext {
    arguments: ArgumentValues<A>;
    options: OptionValues<O>;
}

export interface Example {
    /** Command line without the program's name: `pairs --top 5`. */
    line: string;
    does: string;
}

export interface Command<A extends Arguments = Arguments, O extends Options = Options> {
    /** One word, or two where several commands are about one thing: `profile add`. */
    name: string;
    /** One line for the list of commands, without a final stop. */
    summary: string;
    /** What else must be known, in whole sentences. */
    details?: string;
    arguments: A;
    options: O;
    /** Examples, one at least. */
    examples: readonly [Example, ...Example[]];
    /** True for commands whose answers Athena may read: they take --max-scan, and `useLake` holds them to it. */
    scans?: boolean;
    /** True where Ctrl-C is how it ends: its exit code is then its own, and not that of a command that was interrupted. */
    endsBySignal?: boolean;
    /** Runs the command. @returns its exit code. It imports what does the work, run.ts beside it, and no more: so `--help` stays quick. */
    run(context: Context<A, O>): Promise<number>;
}

/** The command as given; it is here so that `run` sees the types of the arguments and options. */
export function defineCommand<const A extends Arguments, const O extends Options>(command: Command<A, O>): Command<A, O> {
    return command;
}

/** The answer is no: one clear line for the user and exit code 1. */
export class Failure extends Error {
    override name = 'Failure';
}
