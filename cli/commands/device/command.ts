/** `flowlake device add`, and so on: the registry of devices. */
import { type Command, defineCommand } from '#cli/command';
import { day, directory, flag, text, whole } from '#cli/option';

/** What a device is given to send by. */
const WISHES = {
    out: directory('--out <dir>', 'make a key and a certificate, into a folder of the device below this one'),
    token: flag('--token', 'make a token for HTTP: into that folder, or, without --out, printed this once'),
    label: text('--label <name>', 'name of the token, by which it is revoked (default: token-1, token-2, and so on)'),
    days: whole('--days <n>', 'days that the certificate holds; 0: five years. AWS signs until the end of 2049 and takes no other', {
        fallback: 0,
        min: 0,
    }),
    program: flag('--program', 'let programs write as it, with PutRecords into the stream of programs (a lake in S3)'),
} as const;

const add = defineCommand({
    name: 'device add',
    summary: 'register a device, or say where it stands from a day on',
    details:
        'What is not said stays as it was: a device that moves keeps its profile. Each assignment has its days, and a new one ends the one before: what was ' +
        'measured before the move belongs to the place of then. Safe to repeat. With --out it gets a certificate, with --token a token, by which it sends to flowlake serve; ' +
        'every call makes others, and those of before stay. Of a lake in S3 it connects to AWS IoT Core, and a second call with the same --out finishes what the first one left. Without either, nothing but the registry is written.',
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
        gateway: flag(
            '--gateway',
            'with --out: the certificate is of another serve, which hands on what devices of this site have sent to it',
        ),
        ...WISHES,
    },
    examples: [
        { line: 'device add boiler-7 --profile plain-json --site berlin --ip 10.0.0.7', does: 'a new device' },
        { line: 'device add boiler-7 --out devices', does: 'key and certificate in devices/boiler-7/, and lines that send by them' },
        { line: 'device add boiler-7 --token > token.txt', does: 'a token for HTTP' },
        { line: 'device add boiler-7 --site hamburg --ip 10.1.0.9 --from 2026-03-01', does: 'it moved' },
        { line: 'device add gw-1 --profile plain-json --site berlin --gateway --out devices', does: 'for serve --forward of that site' },
    ],
    async run({ arguments: { id }, options, ...context }) {
        const { addDevice } = await import('./run.ts');
        const { out, token, label, days, program, gateway, ...change } = options;
        return addDevice({ device: id, ...change }, { out, token, label, days, program, gateway }, context);
    },
});

const list = defineCommand({
    name: 'device list',
    summary: 'the registered devices, each as it stands today',
    details:
        'Table devices has every assignment: flowlake query "select * from devices". Certificates that end within 30 days are told on stderr. With --compare, for a lake in S3, ' +
        'the rows are where registry, credentials and AWS IoT Core do not say the same, and what to type; exit code 1 where there are any.',
    arguments: {},
    options: {
        site: text('--site <site>', 'those of one site'),
        compare: flag('--compare', 'what registry, credentials and IoT Core say differently (reads an object for each device)'),
    },
    examples: [
        { line: 'device list --site berlin', does: 'what stands there' },
        { line: 'device list --compare', does: 'what was left half done, or changed past the lake' },
    ],
    async run({ options: { site, compare }, ...context }) {
        const { compareDevices, listDevices } = await import('./run.ts');
        return compare ? compareDevices({ site }, context) : listDevices({ site }, context);
    },
});

const show = defineCommand({
    name: 'device show',
    summary: 'every assignment of a device, the oldest first, and its credentials',
    details: 'Credentials are told beside the rows, on stderr; with --credentials they are the rows.',
    arguments: { id: { meaning: 'id of the device', count: 'one' } },
    options: { credentials: flag('--credentials', 'a row for each certificate and token, with its end') },
    examples: [
        { line: 'device show boiler-7', does: 'where it stood, and when' },
        { line: 'device show boiler-7 --credentials', does: 'what it proves itself by, and until when' },
    ],
    async run({ arguments: { id }, options, ...context }) {
        if (options.credentials) {
            const { showCredentials } = await import('./credentials.ts');
            return showCredentials(id, context);
        }
        const { showDevice } = await import('./run.ts');
        return showDevice(id, context);
    },
});

