/** `flowlake device add`, and so on: the registry of devices. */
import { type Command, defineCommand } from '#cli/command';
import { day, text } from '#cli/option';

const add = defineCommand({
    name: 'device add',
    summary: 'register a device, or say where it stands from a day on',
    details:
        'What is not said stays as it was: a device that moves keeps its profile. Each assignment has its days, and a new one ends the one before: what was ' +
        'measured before the move belongs to the place of then. Safe to repeat.',
    arguments: { id: { meaning: 'id of the device, as its messages name it', count: 'one' } },
    options: {
        profile: text(
            '--profile <name>',
            'how its messages are read: a profile of the lake, or of the program, which is added to the lake then',
        ),
        site: text('--site <site>', 'site where it stands (default: main)'),
        ip: text('--ip <address>', 'its address at the site: then its traffic is told beside its readings'),
        place: text('--place <text>', 'where at the site: a room, a machine, a mast'),
        from: day(
            '--from <day>',
            'first day of this assignment, YYYY-MM-DD; without it a new device has it from the beginning, another from today',
        ),
    },
    examples: [
        { line: 'device add boiler-7 --profile plain-json --site berlin --ip 10.0.0.7', does: 'a new device' },
        { line: 'device add boiler-7 --site hamburg --ip 10.1.0.9 --from 2026-03-01', does: 'it moved' },
    ],
    async run({ arguments: { id }, options, ...context }) {
        const { addDevice } = await import('./run.ts');
        return addDevice({ device: id, ...options }, context);
    },
});

const list = defineCommand({
    name: 'device list',
    summary: 'the registered devices, each as it stands today',
    details: 'Table devices has every assignment: flowlake query "select * from devices".',
    arguments: {},
    options: { site: text('--site <site>', 'those of one site') },
    examples: [{ line: 'device list --site berlin', does: 'what stands there' }],
    async run({ options: { site }, ...context }) {
        const { listDevices } = await import('./run.ts');
        return listDevices({ site }, context);
    },
});

const show = defineCommand({
    name: 'device show',
    summary: 'every assignment of a device, the oldest first',
    arguments: { id: { meaning: 'id of the device', count: 'one' } },
    options: {},
    examples: [{ line: 'device show boiler-7', does: 'where it stood, and when' }],
    async run({ arguments: { id }, ...context }) {
        const { showDevice } = await import('./run.ts');
        return showDevice(id, context);
    },
});

const importDevices = defineCommand({
    name: 'device import',
    summary: 'register the devices of a CSV file',
    details:
        'The first line names the columns: device, and any of profile, site, ip, place and from, in any order. Each line is a device add; an empty field ' +
        'says nothing. All lines are looked at before the first one is written. Safe to repeat.',
    arguments: { file: { meaning: 'the CSV file, comma-separated; - for what is piped in', count: 'one' } },
    options: {},
    examples: [{ line: 'device import devices.csv', does: 'a row for each line: added, changed or unchanged' }],
    async run({ arguments: { file }, ...context }) {
        const { importFile } = await import('./import.ts');
        return importFile(file, context);
    },
});

export const deviceCommands: readonly Command[] = [add, list, show, importDevices];
