/** Makes of the command objects a commander program, and of a line of arguments a call: what commander knows stays in here. */
import { Argument, CommanderError, Option as CommanderOption, InvalidArgumentError, Command as Program } from 'commander';
import type { Argument as ArgumentDescription, Command, Example, Options, OutputFormat } from './command.ts';
import type { Option } from './option.ts';
import { bytes, choice, directory, UnreadableOption } from './option.ts';

const OUTPUT_FORMATS = ['table', 'json', 'csv'] as const satisfies readonly OutputFormat[];

/** The options that stand before or after any command. */
export const globalOptions = {
    lake: directory('--lake <lake>', 'the lake: a directory, or s3://bucket; FLOWLAKE_LAKE names a default'),
    output: choice('--output <format>', 'how rows are printed: table (default), json or csv', OUTPUT_FORMATS),
};

/** The options of a command: its own, and --max-scan where its answers are paid for by what is read. */
export function optionsOf({ options, scans = false }: Pick<Command, 'options' | 'scans'>): Options {
    return scans ? { ...options, maxScan: MAX_SCAN } : options;
}

const MAX_SCAN = bytes(
    '--max-scan <size>',
    'for Athena: fail where the command reads more than this, like 10GB; it tells while it reads, so somewhat more may be read, and is paid',
);

export const PROGRAM_SUMMARY =
    'An IoT data lake: exact daily totals, running statistics and unusual days for every pair of devices, from files of network flows; exact readings, hours and alerts, from messages of devices.';

export const PROGRAM_EXAMPLES: readonly Example[] = [
    { line: 'demo', does: 'see it work in a temporary lake, in under a minute' },
    { line: '--lake ./my-lake upload monday.csv --site berlin', does: 'put a file of flows into a lake' },
    { line: '--lake ./my-lake pairs --top 5', does: 'the five busiest pairs of devices' },
    { line: '--lake ./my-lake upload --kind telemetry --profile shelly-gen2 messages.jsonl', does: 'put messages of devices into a lake' },
    { line: '--lake ./my-lake query "select * from day_totals" --output csv', does: 'ask anything, in SQL' },
];

/** A line that names a command and gives it what it takes. */
export interface Call {
    kind: 'call';
    command: Command;
    arguments: Record<string, string | string[] | undefined>;
    options: Record<string, unknown>;
    /** Value of --lake. */
    lake: string | undefined;
    /** Value of --output. */
    output: OutputFormat | undefined;
}

/** A line that is answered with words alone: help, the version, or what is wrong with the line. */
export interface Reply {
    kind: 'reply';
    stdout: string;
    stderr: string;
    exitCode: number;
}

export interface ParseOptions {
    commands: readonly Command[];
    version: string;
    /** The width that help is wrapped to. */
    columns: number;
}

/** Reads a line of arguments, the program's name not among them. */
export function parseLine(argv: readonly string[], options: ParseOptions): Call | Reply {
    if (argv[0] === 'help') {
        return parseLine([...argv.slice(1), '--help'], options);
    }
    const said = { stdout: '', stderr: '' };
    const calls: Call[] = [];
    const program = buildProgram(options, said);
    const groups = new Map<string, Program>();
    for (const command of options.commands) {
        const [first = '', second] = command.name.split(' ');
        const subcommand = buildCommand(second === undefined ? program.command(first) : groupOf(first).command(second), command);
        subcommand.action(() => {
            calls.push(readCall(program, subcommand, command));
        });
    }
    function groupOf(name: string): Program {
        const known = groups.get(name) ?? buildGroup(program.command(name), options.commands);
        groups.set(name, known);
        return known;
    }
    try {
        program.parse(argv, { from: 'user' });
    } catch (error) {
        if (!(error instanceof CommanderError)) {
            throw error;
        }
        const [name] = program.args;
        if (
            error.code === 'commander.helpDisplayed' &&
            name !== undefined &&
            !name.startsWith('-') &&
            !options.commands.some((command) => command.name.split(' ')[0] === name)
        ) {
            // Commander answers `pars --help` with the program's help; the misspelt name is what must be said.
            return parseLine([name], options);
        }
        return { kind: 'reply', ...said, exitCode: error.exitCode === 0 ? 0 : 2 };
    }
    return calls[0] ?? { kind: 'reply', ...said, exitCode: 2 };
}

