/** Sends by MQTT 3.1.1, a connection for each device, as devices do. */
import { setTimeout as wait } from 'node:timers/promises';
import { connectAsync, type MqttClient } from 'mqtt';
import { UsageError } from '#lake/errors';
import type { Way, WayOptions } from './way.ts';

/** Connections that are made at once: a broker does the handshakes one after the other anyway. */
const CONNECTS_AT_ONCE = 50;
const RECONNECT_MS = 1000;
const CONNECT_TIMEOUT_MS = 10_000;

export async function openMqttWay({ to, files, onTrouble }: WayOptions): Promise<Way> {
    const clients = new Map<string, MqttClient>();
    const waiting = [...files];
    const connectNext = async (): Promise<void> => {
        for (let next = waiting.shift(); next; next = waiting.shift()) {
            const [device, { certificate, key, ca }] = next;
            if (to.protocol === 'mqtts:' && (certificate === undefined || key === undefined)) {
                throw new UsageError(`Device ${device} has no certificate and key: make them with flowlake device add ${device} --out DIR`);
            }
            // A session that outlives its connection: what was not acknowledged goes out again after a reconnect.
            const client = await connectAsync({
                protocol: to.protocol === 'mqtts:' ? 'mqtts' : 'mqtt',
                host: to.hostname,
                port: Number(to.port || (to.protocol === 'mqtts:' ? 8883 : 1883)),
                clientId: device,
                clean: false,
                protocolVersion: 4,
                ...(certificate && { cert: certificate }),
                ...(key && { key }),
                ...(ca && { ca }),
                reconnectPeriod: RECONNECT_MS,
                connectTimeout: CONNECT_TIMEOUT_MS,
            }).catch((error: Error) => {
                throw new Error(`Device ${device} could not connect to ${to.host}: ${error.message || String(error)}`, { cause: error });
            });
            client.on('error', ({ message }) => onTrouble(message));
            clients.set(device, client);
        }
    };
    let isClosing = false;
    const close = async (): Promise<void> => {
        isClosing = true;
        await Promise.all([...clients.values()].map((client) => client.endAsync(true).catch(() => undefined)));
    };
    try {
        await Promise.all(Array.from({ length: CONNECTS_AT_ONCE }, connectNext));
    } catch (error) {
        await close();
        throw error;
    }
    return {
        async send(device, { topic, payload }) {
            // mqtt.js gives up what is under way when a connection is lost while it connects; a device keeps it, and sends it again.
            for (let isSent = false; !isSent; ) {
                isSent = await publish(clients.get(device), topic, payload).catch(async (error: Error) => {
                    if (isClosing) {
                        throw error;
                    }
                    await wait(RECONNECT_MS);
                    return false;
                });
            }
        },
        close,
    };
}

async function publish(client: MqttClient | undefined, topic: string, payload: string): Promise<true> {
    await client?.publishAsync(topic, payload, { qos: 1 });
    return true;
}
