/** What the frame promises for every command: how lines are read, how mistakes are answered, which exit code comes back. */

import { type Command, defineCommand, Failure } from '#cli/command';
import { choice, day, flag, text, whole } from '#cli/option';
import { OutputClosed } from '#cli/output';
import { ConflictError, NotFoundError, OverflowError, SqlError, StorageError, UsageError } from '#lake/errors';
import { fakeOutput, fakeWorld, runLine } from '#test/cli/fake-surroundings';

const seen: unknown[] = [];
const show = defineCommand({
    name: 'show',
    summary: 'show what was given',
    details: 'It is here for the tests.',
    arguments: { one: { meaning: 'a word', count: 'one' }, two: { meaning: 'another', count: 'one or none' } },
    options: {
        top: whole('--top <n>', 'how many', { fallback: 20 }),
        by: choice('--by <what>', 'in which order', ['flows', 'packets'], 'flows'),
        from: day('--from <day>', 'first day'),
        to: day('--to <day>', 'last day'),
        dryRun: flag('--dry-run', 'only say what would be done'),
        out: text('-o, --out <file>', 'where to'),
    },
    examples: [{ line: 'show this', does: 'shows this' }],
    async run({ arguments: { one, two }, options, output, lake }) {
        seen.push({ one, two, ...options, output, lake: lake?.name });
        return 0;
    },
});
const many = defineCommand({
    name: 'many',
    summary: 'take many words',
    arguments: { words: { meaning: 'words', count: 'one or more' } },
    options: {},
    examples: [{ line: 'many a b', does: 'takes two' }],
    async run({ arguments: { words } }) {
        seen.push(words);
        return 0;
    },
});
const commands: Command[] = [show, many];
const given = {
    one: 'x',
    two: undefined,
    top: 20,
    by: 'flows',
    from: undefined,
    to: undefined,
    dryRun: false,
    out: undefined,
    output: 'table',
    lake: undefined,
};

beforeEach(() => {
    seen.length = 0;
});

function failing(error: Error): Command {
    return { ...many, name: 'fail', arguments: {}, run: () => Promise.reject(error) };
}

describe('a line', () => {
    test('gives the command its arguments and options, defaults for what is left out', async () => {
        expect(await runLine(['show', 'x'], { commands })).toEqual({ exitCode: 0, stdout: '', stderr: '' });
        await runLine(
            ['show', 'x', 'y', '--top', '5', '--by=packets', '--dry-run', '-o', 'f', '--from', '2024-02-29', '--to', '2024-02-29'],
            { commands },
        );
        await runLine(['many', 'a', 'b', '-', 'c'], { commands });
        expect(seen).toEqual([
            given,
            { ...given, two: 'y', top: 5, by: 'packets', dryRun: true, out: 'f', from: '2024-02-29', to: '2024-02-29' },
            ['a', 'b', '-', 'c'],
        ]);
    });

    test('takes --lake and --output before and after the command, and the lake from FLOWLAKE_LAKE where none is given', async () => {
        const world = fakeWorld({ environment: { FLOWLAKE_LAKE: './default' } });
        await runLine(['--lake', './a', '--output', 'json', 'show', 'x'], { commands, world });
        await runLine(['show', 'x', '--output', 'csv', '--lake', './a'], { commands, world });
        await runLine(['show', 'x'], { commands, world });
        await runLine(['show', 'x'], { commands, world: fakeWorld({ environment: { FLOWLAKE_LAKE: '' } }) });
        expect(seen).toEqual([
            { ...given, lake: './a', output: 'json' },
            { ...given, lake: './a', output: 'csv' },
            { ...given, lake: './default' },
            given,
        ]);
    });

    test.each([
        [['shwo', 'x'], "flowlake: unknown command 'shwo' (Did you mean show?)\nflowlake --help lists the commands and options\n"],
        [['shwo', '--help'], "flowlake: unknown command 'shwo' (Did you mean show?)"],
        [['help', 'shwo'], "flowlake: unknown command 'shwo' (Did you mean show?)"],
        [['show', 'x', '--topp', '5'], "flowlake: unknown option '--topp' (Did you mean --top?)\nflowlake show --help shows how\n"],
        [['show', 'x', '--ouptut', 'csv'], "flowlake: unknown option '--ouptut' (Did you mean --output?)"],
        [['--laek', 'x', 'show', 'x'], "flowlake: unknown option '--laek' (Did you mean --lake?)"],
        [['show'], "flowlake: missing required argument 'one'\n"],
        [['show', 'x', 'y', 'z'], 'flowlake: too many arguments'],
        [['show', 'x', '--top', '5x'], "flowlake: option '--top <n>' argument '5x' is invalid. Expected a whole number from 1 on.\n"],
        [['show', 'x', '--top', '0'], 'Expected a whole number from 1 on.'],
        [['show', 'x', '--top', '-3'], 'Expected a whole number from 1 on.'],
        [['show', 'x', '--top', '1e3'], 'Expected a whole number from 1 on.'],
        [['show', 'x', '--top', '9007199254740993'], 'Expected a whole number from 1 on.'],
        [['show', 'x', '--top'], "flowlake: option '--top <n>' argument missing"],
        [['show', 'x', '--by', 'flow'], 'Expected flows or packets.'],
        [['show', 'x', '--from', '2025-02-29'], 'Expected a day of the calendar, YYYY-MM-DD.'],
        [['show', 'x', '--from', '2025-2-1'], 'Expected a day of the calendar, YYYY-MM-DD.'],
        [['show', 'x', '--to', 'today'], 'Expected a day of the calendar, YYYY-MM-DD.'],
        [['show', 'x', '--from', '2025-02-02', '--to', '2025-02-01'], '--from 2025-02-02 is later than --to 2025-02-01'],
        [['show', 'x', '--output', 'xml'], 'Expected table, json or csv.'],
    ])('that is wrong is exit 2, says what was expected and runs nothing: %j', async (argv, words) => {
        const { exitCode, stdout, stderr } = await runLine(argv, { commands });
        expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
        expect(stderr).toContain(words);
        expect(seen).toEqual([]);
    });

    test('with nothing in it is answered with help on stderr and exit 2', async () => {
        const { exitCode, stdout, stderr } = await runLine([], { commands });
        expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
        expect(stderr).toContain('Usage: flowlake [--lake <dir | s3://bucket>] [--output table|json|csv] <command>');
    });
});

