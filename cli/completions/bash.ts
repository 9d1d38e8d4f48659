/** The completion script of bash. It runs on the bash 3.2 that macOS has, too. */
import { type Completions, type Flag, firstWords, quoted, secondWords, type Value } from './words.ts';

export function bashScript(completions: Completions): string {
    const { commands, groups, anywhere } = completions;
    const globals = anywhere.flatMap(namesOf).join(' ');
    const withValue = anywhere.filter(({ value }) => value);
    return `# Completions of flowlake for bash, made from its commands: source <(flowlake completions bash)
_flowlake_choose() {
    local IFS=$'\\n'
    COMPREPLY=($(compgen -W "\${1// /$'\\n'}" -- "$current"))
}

_flowlake_names() {
    local IFS=$'\\n'
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen "$1" -- "$current"))
}

_flowlake() {
    local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command= word at
    # Bash makes three words of --flag=value.
    if [[ $current == = ]]; then
        current=
    elif [[ $previous == = ]]; then
        previous=\${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for ((at = 1; at < COMP_CWORD; at++)); do
        word=\${COMP_WORDS[at]}
        case $command:$word in
            ${withValue
                .flatMap(namesOf)
                .map((name) => `*:${name}`)
                .join(' | ')})
                at=$((at + 1))
                [[ \${COMP_WORDS[at]} == = ]] && at=$((at + 1))
                ;;
            :-*) ;;
            :*) command=$word ;;
${[...groups]
    .map(
        ([group, of]) =>
            `            ${secondWords(of)
                .map(({ word }) => `${group}:${word}`)
                .join(' | ')}) command="${group} $word" ;;`,
    )
    .join('\n')}
        esac
    done
    COMPREPLY=()
    case $command:$previous in
${[
    ...withValue.map((flag) => caseOf('*', flag)),
    ...commands.flatMap(({ name, flags }) => flags.filter(({ value }) => value).map((flag) => caseOf(quoted(name), flag))),
].join('\n')}
    esac
    if [[ $current == -* ]]; then
        case $command in
${commands.map(({ name, flags }) => `            ${quoted(name)}) _flowlake_choose ${quoted([...flags.flatMap(namesOf), globals].join(' '))} ;;`).join('\n')}
            *) _flowlake_choose ${quoted(globals)} ;;
        esac
        return
    fi
    case $command in
        '') _flowlake_choose ${quoted(
            firstWords(completions)
                .map(({ word }) => word)
                .join(' '),
        )} ;;
${[...groups]
    .map(
        ([group, of]) =>
            `        ${quoted(group)}) _flowlake_choose ${quoted(
                secondWords(of)
                    .map(({ word }) => word)
                    .join(' '),
            )} ;;`,
    )
    .join('\n')}
${commands
    .filter(({ argument }) => argument.kind !== 'text')
    .map(({ name, argument }) => `        ${quoted(name)}) ${proposal(argument)} ;;`)
    .join('\n')}
    esac
}

complete -F _flowlake flowlake
`;
}

function caseOf(command: string, flag: Flag): string {
    const places = namesOf(flag).map((name) => `${command}:${name}`);
    return `        ${places.join(' | ')}) ${[proposal(flag.value ?? { kind: 'text' }), 'return'].filter(Boolean).join('; ')} ;;`;
}

/** The command that proposes such a value; nothing for texts. */
function proposal(value: Value): string {
    switch (value.kind) {
        case 'words':
            return `_flowlake_choose ${quoted(value.words.join(' '))}`;
        case 'file':
            return '_flowlake_names -f';
        case 'directory':
            return '_flowlake_names -d';
        case 'text':
            return '';
    }
}

function namesOf({ long, short }: Flag): string[] {
    return short === undefined ? [long] : [short, long];
}
