/** The completion script of zsh, which shows what each word means. */
import { type Completions, type Flag, firstWords, quoted, secondWords, type Value } from './words.ts';

export function zshScript(completions: Completions): string {
    const { commands, groups, anywhere } = completions;
    const withValue = anywhere.filter(({ value }) => value);
    return `#compdef flowlake
# Completions of flowlake for zsh, made from its commands: flowlake completions zsh > ~/.zfunc/_flowlake
_flowlake() {
    local command= flag= word
    local -a found
    integer at
    for ((at = 2; at < CURRENT; at++)); do
        word=$words[at]
        case $command:$word in
            (${withValue
                .flatMap(namesOf)
                .map((name) => `*:${name}`)
                .join('|')}) ((at++)) ;;
            (:-*) ;;
            (:*) command=$word ;;
${[...groups]
    .map(
        ([group, of]) =>
            `            (${secondWords(of)
                .map(({ word }) => `${group}:${word}`)
                .join('|')}) command="${group} $word" ;;`,
    )
    .join('\n')}
        esac
    done
    if [[ $PREFIX == --*=* ]]; then
        flag=\${PREFIX%%=*}
        compset -P '*='
    else
        flag=$words[CURRENT-1]
    fi
    case $command:$flag in
${[
    ...withValue.map((one) => caseOf('*', one)),
    ...commands.flatMap(({ name, flags }) => flags.filter(({ value }) => value).map((one) => caseOf(quoted(name), one))),
].join('\n')}
    esac
    if [[ $PREFIX == -* ]]; then
        case $command in
${commands.map(({ name, flags }) => `            (${quoted(name)}) found=(${flags.flatMap(described).join(' ')}) ;;`).join('\n')}
        esac
        found+=(${anywhere.flatMap(described).join(' ')})
        _describe -o option found
        return
    fi
    case $command in
        ('') found=(${firstWords(completions)
            .map(({ word, summary }) => entry(word, summary))
            .join(' ')}); _describe command found ;;
${[...groups]
    .map(
        ([group, of]) =>
            `        (${quoted(group)}) found=(${secondWords(of)
                .map(({ word, summary }) => entry(word, summary))
                .join(' ')}); _describe command found ;;`,
    )
    .join('\n')}
${commands
    .filter(({ argument }) => argument.kind !== 'text')
    .map(({ name, argument }) => `        (${quoted(name)}) ${proposal(argument)} ;;`)
    .join('\n')}
    esac
}

# As a file of fpath it is called; as a script that is sourced it says what it completes.
if [[ $funcstack[1] == _flowlake ]]; then
    _flowlake "$@"
else
    compdef _flowlake flowlake
fi
`;
}

function caseOf(command: string, flag: Flag): string {
    const places = namesOf(flag).map((name) => `${command}:${name}`);
    return `        (${places.join('|')}) ${[proposal(flag.value ?? { kind: 'text' }), 'return'].filter(Boolean).join('; ')} ;;`;
}

function proposal(value: Value): string {
    switch (value.kind) {
        case 'words':
            return `compadd -- ${value.words.map(quoted).join(' ')}`;
        case 'file':
            return '_files';
        case 'directory':
            return '_files -/';
        case 'text':
            return '';
    }
}

/** A word and what it means, as _describe takes them: a colon stands between. */
function entry(word: string, meaning: string): string {
    return quoted(`${word.replaceAll(':', '\\:')}:${meaning}`);
}

function described(flag: Flag): string[] {
    return namesOf(flag).map((name) => entry(name, flag.meaning));
}

function namesOf({ long, short }: Flag): string[] {
    return short === undefined ? [long] : [short, long];
}
