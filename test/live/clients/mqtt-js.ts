/** mqtt.js, as programs use it: automatic reconnect, promises that are kept once a publish is acknowledged. */
import { readFileSync } from 'node:fs';
import { argv, exit, stdout } from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import mqtt from 'mqtt';

const given: {
    host: string;
    port: number;
    ca: string;
    certificate?: string;
    key?: string;
    clientId: string;
    messages: { topic: string; payload?: string; bytes?: number }[];
    pauseMs: number;
    timeoutMs: number;
    version?: number;
} = JSON.parse(argv[2] ?? '{}');

const say = (what: string, more: object = {}): void => void stdout.write(`${JSON.stringify({ is: what, ...more })}\n`);

const client = mqtt.connect({
    ...{ protocol: 'mqtts', host: given.host, port: given.port, clientId: given.clientId, ca: readFileSync(given.ca) },
    ...(given.certificate !== undefined &&
        given.key !== undefined && { cert: readFileSync(given.certificate), key: readFileSync(given.key) }),
    ...{ reconnectPeriod: 500, connectTimeout: 5_000, clean: false, protocolVersion: given.version === 5 ? 5 : 4 },
});
client.on('connect', () => say('connected'));
client.on('close', () => say('disconnected'));
client.on('error', (error) =>
    say('code' in error && error.code === 0x84 ? 'refused' : 'error', { reason: error.message, why: error.message }),
);

const sent = [];
for (const [at, { topic, payload, bytes = 0 }] of given.messages.entries()) {
    sent.push(client.publishAsync(topic, payload ?? 'x'.repeat(bytes), { qos: 1 }).then(() => say('acknowledged', { at })));
    await wait(given.pauseMs);
}
const isAll = await Promise.race([Promise.all(sent).then(() => true), wait(given.timeoutMs).then(() => false)]);
client.end(true);
await wait(50);
exit(isAll ? 0 : 1);
