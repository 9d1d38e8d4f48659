/** Prints the completion script of a shell. */
import type { Command, RunContext } from '#cli/command';
import { bashScript } from '#cli/completions/bash';
import { fishScript } from '#cli/completions/fish';
import { completionsOf } from '#cli/completions/words';
import { zshScript } from '#cli/completions/zsh';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

export async function printCompletions(shell: string, commands: readonly Command[], { stdout }: RunContext): Promise<number> {
    const script = Object.entries(SCRIPTS).find(([name]) => name === shell)?.[1];
    if (script === undefined) {
        throw new Error(`There is no script for ${shell}`);
    }
    await stdout.write(script(completionsOf(commands)));
    return 0;
}
