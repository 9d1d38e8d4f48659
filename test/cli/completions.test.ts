/** Completion in real shells: bash always, zsh and fish where they are installed; every script is read by every command's own words. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { commands } from '#cli/commands';
import { runLine } from '#test/cli/fake-surroundings';
import { makeFolder } from '#test/support/temporary';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

let folder: string;

beforeAll(async () => {
    folder = await makeFolder();
    for (const shell of SHELLS) {
        const { exitCode, stdout, stderr } = await runLine(['completions', shell]);
        expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
        await writeFile(join(folder, `flowlake.${shell}`), stdout);
    }
    await mkdir(join(folder, 'here', 'a lake'), { recursive: true });
    await writeFile(join(folder, 'here', 'a file.csv'), '');
    await writeFile(join(folder, 'here', 'pairs.sql'), '');
});

function isInstalled(shell: Shell): boolean {
    return spawnSync(shell, ['-c', 'exit 0']).status === 0;
}

/** What the shell proposes for the last word of the line, in order. */
const COMPLETE: Record<Shell, (line: string) => string[]> = {
    bash(line) {
        // As readline splits a line: = is a word of its own.
        const words = line.split(/ |(?<==)|(?==)/);
        const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _flowlake; printf '%s\\n' "\${COMPREPLY[@]}"`;
        return linesOf(run('bash', ['--norc', '--noprofile', '-c', script, 'bash', join(folder, 'flowlake.bash'), ...words]));
    },
    zsh(line) {
        // What zsh's own functions are handed is what it would show.
        const script = `
compdef() { :; }
compadd() { [[ $1 == -- ]] && shift; print -rl -- $@; }
_describe() { local -a shown; shown=("\${(@P)@[-1]}"); print -rl -- \${\${shown%%:*}}; }
_files() { if [[ $1 == -/ ]]; then print -rl -- *(/N); else print -rl -- *(N); fi; }
compset() { PREFIX=\${PREFIX#*=}; }
source "$1"; shift; words=("$@"); CURRENT=$#; PREFIX=\${words[-1]}; _flowlake`;
        const prefix =
            line
                .split(' ')
                .at(-1)
                ?.replace(/^--[\w-]+=/, '') ?? '';
        const shown = run('zsh', ['-f', '-c', script, 'zsh', join(folder, 'flowlake.zsh'), ...line.split(' ')]);
        return linesOf(shown).filter((word) => word.startsWith(prefix));
    },
    fish(line) {
        const script = `source ${join(folder, 'flowlake.fish')}; complete -C ${JSON.stringify(line)}`;
        return linesOf(run('fish', ['--no-config', '-c', script])).map((shown) => shown.split('\t')[0] ?? '');
    },
};

function run(shell: Shell, words: string[]): string {
    return execFileSync(shell, words, { cwd: join(folder, 'here'), encoding: 'utf8', env: { PATH: process.env.PATH, HOME: folder } });
}

function linesOf(text: string): string[] {
    return text
        .split('\n')
        .filter((line) => line !== '')
        .sort();
}

describe.each(SHELLS.filter(isInstalled))('%s', (shell) => {
    const complete = COMPLETE[shell];

    test('proposes every command, and the second words of those that have some', () => {
        const first = new Set(commands.map(({ name }) => name.split(' ')[0]));
        expect(complete('flowlake ')).toEqual([...first].sort());
        expect(complete('flowlake re')).toEqual([...first].filter((word) => word?.startsWith('re')).sort());
        expect(complete('flowlake device ')).toEqual(['add', 'check', 'import', 'list', 'revoke', 'show']);
        expect(complete('flowlake --lake x --output json profile ')).toEqual(['add', 'check', 'list', 'show', 'try']);
    });

    test('proposes the options of the command that is typed, and those of any', () => {
        expect(complete('flowlake pairs --')).toEqual(
            ['--by', '--from', '--help', '--lake', '--max-scan', '--output', '--site', '--to', '--top', '--version'].sort(),
        );
        expect(complete('flowlake device add d1 --p')).toEqual(['--place', '--profile', '--program']);
        expect(complete('flowlake --lake lake export --f')).toEqual(['--format', '--from']);
    });

    test('proposes the choices of an option, behind a blank and behind =', () => {
        expect(complete('flowlake pairs --by ')).toEqual(['duration', 'flows', 'packets']);
        expect(complete('flowlake query --output c')).toEqual(['csv']);
        expect(complete('flowlake completions ')).toEqual(['bash', 'fish', 'zsh']);
        expect(complete('flowlake pairs --by=fl').map((word) => word.replace('--by=', ''))).toEqual(['flows']);
    });

    test('proposes names of files and directories where they are taken, and nothing where nobody can know', () => {
        const names = (line: string) => complete(line).map((name) => name.replaceAll('\\', '').replace(/\/$/, ''));
        expect(names('flowlake upload ')).toEqual(['a file.csv', 'a lake', 'pairs.sql']);
        expect(names('flowlake query -f p')).toEqual(['pairs.sql']);
        expect(names('flowlake --lake ')).toEqual(['a lake']);
        expect(names('flowlake pairs --site ')).toEqual([]);
        expect(names('flowlake export ')).toEqual([]);
    });

    test('tells an option of one command from a switch of that name in another', () => {
        expect(complete('flowlake device check d1 --credentials ').map((name) => name.replaceAll('\\', '').replace(/\/$/, ''))).toEqual([
            'a lake',
        ]);
        expect(complete('flowlake device show d1 --credentials --l')).toEqual(['--lake']);
    });
});

test.each(SHELLS)('the script of %s has every command and every option', async (shell) => {
    const { stdout } = await runLine(['completions', shell]);
    const flags = commands.flatMap(({ options }) => Object.values(options).map(({ flags }) => /--([\w-]+)/.exec(flags)?.[1] ?? ''));
    const words = new Set(stdout.match(/[\w-]+/g)?.map((word) => word.replace(/^--/, '')));
    expect([...flags, ...commands.flatMap(({ name }) => name.split(' '))].filter((word) => !words.has(word))).toEqual([]);
});

test('another shell is refused with those that there are', async () => {
    const { exitCode, stderr } = await runLine(['completions', 'powershell']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Allowed choices are bash, zsh, fish.');
});
