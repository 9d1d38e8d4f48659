/** `flowlake completions`: what a shell must know to complete lines of this program. */
import { type Command, defineCommand } from '#cli/command';

/** The command over all commands, itself among them. */
export const completionsOfAll = (allCommands: () => readonly Command[]): Command =>
    defineCommand({
        name: 'completions',
        summary: 'the completion script of a shell: commands, options, their choices, names of files',
        details:
            'It is made from the commands of this version. bash: source <(flowlake completions bash) in ~/.bashrc. zsh: the file _flowlake in a folder of fpath, or source it after compinit. ' +
            'fish: the file flowlake.fish in ~/.config/fish/completions.',
        arguments: { shell: { meaning: 'bash, zsh or fish', count: 'one', choices: ['bash', 'zsh', 'fish'] } },
        options: {},
        examples: [
            { line: 'completions bash >> ~/.bashrc', does: 'from the next bash on' },
            { line: 'completions zsh > ~/.zfunc/_flowlake', does: 'from the next zsh on, where ~/.zfunc is in fpath' },
            { line: 'completions fish > ~/.config/fish/completions/flowlake.fish', does: 'in every fish' },
        ],
        async run({ arguments: { shell }, ...context }) {
            const { printCompletions } = await import('./run.ts');
            return printCompletions(shell, allCommands(), context);
        },
    });
