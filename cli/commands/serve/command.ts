/** `flowlake serve`: the lake takes in what devices send. */
import { defineCommand } from '#cli/command';
import { directory, duration, file, flag, text, whole } from '#cli/option';

export const serve = defineCommand({
    name: 'serve',
    summary: 'take in what devices send, by MQTT with certificates and by HTTP with tokens; latest state, alerts, API',
    details:
        'For a lake in a directory; it runs until Ctrl-C. Devices are registered with device add, which makes their certificates and tokens. It listens on this machine alone unless ' +
        '--host says otherwise. What is acknowledged is on the disk; after a minute it is in the tables. The first start prints a token for readers of the API.',
    endsBySignal: true,
    arguments: {},
    options: {
        host: text('--host <address>', 'address to listen on; 0.0.0.0 is every network of this machine (default: 127.0.0.1)'),
        mqttPort: whole('--mqtt-port <port>', 'port for MQTT over TLS', { fallback: 8883, min: 0 }),
        httpPort: whole('--http-port <port>', 'port for HTTP', { fallback: 8080, min: 0 }),
        name: text(
            '--name <names>',
            'names and addresses that devices call this machine by, with commas; the server’s certificate has them',
        ),
        https: flag('--https', 'HTTP over TLS, also on loopback'),
        sealEvery: duration('--seal-every <time>', 'how long messages wait before they go into the tables (default: 1m)'),
        hooks: file('--hooks <file>', 'JSON file of hooks: whom to tell of alerts'),
        forward: text('--forward <lake>', 'hand every message on to this lake too: s3://bucket, or mqtts://host of another serve'),
        forwardAs: directory(
            '--forward-as <dir>',
            'folder of the gateway’s certificate that the other serve knows (device add ID --gateway --out)',
        ),
        newToken: flag('--new-token', 'make another token for readers; the one before ends'),
    },
    examples: [
        { line: 'serve', does: 'for devices and programs of this machine' },
        { line: 'serve --host 0.0.0.0 --name gateway.local,10.0.0.5', does: 'for a site’s network' },
        { line: 'serve --seal-every 5s', does: 'in the tables within seconds' },
        {
            line: 'serve --forward mqtts://central.example --forward-as devices/gw-1',
            does: 'of a site whose messages another lake has too',
        },
    ],
    async run({ options, ...context }) {
        const { serveLake } = await import('./run.ts');
        return serveLake(options, context);
    },
});
