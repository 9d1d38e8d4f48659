/** A lake in memory with a broker before it, and devices that may dial in: for tests of the ways in. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { addCertificate } from '#lake/credentials';
import { registerDevice } from '#lake/devices';
import { addInput } from '#lake/inputs';
import { type CredentialIndex, openCredentialIndex } from '#lake/live/credential-index';
import { ForwardIntake } from '#lake/live/forward-intake';
import { Intake } from '#lake/live/intake';
import { type KnownDevices, openKnownDevices } from '#lake/live/known-devices';
import { type Broker, type BrokerLimits, openBroker } from '#lake/serve/broker';
import { type Authority, authorityFolder, type IssuedCertificate, openAuthority } from '#lake/serve/certificates';
import type { ObjectStore } from '#lake/store/object-store';
import { type MemoryInbox, memoryInbox } from './memory-inbox.ts';
import { memoryStore } from './memory-store.ts';

export interface Fleet {
    store: ObjectStore;
    inbox: MemoryInbox;
    intake: Intake;
    authority: Authority;
    credentials: CredentialIndex;
    devices: KnownDevices;
    broker: Broker;
    /** Lines of the broker's log. */
    lines: string[];
    /** Registers a device, with a certificate. */
    add(device: string, options?: { profile?: string; days?: number }): Promise<IssuedCertificate>;
    /** A client that has connected. */
    connect(certificate: IssuedCertificate, options?: IClientOptions): Promise<MqttClient>;
    /** A client that dials; what becomes of it is for the test to see. */
    dial(certificate: Partial<IssuedCertificate>, options?: IClientOptions): MqttClient;
    /** A connection of TLS without a client of MQTT. */
    socket(certificate: Partial<IssuedCertificate>): Promise<TLSSocket>;
    close(): Promise<void>;
}

export async function openFleet({
    limits = {},
    now = Date.now,
}: {
    limits?: Partial<BrokerLimits>;
    now?: () => number;
} = {}): Promise<Fleet> {
    const store = memoryStore();
    const inbox = memoryInbox();
    const lines: string[] = [];
    const say = (line: string): void => void lines.push(line);
    const authority = await openAuthority(authorityFolder(mkdtempSync(join(tmpdir(), 'flowlake-test-'))), { now: new Date(now()) });
    const server = await authority.server({ names: ['localhost', '127.0.0.1'], now: new Date(now()) });
    const credentials = await openCredentialIndex({ store, now, onTrouble: say, everyMs: 60_000 });
    const devices = await openKnownDevices({ store, now, onTrouble: say, everyMs: 60_000 });
    const intake = new Intake({ inbox, devices, now, say });
    const broker = await openBroker({
        ...{ intake, forwards: new ForwardIntake({ inbox, devices }), credentials, devices, say, now, limits },
        tls: { authority: authority.certificate, certificate: server.certificate, key: server.key },
        host: '127.0.0.1',
        port: 0,
    });
    await addInput(store, 'profiles/', 'thermostat', { name: 'thermostat' });
    const clients: MqttClient[] = [];
    const sockets: TLSSocket[] = [];

    const dial: Fleet['dial'] = ({ certificate, key }, options) => {
        const client = mqtt.connect({
            ...{ protocol: 'mqtts', host: 'localhost', port: broker.port, ca: authority.certificate },
            ...(certificate !== undefined && key !== undefined && { cert: certificate, key }),
            ...{ reconnectPeriod: 0, connectTimeout: 5_000 },
            ...options,
        });
        // Whoever wants to know listens himself.
        client.on('error', () => undefined);
        clients.push(client);
        return client;
    };

    return {
        ...{ store, inbox, intake, authority, credentials, devices, broker, lines, dial },
        async add(device, { profile = 'thermostat', days } = {}) {
            await registerDevice(store, { device, profile, site: 'berlin' }, { today: new Date(now()).toISOString().slice(0, 10) });
            const issued = await authority.issueDevice({ device, now: new Date(now()), ...(days !== undefined && { days }) });
            const { fingerprint, serial, notAfter } = issued;
            const added = new Date(now()).toISOString();
            await addCertificate(store, device, { fingerprint, serial, not_after: notAfter.toISOString(), added });
            await Promise.all([credentials.refresh(), devices.refresh()]);
            return issued;
        },
        connect: (certificate, options) =>
            new Promise((resolve, reject) => {
                const client = dial(certificate, options);
                client.once('connect', () => resolve(client));
                client.once('error', reject);
                client.once('close', () => reject(new Error(`closed: ${lines.at(-1)}`)));
            }),
        socket: ({ certificate, key }) =>
            new Promise((resolve, reject) => {
                const socket = connectTls({ host: 'localhost', port: broker.port, ca: authority.certificate, cert: certificate, key }, () =>
                    resolve(socket),
                );
                socket.once('error', reject);
                sockets.push(socket);
            }),
        async close() {
            await Promise.all(clients.map((client) => client.endAsync(true)));
            for (const socket of sockets) {
                socket.destroy();
            }
            await broker.close();
            credentials.close();
            devices.close();
        },
    };
}