describe('help', () => {
    test.each([[['--help']], [['-h']], [['help']]])('of the program lists commands, options and examples on stdout: %j', async (argv) => {
        const { exitCode, stdout, stderr } = await runLine(argv, { commands });
        expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
        expect(stdout).toMatch(/^ {2}show +show what was given$/m);
        expect(stdout).toContain('Examples:\n  flowlake demo\n');
        expect(stdout).toContain('--output <format>');
    });

    test.each([[['show', '--help']], [['help', 'show']], [['show', 'x', '-h']]])(
        'of a command has its options, the global ones and its example: %j',
        async (argv) => {
            const { exitCode, stdout } = await runLine(argv, { commands });
            expect(exitCode).toBe(0);
            expect(stdout).toContain('Show what was given.\nIt is here for the tests.');
            expect(stdout).toContain('Usage: flowlake show [options] <one> [two]');
            expect(stdout).toMatch(/--top <n> +how many \(default: 20\)/);
            expect(stdout).toContain('--lake <lake>');
            expect(stdout).toContain('Examples:\n  flowlake show this\n      shows this\n');
        },
    );

    test('fits the terminal', async () => {
        const { stdout } = await runLine(['--help'], { world: fakeWorld({ stdout: fakeOutput({ columns: 60 }) }) });
        const tooLong = stdout
            .split('\n')
            .filter((line) => line.length > 60 && !line.startsWith('  flowlake') && !line.startsWith('Usage'));
        expect(tooLong).toEqual([]);
    });

    test('--version prints the version', async () => {
        const { exitCode, stdout } = await runLine(['--version'], { commands });
        expect(exitCode).toBe(0);
        expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    });
});

describe('an error', () => {
    test.each([
        [new UsageError('no such thing'), 2],
        [new Failure('not found'), 1],
        [new NotFoundError('not there'), 1],
        [new ConflictError('somebody was faster'), 1],
        [new StorageError('disk full'), 1],
        [new OverflowError('too large'), 1],
        [new SqlError('line 1: what?'), 1],
    ])('of the lake is one clear line: %s', async (error, exitCode) => {
        expect(await runLine(['fail'], { commands: [failing(error)] })).toEqual({
            exitCode,
            stdout: '',
            stderr: `flowlake: ${error.message}\n`,
        });
    });

    test('nobody expected is its message and how to see more, with FLOWLAKE_DEBUG=1 the stack', async () => {
        const commands = [failing(new TypeError('x is not a function'))];
        const brief = await runLine(['fail'], { commands });
        expect(brief.exitCode).toBe(1);
        expect(brief.stderr).toMatch(/^flowlake: x is not a function\n.*FLOWLAKE_DEBUG=1.*\n$/);
        const full = await runLine(['fail'], { commands, world: fakeWorld({ environment: { FLOWLAKE_DEBUG: '1' } }) });
        expect(full.stderr).toContain('run.test.ts');
    });

    test('is no error where the reader of stdout went away', async () => {
        expect(await runLine(['fail'], { commands: [failing(new OutputClosed('gone'))] })).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    });

    test('after Ctrl-C is the interruption, exit 130, and so is a return after it', async () => {
        const interruption = new AbortController();
        const world = fakeWorld({ signal: interruption.signal });
        interruption.abort();
        expect(await runLine(['fail'], { commands: [failing(new SqlError('interrupted'))], world })).toEqual({
            exitCode: 130,
            stdout: '',
            stderr: 'flowlake: interrupted\n',
        });
        expect((await runLine(['show', 'x'], { commands, world })).exitCode).toBe(130);
    });
});

describe('a command', () => {
    test('can run another line in its own surroundings', async () => {
        const outer: Command = { ...many, name: 'outer', arguments: {}, run: ({ invoke }) => invoke(['--output', 'json', 'show', 'x']) };
        expect((await runLine(['outer'], { commands: [outer, show] })).exitCode).toBe(0);
        expect(seen).toEqual([{ ...given, output: 'json' }]);
    });
});
