/** The command line as a Markdown page, made of the same objects as the help: docs/generate.ts writes it to docs/cli.md. */
import type { Command, Example, Options } from './command.ts';
import { globalOptions, optionsOf, PROGRAM_EXAMPLES, PROGRAM_SUMMARY, writeArgument } from './parse-line.ts';

/** The command line as a page of Markdown, with a section for every command. */
export function describeCommands(commands: readonly Command[]): string {
    const overview = [
        '| command | does |',
        '| --- | --- |',
        ...commands.map(({ name, summary }) => `| [\`${name}\`](#${name.replaceAll(' ', '-')}) | ${escapeCell(summary)} |`),
    ];
    const sections = [
        '# Command line',
        PROGRAM_SUMMARY,
        codeBlock(['flowlake [--lake <dir | s3://bucket>] [--output table|json|csv] <command>']),
        overview.join('\n'),
        'These options stand before or after any command:',
        describeOptions(globalOptions),
        'Rows go to stdout, everything else to stderr; progress is drawn only on a terminal. Whole numbers are printed digit by digit in every ' +
            'format, days as `YYYY-MM-DD`. A table rounds fractions to three places and, on a terminal, cuts texts to fit; JSON and CSV do neither.',
        [
            '| exit code | means |',
            '| --- | --- |',
            '| 0 | done |',
            '| 1 | failed, or the answer is no |',
            '| 2 | used wrongly |',
            '| 130 | interrupted (Ctrl-C) |',
        ].join('\n'),
        'With `FLOWLAKE_DEBUG=1` an error also shows where in the program it happened.',
        describeExamples(PROGRAM_EXAMPLES),
        'The examples below take it that `FLOWLAKE_LAKE` names the lake. Of a deployed lake the bucket says the rest: its region, queues, database and ' +
            'workgroup stand in its tags. Credentials, profile and region are taken from where the AWS SDK looks for them (`AWS_PROFILE`, `AWS_REGION`).',
        ...commands.map(describeCommand),
    ];
    return `${sections.join('\n\n')}\n`;
}

/** A command and its arguments as they are typed: `export <src> <dst>`, `upload <file...>`. */
function usageOf({ name, arguments: args }: Command): string {
    return [name, ...Object.entries(args).map(([argument, { count }]) => writeArgument(argument, count))].join(' ');
}

function describeCommand(command: Command): string {
    const { name, summary, details, arguments: args, examples } = command;
    const options = optionsOf(command);
    const rows = Object.entries(args).map(
        ([argument, { meaning, count }]) => `| \`${writeArgument(argument, count)}\` | ${escapeCell(meaning)} |`,
    );
    const parts = [
        `## ${name}`,
        `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.${details === undefined ? '' : ` ${details}`}`,
        codeBlock([`flowlake ${usageOf(command)}${Object.keys(options).length === 0 ? '' : ' [options]'}`]),
        rows.length === 0 ? '' : ['| argument | meaning |', '| --- | --- |', ...rows].join('\n'),
        describeOptions(options),
        describeExamples(examples),
    ];
    return parts.filter((part) => part !== '').join('\n\n');
}

function describeOptions(options: Options): string {
    const rows = Object.values(options).map(({ flags, meaning, fallback, parse }) => {
        const byDefault = parse === undefined || fallback === undefined ? '' : ` (default: ${fallback})`;
        return `| \`${escapeCell(flags)}\` | ${escapeCell(meaning)}${byDefault} |`;
    });
    return rows.length === 0 ? '' : ['| option | meaning |', '| --- | --- |', ...rows].join('\n');
}

function describeExamples(examples: readonly Example[]): string {
    return codeBlock(examples.flatMap(({ line, does }) => [`# ${does}`, `flowlake ${line}`]));
}

function codeBlock(lines: readonly string[]): string {
    return ['```sh', ...lines, '```'].join('\n');
}

function escapeCell(text: string): string {
    return text.replaceAll('|', '\\|');
}