function buildProgram({ version, columns }: ParseOptions, said: { stdout: string; stderr: string }): Program {
    const program = new Program('flowlake')
        .exitOverride()
        .configureOutput({
            writeOut: (words) => {
                said.stdout += words;
            },
            writeErr: (words) => {
                said.stderr += words;
            },
            outputError: (words, write) => write(words.replace(/^error: /, 'flowlake: ').replace('\n(Did you mean', ' (Did you mean')),
            getOutHelpWidth: () => columns,
            getErrHelpWidth: () => columns,
        })
        .configureHelp({ showGlobalOptions: true, minWidthToWrap: 24, subcommandTerm: (subcommand) => subcommand.name() })
        .description(PROGRAM_SUMMARY)
        .usage('[--lake <dir | s3://bucket>] [--output table|json|csv] <command>')
        .helpCommand(false)
        .version(version, '-V, --version', 'print the version')
        .helpOption('-h, --help', 'show help, of a command if one is named')
        .showHelpAfterError('flowlake --help lists the commands and options')
        .addHelpText('after', `\n${renderExamples(PROGRAM_EXAMPLES)}`);
    for (const option of Object.values(globalOptions)) {
        program.addOption(buildOption(option));
    }
    return program;
}

/** The word that some commands have in common: `profile` of `profile list` and `profile add`. By itself it shows them. */
function buildGroup(group: Program, commands: readonly Command[]): Program {
    const verbs = commands
        .map(({ name }) => name.split(' '))
        .flatMap(([first, second]) => (first === group.name() && second ? [second] : []));
    return group
        .summary(`${verbs.join(', ')} (each has its own --help)`)
        .helpCommand(false)
        .helpOption('-h, --help', 'show help, of a command if one is named')
        .showHelpAfterError(`flowlake ${group.name()} --help lists its commands`);
}

function buildCommand(subcommand: Program, command: Command): Program {
    subcommand
        .summary(command.summary)
        .description(command.details === undefined ? capitalize(command.summary) : `${capitalize(command.summary)}.\n${command.details}`)
        .helpOption('-h, --help', 'show help')
        .showHelpAfterError(`flowlake ${command.name} --help shows how`)
        .addHelpText('after', `\n${renderExamples(command.examples)}`);
    for (const [name, argument] of Object.entries(command.arguments)) {
        const built = new Argument(writeArgument(name, argument.count), argument.meaning);
        subcommand.addArgument(argument.choices === undefined ? built : built.choices(argument.choices));
    }
    for (const option of Object.values(optionsOf(command))) {
        subcommand.addOption(buildOption(option));
    }
    return subcommand;
}

/** An argument as help writes it: `<one>`, `[one]`, `<more...>`. */
export function writeArgument(name: string, count: ArgumentDescription['count']): string {
    return { one: `<${name}>`, 'one or none': `[${name}]`, 'one or more': `<${name}...>` }[count];
}

function buildOption(option: Option<unknown>): CommanderOption {
    const { parse } = option;
    const built = new CommanderOption(option.flags, option.meaning);
    if (parse === undefined) {
        return built;
    }
    if (option.fallback !== undefined) {
        built.default(option.fallback);
    }
    return built.argParser((given: string, before: unknown) => {
        try {
            return parse(given, before);
        } catch (error) {
            throw error instanceof UnreadableOption ? new InvalidArgumentError(error.message) : error;
        }
    });
}

function readCall(program: Program, subcommand: Program, command: Command): Call {
    const names = Object.keys(command.arguments);
    const { lake, output } = program.opts();
    return {
        kind: 'call',
        command,
        arguments: Object.fromEntries(names.map((name, index) => [name, subcommand.processedArgs[index]])),
        options: readOptions(subcommand, optionsOf(command)),
        lake: typeof lake === 'string' ? lake : undefined,
        output: OUTPUT_FORMATS.find((format) => format === output),
    };
}

/** A switch that was not given is false, and every option has its key, given or not. */
function readOptions(program: Program, options: Readonly<Record<string, Option<unknown>>>): Record<string, unknown> {
    const given = program.opts();
    return Object.fromEntries(Object.entries(options).map(([key, option]) => [key, given[key] ?? option.fallback]));
}

function renderExamples(examples: readonly Example[]): string {
    return ['Examples:', ...examples.map(({ line, does }) => `  flowlake ${line}\n      ${does}`)].join('\n');
}

function capitalize(sentence: string): string {
    return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
