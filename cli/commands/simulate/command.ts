/** `flowlake simulate`: devices that are none, over the ways that real ones take. */
import { defineCommand } from '#cli/command';
import { directory, duration, file, positive, text, whole } from '#cli/option';

export const simulate = defineCommand({
    name: 'simulate',
    summary: 'play a fleet of devices against a running lake, over MQTT, HTTP or Kinesis, and keep a journal of what it sent',
    details:
        'The devices are sim-0001, sim-0002, and so on, read by profile simulated; values and faults are the same for the same seed. With --lake, a lake in a directory of this machine, ' +
        'devices that are missing are registered, each with a certificate and a token below --credentials; without it that folder must have them. With --to kinesis: the messages are put into a stream of AWS as a program does, ' +
        'with the credentials of AWS; with --lake s3://bucket, devices that are missing are registered, and programs may write as all of them. Ctrl-C ends it: what was sent ' +
        'is waited for. The journal tells delivery what to look for.',
    endsBySignal: true,
    arguments: {},
    options: {
        devices: whole('--devices <n>', 'how many devices', { fallback: 10 }),
        device: text('--device <id>', 'one device of this id, in the place of a fleet'),
        rate: positive('--rate <n>', 'messages a second, of all devices together', { fallback: 10 }),
        for: duration('--for <time>', 'how long, as 90s or 15m (default: until Ctrl-C)'),
        seed: whole('--seed <n>', 'another seed makes other values and faults', { fallback: 1, min: 0 }),
        faults: text(
            '--faults <list>',
            'what goes wrong, each with a share: loss= is never sent, repeat= is sent twice, late= is held back, skew= of devices have a clock ahead, reset= starts anew',
        ),
        to: text(
            '--to <address>',
            'where to: mqtts://localhost:8883, http://localhost:8080, or kinesis:flowlake-dev-programs (default: where the lake of --lake is served, by MQTT)',
        ),
        mqtt: text('--mqtt <host>', 'the same as --to mqtts://<host>:8883'),
        credentials: directory(
            '--credentials <dir>',
            'a folder for each device with its certificate, key and token (default: simulated-devices)',
        ),
        journal: file('--journal <file>', 'the journal, a new file (default: simulation-<time>.jsonl)'),
        watch: text('--watch <address>', 'also note when each message is in latest state, by the live events of http://localhost:8080'),
        token: text('--token <token>', 'the reader token that serve has printed, for --watch'),
    },
    examples: [
        { line: 'simulate --devices 50 --rate 20 --for 1m', does: 'a minute of a fleet' },
        { line: 'simulate --device sensor-001 --rate 2 --mqtt gateway.local', does: 'one device, until Ctrl-C' },
        {
            line: 'simulate --devices 50 --rate 500 --for 1m --to kinesis:flowlake-dev-programs',
            does: 'a program that writes into a stream of AWS',
        },
        {
            line: 'simulate --devices 100 --rate 100 --faults loss=0.01,repeat=0.02,late=0.01 --for 5m --journal sent.jsonl',
            does: 'with faults; then: delivery --journal sent.jsonl',
        },
    ],
    async run({ options, ...context }) {
        const { runSimulation } = await import('./run.ts');
        return runSimulation(options, context);
    },
});
