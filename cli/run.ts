/** One run of the command line: reads the line, runs the command, and turns whatever happens into words and an exit code. */
import { ConflictError, NotFoundError, OverflowError, SqlError, StorageError, UsageError } from '#lake/errors';
import { isDay } from '#lake/instant';
import { parseLakeLocation } from '#lake/lake';
import type { Command, Surroundings } from './command.ts';
import { Failure } from './command.ts';
import { commands as allCommands } from './commands.ts';
import { OutputClosed } from './output.ts';
import type { Call, Reply } from './parse-line.ts';
import { parseLine } from './parse-line.ts';
import { readVersion } from './version.ts';

const DONE = 0;
const FAILED = 1;
const WRONG_USAGE = 2;
export const INTERRUPTED = 130;

/** Most columns of help: longer lines are hard to read. */
const MAX_HELP_COLUMNS = 100;

/** Errors whose words are enough for the user; for any other error the stack may be needed too. */
const KNOWN_ERRORS = [UsageError, Failure, NotFoundError, ConflictError, StorageError, OverflowError, SqlError];

/** Runs the line `argv`, the program's name not among it. @returns the exit code; never throws */
export async function run(
    argv: readonly string[],
    surroundings: Surroundings,
    commands: readonly Command[] = allCommands,
): Promise<number> {
    const { signal, stdout } = surroundings;
    try {
        const line = parseLine(argv, { commands, version: readVersion(), columns: Math.min(stdout.columns, MAX_HELP_COLUMNS) });
        const exitCode = line.kind === 'reply' ? await answer(line, surroundings) : await runCall(line, surroundings, commands);
        return signal.aborted && !(line.kind === 'call' && line.command.endsBySignal) ? INTERRUPTED : exitCode;
    } catch (error) {
        return explain(error, surroundings);
    }
}

async function answer(reply: Reply, { stdout, stderr }: Surroundings): Promise<number> {
    await stderr.write(reply.stderr);
    await stdout.write(reply.stdout);
    return reply.exitCode;
}

async function runCall(call: Call, surroundings: Surroundings, commands: readonly Command[]): Promise<number> {
    const { from, to, maxScan } = call.options;
    if (typeof from === 'string' && typeof to === 'string' && from > to) {
        throw new UsageError(`--from ${from} is later than --to ${to}${isDay(to) ? '; both days are included' : ''}`);
    }
    const lake = call.lake ?? surroundings.environment.FLOWLAKE_LAKE ?? '';
    return call.command.run({
        ...surroundings,
        lake: lake === '' ? undefined : parseLakeLocation(lake),
        output: call.output ?? 'table',
        maxScanBytes: typeof maxScan === 'number' ? maxScan : undefined,
        isOutputGiven: call.output !== undefined,
        arguments: call.arguments,
        options: call.options,
        invoke: (argv, otherwise = {}) => run(argv, { ...surroundings, ...otherwise }, commands),
    });
}

async function explain(error: unknown, { environment, signal, stderr }: Surroundings): Promise<number> {
    if (signal.aborted) {
        await stderr.write('flowlake: interrupted\n');
        return INTERRUPTED;
    }
    if (error instanceof OutputClosed) {
        return DONE;
    }
    const isKnown = KNOWN_ERRORS.some((known) => error instanceof known);
    await stderr.write(`flowlake: ${error instanceof Error ? error.message : String(error)}\n`);
    if (environment.FLOWLAKE_DEBUG === '1' && error instanceof Error) {
        await stderr.write(`${error.stack}\n`);
    } else if (!isKnown) {
        await stderr.write('This is unexpected: run it again with FLOWLAKE_DEBUG=1 to see where it happened\n');
    }
    return error instanceof UsageError ? WRONG_USAGE : FAILED;
}
