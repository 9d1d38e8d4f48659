/** A world for commands that writes into strings: no process, no terminal, a clock that stands. */
import type { Command, Surroundings } from '#cli/command';
import type { Output } from '#cli/output';
import { run } from '#cli/run';

export interface FakeOutput extends Output {
    /** All that was written. */
    text: string;
}

export interface FakeWorld extends Surroundings {
    stdout: FakeOutput;
    stderr: FakeOutput;
}

export function fakeOutput({ isTerminal = false, columns = 80 }: { isTerminal?: boolean; columns?: number } = {}): FakeOutput {
    return {
        text: '',
        isTerminal,
        canRedraw: isTerminal,
        columns,
        async write(text) {
            this.text += text;
        },
        async control(sequence) {
            this.text += sequence;
        },
    };
}

/** `input` is what is piped in. */
export function fakeWorld({ input = '', ...overrides }: Partial<FakeWorld> & { input?: string } = {}): FakeWorld {
    return {
        environment: {},
        stdout: fakeOutput(),
        stderr: fakeOutput(),
        async *readInput() {
            yield Buffer.from(input);
        },
        signal: new AbortController().signal,
        now: () => new Date('2026-02-01T12:00:00Z'),
        invocation: 'npx flowlake',
        ...overrides,
    };
}

/** Runs one line and tells all that came of it. */
export async function runLine(
    argv: readonly string[],
    { world = fakeWorld(), commands }: { world?: FakeWorld; commands?: readonly Command[] } = {},
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    const exitCode = await run(argv, world, commands);
    return { exitCode, stdout: world.stdout.text, stderr: world.stderr.text };
}
