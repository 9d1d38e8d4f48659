/** The built program as its user runs it, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../dist/flowlake.js', import.meta.url));

export interface Ran {
    exitCode: number | null;
    stdout: string;
    stderr: string;
}

export interface RunOptions {
    /** Folder that the program runs in. */
    folder: string;
    /** Input that is piped in. */
    input?: string | Uint8Array;
    environment?: Record<string, string>;
    /** A command and its words that run the program in their turn: `sh -c 'ulimit -f 16 && exec "$@"'`. */
    through?: readonly string[];
    /** Number of the user who runs it. */
    as?: number;
}

/** Runs a line as a shell reads it (`upload "a b.csv"`), or words as they are. */
export function runFlowlake(line: string | readonly string[], { input, ...options }: RunOptions): Promise<Ran> {
    const child = startFlowlake(line, options);
    child.stdin?.end(input ?? '');
    return collect(child);
}

/** Starts the program and leaves it to the caller, to be killed for instance. */
export function startFlowlake(
    line: string | readonly string[],
    { folder, environment, through = [], as }: Omit<RunOptions, 'input'>,
): ChildProcess {
    const [command = '', ...words] =
        typeof line === 'string'
            ? [...through, 'sh', '-c', `exec "$0" "$1" ${line}`, process.execPath, PROGRAM]
            : [...through, process.execPath, PROGRAM, ...line];
    return spawn(command, words, {
        cwd: folder,
        env: { PATH: process.env.PATH, ...environment },
        ...(as !== undefined && { uid: as, gid: as }),
    });
}

/** Starts another build of the program, by the path of its file. */
export function startProgram(program: string, words: readonly string[], { folder }: Pick<RunOptions, 'folder'>): ChildProcess {
    return spawn(process.execPath, [program, ...words], { cwd: folder, env: { PATH: process.env.PATH } });
}

/** What a started program printed, once it has ended. */
export function collect(child: ChildProcess): Promise<Ran> {
    const printed = { stdout: '', stderr: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        printed.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        printed.stderr += text;
    });
    return new Promise((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (exitCode) => resolve({ exitCode, ...printed }));
    });
}
