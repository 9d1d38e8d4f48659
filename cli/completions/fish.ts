/** The completion script of fish, which shows what each word means. */
import { type Completions, type Flag, firstWords, secondWords } from './words.ts';

export function fishScript(completions: Completions): string {
    const { commands, groups, anywhere } = completions;
    const withValue = anywhere.filter(({ value }) => value);
    return `# Completions of flowlake for fish, made from its commands: flowlake completions fish > ~/.config/fish/completions/flowlake.fish
function __flowlake_command
    set -l command ''
    set -l isValue no
    set -l words (commandline -opc)
    for word in $words[2..-1]
        if test $isValue = yes
            set isValue no
            continue
        end
        switch "$command:$word"
            case ${withValue.map(({ long }) => quotedForFish(`*:${long}`)).join(' ')}
                set isValue yes
            case ':-*'
            case ':*'
                set command $word
${[...groups]
    .map(
        ([group, of]) =>
            `            case ${secondWords(of)
                .map(({ word }) => quotedForFish(`${group}:${word}`))
                .join(' ')}\n                set command "${group} $word"`,
    )
    .join('\n')}
        end
    end
    echo "$command"
end

function __flowlake_is
    test (__flowlake_command) = "$argv[1]"
end

complete -c flowlake -f
${anywhere.map((flag) => `complete -c flowlake ${optionWords(flag)}`).join('\n')}
${firstWords(completions)
    .map(({ word, summary }) => `complete -c flowlake -n '__flowlake_is ""' -a ${quotedForFish(word)} -d ${quotedForFish(summary)}`)
    .join('\n')}
${[...groups]
    .flatMap(([group, of]) =>
        secondWords(of).map(
            ({ word, summary }) =>
                `complete -c flowlake -n '__flowlake_is ${group}' -a ${quotedForFish(word)} -d ${quotedForFish(summary)}`,
        ),
    )
    .join('\n')}
${commands
    .flatMap(({ name, flags, argument }) => {
        const where = `complete -c flowlake -n '__flowlake_is "${name}"'`;
        const names = { file: ['-F'], directory: ["-a '(__fish_complete_directories)'"], text: [] };
        const ofArgument = argument.kind === 'words' ? [`-a ${quotedForFish(argument.words.join(' '))}`] : names[argument.kind];
        return [...flags.map(optionWords), ...ofArgument].map((words) => `${where} ${words}`);
    })
    .join('\n')}
`;
}

/** The flag, what it takes and what it means, as fish's complete has them. */
function optionWords({ long, short, meaning, value }: Flag): string {
    const takes =
        value === undefined
            ? []
            : value.kind === 'file'
              ? ['-r', '-F']
              : value.kind === 'directory'
                ? ['-x', "-a '(__fish_complete_directories)'"]
                : value.kind === 'words'
                  ? ['-x', `-a ${quotedForFish(value.words.join(' '))}`]
                  : ['-x'];
    return [...(short === undefined ? [] : [`-s ${short.slice(1)}`]), `-l ${long.slice(2)}`, ...takes, `-d ${quotedForFish(meaning)}`].join(
        ' ',
    );
}

function quotedForFish(text: string): string {
    return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
