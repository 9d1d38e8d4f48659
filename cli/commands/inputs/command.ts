/** `flowlake profile list`, and so on: the documents that the readings of a kind ask for. Each kind with inputs has these commands, by its own word for them. */
import { type Command, defineCommand } from '#cli/command';
import { file, flag, headers, instant, text } from '#cli/option';
import type { KindWithInputs } from '#lake/kinds';

/** The commands about the inputs of a kind. */
export function inputCommands(kind: KindWithInputs): Command[] {
    const { noun, example = 'basic' } = kind.inputs;
    const ofFile = { meaning: `a ${noun} as a JSON file`, count: 'one', takes: 'file' } as const;
    return [
        defineCommand({
            name: `${noun} list`,
            summary: `the ${noun}s of the lake with their versions, and those that come with the program`,
            details:
                `A ${noun} of the program (preset) holds in a lake once it was added there, and stays as it was added: column preset says whether ` +
                'the one that holds is the preset (equal), was changed in the lake since (changed), is none of this program’s (differs, as after an update of ' +
                'the program), or is not in the lake yet (not added).',
            arguments: {},
            options: {},
            examples: [{ line: `${noun} list`, does: 'what files can be read by' }],
            async run(context) {
                const { listAll } = await import('./show.ts');
                return listAll(kind, context);
            },
        }),
        defineCommand({
            name: `${noun} show`,
            summary: `print a ${noun} as JSON`,
            details: 'The version that holds in the lake; where the lake has none, or no lake is named, the preset of that name.',
            arguments: {
                name: { meaning: `name of the ${noun}`, count: 'one' },
                version: { meaning: 'number of another version than the one that holds', count: 'one or none' },
            },
            options: {},
            examples: [
                { line: `${noun} show ${example} > mine.json`, does: 'to change it, and add it again' },
                { line: `${noun} show ${example} 1`, does: 'as it was at first' },
            ],
            async run({ arguments: { name, version }, ...context }) {
                const { showOne } = await import('./show.ts');
                return showOne(kind, { name, version }, context);
            },
        }),
        defineCommand({
            name: `${noun} check`,
            summary: `look whether a ${noun} is usable, and name each fault`,
            arguments: { file: ofFile },
            options: {},
            examples: [{ line: `${noun} check mine.json`, does: 'before it is added' }],
            async run({ arguments: { file }, ...context }) {
                const { checkFile } = await import('./try.ts');
                return checkFile(kind, file, context);
            },
        }),
        defineCommand({
            name: `${noun} try`,
            summary: `read a payload by a ${noun}, and show what comes of it or why nothing does`,
            details: 'Nothing is changed, and no lake is needed for a file or a preset.',
            arguments: {
                document: {
                    meaning: `a ${noun} as a JSON file, or the name of one in the lake or the program`,
                    count: 'one',
                    takes: 'file',
                },
            },
            options: {
                payload: file('--payload <file>', 'the payload; - or nothing reads what is piped in'),
                topic: text('--topic <topic>', 'topic that it came under'),
                device: text('--device <id>', 'device that sent it, as authenticated by certificate or token'),
                header: headers('--header <header>', 'header of HTTP or MQTT 5 that it came with, "Name: value"; again for each'),
                key: text('--key <key>', 'partition key of Kinesis that it came with'),
                retained: flag('--retained', 'as the broker sends it again to a new subscription'),
                arrived: instant('--arrived <time>', 'when it arrived, YYYY-MM-DDTHH:MM of UTC; now where nothing is said'),
            },
            examples: [
                { line: `${noun} try mine.json --payload message.json`, does: 'each reading, or why there is none' },
                { line: `${noun} try ${example} --topic site/a7 < message.json`, does: 'by one of the lake, or of the program' },
                {
                    line: `${noun} try mine.json --header "ce-subject: a7" --arrived 2026-01-05T10:00 < message.json`,
                    does: 'as it came by HTTP that day',
                },
            ],
            async run({ arguments: { document }, options, ...context }) {
                const { tryPayload } = await import('./try.ts');
                return tryPayload(kind, document, options, context);
            },
        }),
        defineCommand({
            name: `${noun} add`,
            summary: `add a ${noun} to the lake, or a new version of one, and read again what was read by another`,
            details:
                'A version never changes. What was read by another version is read again, and its days are made anew; what was pruned stays as it was read, ' +
                'and is counted. In a deployed lake its workers do that. Safe to repeat: it goes on where it was cut off.',
            arguments: {
                document: { meaning: `a ${noun} as a JSON file, or the name of one of the program`, count: 'one', takes: 'file' },
            },
            options: {},
            examples: [
                { line: `${noun} add mine.json`, does: 'the name is the document’s own, or else the file’s' },
                { line: `${noun} add ${example}`, does: 'one of the program, as this version of the program has it' },
            ],
            async run({ arguments: { document }, ...context }) {
                const { addDocument } = await import('./add.ts');
                return addDocument(kind, document, context);
            },
        }),
    ];
}