const importDevices = defineCommand({
    name: 'device import',
    summary: 'register the devices of a CSV file',
    details:
        'The first line names the columns: device, and any of profile, site, ip, place and from, in any order. Each line is a device add; an empty field ' +
        'says nothing. All lines are looked at before the first one is written. Safe to repeat. With --out each device that has no files there yet gets a certificate, with --token a token too.',
    arguments: { file: { meaning: 'the CSV file, comma-separated; - for what is piped in', count: 'one', takes: 'file' } },
    options: {
        ...{ out: WISHES.out, days: WISHES.days, program: WISHES.program },
        token: flag('--token', 'make a token for HTTP too, into the same folder'),
    },
    examples: [
        { line: 'device import devices.csv', does: 'a row for each line: added, changed or unchanged' },
        { line: 'device import devices.csv --out devices', does: 'each with key and certificate in a folder of its own' },
    ],
    async run({ arguments: { file }, options: { out, token, days, program }, ...context }) {
        const { importFile } = await import('./import.ts');
        return importFile(file, { out, token, label: undefined, days, program, gateway: false }, context);
    },
});

const revoke = defineCommand({
    name: 'device revoke',
    summary: 'end credentials of a device: its open connections too, within seconds',
    details:
        'Without --certificate, --token or --program all of them. The device stays registered, and what it has sent stays in the lake; device add gives it others. Of a lake ' +
        'in S3 the lake itself knows first, then IoT Core; it waits until the device stays away, most of a minute at the longest. A second call finishes what a first one left.',
    arguments: { id: { meaning: 'id of the device', count: 'one' } },
    options: {
        certificate: text('--certificate <fingerprint>', 'the certificate whose SHA-256 fingerprint is, or begins, so (device show)'),
        token: text('--token <label>', 'the token of this label'),
        program: flag('--program', 'that programs may write as it'),
    },
    examples: [
        { line: 'device revoke boiler-7', does: 'it was lost or stolen' },
        { line: 'device revoke boiler-7 --token till-2', does: 'one token; certificates stay' },
    ],
    async run({ arguments: { id }, options, ...context }) {
        const { revokeDevice } = await import('./credentials.ts');
        return revokeDevice(id, options, context);
    },
});

const check = defineCommand({
    name: 'device check',
    summary: 'send one message as the device, and follow it to latest state; the step that fails says what to do',
    details:
        'For a lake that flowlake serve serves, or one in S3. By MQTT with the certificate that --credentials has of the device, else by HTTP with its token. The message is one that the ' +
        'device’s profile reads; it stays in the lake like any other. AWS knows a device by its client id: the check ends a connection that it has, and it dials again.',
    arguments: { id: { meaning: 'id of the device', count: 'one' } },
    options: {
        credentials: directory('--credentials <dir>', 'the folder that device add --out was given (default: devices)'),
        host: text('--host <name>', 'name or address that the device dials (default: the one that serve runs under, or AWS’s endpoint)'),
        mqttPort: whole('--mqtt-port <port>', 'port for MQTT over TLS; 0 is the one of serve, or 8883', { fallback: 0, min: 0 }),
        httpPort: whole('--http-port <port>', 'port for HTTP; 0 is the one of serve, or of the API', { fallback: 0, min: 0 }),
        http: flag('--http', 'by HTTP with the token, although there is a certificate'),
        token: text('--token <token>', 'the device’s token, where it stands in no file'),
        topic: text('--topic <topic>', 'topic to send to'),
        payload: text('--payload <text>', 'message to send in the place of the example'),
        wait: whole('--wait <seconds>', 'how long the message may take to latest state', { fallback: 15 }),
    },
    examples: [
        { line: 'device check boiler-7', does: 'by the files in devices/boiler-7/' },
        { line: 'device check boiler-7 --host gateway.local --http', does: 'from another machine of the site, by its token' },
    ],
    async run({ arguments: { id }, options, ...context }) {
        const { checkDevice } = await import('./check.ts');
        return checkDevice(id, { ...options, credentials: options.credentials ?? 'devices' }, context);
    },
});

export const deviceCommands: readonly Command[] = [add, list, show, importDevices, revoke, check];
