/**
 * The MQTT broker of one machine: aedes behind TLS with client certificates. A device is who its certificate says, by the fingerprint that the lake knows. What
 * it publishes is acknowledged once it is in the inbox, and never answered by an error: docs/devices.md says what becomes of it.
 */
import type { EventEmitter } from 'node:events';
import { setImmediate, setTimeout as wait } from 'node:timers/promises';
import { createServer, type TLSSocket } from 'node:tls';
import { Aedes, type AuthenticateError, type Client, type PublishPacket } from 'aedes';
import { hexOf } from '#lake/credentials';
import { StorageError, UsageError } from '#lake/errors';
import type { CredentialIndex } from '#lake/live/credential-index';
import type { ForwardIntake } from '#lake/live/forward-intake';
import { encodePlace, MAX_PART_BYTES, placeTopic, readPartTopic, readPlaceTopic } from '#lake/live/forward-part';
import type { Intake } from '#lake/live/intake';
import { showTopic } from '#lake/live/judge-arrival';
import type { KnownDevices } from '#lake/live/known-devices';
import { mayReceive } from '#lake/live/own-topics';
import { codeOf } from '#lake/store/system-errors';
import { Allowance, DeviceStream } from './device-stream.ts';
import { openEntrance } from './entrance.ts';
import { whyNotListening } from './listening.ts';
import { NoSessions } from './no-sessions.ts';
import { ASIDE_PREFIX } from './packet-gate.ts';
import { SaidLines } from './said-lines.ts';

export interface BrokerLimits {
    maxConnections: number;
    maxConnectionsPerDevice: number;
    /** Messages of a device a second; what it sends beyond waits. */
    messagesPerSecond: number;
    /** Time for TLS handshake, and then for CONNECT. */
    connectTimeoutMs: number;
    /** Time that a subscriber may leave its socket full. */
    slowSubscriberMs: number;
}

const DEFAULT_LIMITS: BrokerLimits = {
    maxConnections: 10_000,
    maxConnectionsPerDevice: 10,
    messagesPerSecond: 1_000,
    connectTimeoutMs: 10_000,
    slowSubscriberMs: 10_000,
};

/** PEM texts: the server's certificate and key, and the authority by which devices are known. */
export interface BrokerTls {
    authority: string;
    certificate: string;
    key: string;
}

export interface BrokerOptions {
    intake: Intake;
    /** Takes what gateways hand on. */
    forwards: ForwardIntake;
    credentials: CredentialIndex;
    devices: KnownDevices;
    tls: BrokerTls;
    host: string;
    /** 0 for one that is free. */
    port: number;
    /** Takes lines of the log. No line holds a secret. */
    say: (line: string) => void;
    now: () => number;
    limits?: Partial<BrokerLimits>;
}

export interface BrokerCounts {
    connections: number;
    /** Connections that were refused or ended for who they are, since the start. */
    refused: number;
    /** Certificates that two programs use in turns. */
    usedTwice: number;
}

export interface Broker {
    port: number;
    counts(): BrokerCounts;
    /** Takes another certificate of the server: connections that are open stay. */
    useCertificate(tls: BrokerTls): void;
    /** Ends all connections; messages that are on their way into the inbox are acknowledged before. */
    close(): Promise<void>;
}

/** Connections that go before the broker closes wait this long at most for the inbox. */
const CLOSING_MS = 5_000;

/** A session that is taken over so often within the time is used by two programs: one device alone reconnects now and then. */
const TAKEOVERS_OF_TWO = 5;
const TAKEOVERS_WITHIN_MS = 300_000;

/** Revoked and ended certificates are looked for in open connections this often, beside each change of credentials. */
const SWEEP_MS = 1_000;

/** AWS IoT Core takes client ids of 128 bytes. */
const MAX_CLIENT_ID_CHARACTERS = 128;

/** Bytes that wait for a subscriber before messages to it are dropped. */
const MAX_UNREAD_BYTES = 1 << 20;

/** Topic of what is not passed on to anybody. */
const NOWHERE = `${ASIDE_PREFIX}0`;

interface Session {
    device: string;
    fingerprint: string;
    address: string;
    clientId: string;
    stream: DeviceStream;
    /** Why it was ended by the broker: its will is not taken then. */
    cut: string | undefined;
    /** A later connection with the same certificate from another address. */
    rival: Session | undefined;
}

/** @throws UsageError where the port cannot be had, with what to do */
export async function openBroker(options: BrokerOptions): Promise<Broker> {
    const { intake, forwards, credentials, devices, host, port, now } = options;
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const lines = new SaidLines({ say: options.say, now });
    const sessions = new Map<string, Set<Session>>();
    const allowances = new Map<string, Allowance>();
    const turns = new Turns(now);
    const underWay = new Set<Promise<void>>();
    const counts = { refused: 0, usedTwice: 0 };
    let isClosing = false;

    const aedes = await Aedes.createBroker({
        persistence: new NoSessions(),
        // 0: what one device has to wait for holds up no other.
        concurrency: 0,
        connectTimeout: limits.connectTimeoutMs,
        drainTimeout: limits.slowSubscriberMs,
        maxInflightInbound: 0,
        maxClientsIdLength: Number.MAX_SAFE_INTEGER,
        preConnect(client, packet, callback) {
            const session = sessionOf(client);
            if (!session) {
                callback(null, false);
                return;
            }
            session.clientId = packet.clientId;
            // Ids of clients are the device's own business: no device can take over another one's session. Nothing of a session is kept.
            packet.clientId = packet.clientId === '' ? '' : `${session.device} ${packet.clientId}`;
            packet.clean = true;
            callback(null, true);
        },
        authenticate(client, _username, _password, callback) {
            const session = sessionOf(client);
            const why = session ? whyNot(session) : { returnCode: 5, why: 'it is no device' };
            if (!session || why) {
                refuse(why?.why ?? '', session);
                callback(Object.assign(new Error(why?.why), { returnCode: why?.returnCode ?? 5 }) as AuthenticateError, false);
                return;
            }
            const isTakenOver = [...(sessions.get(session.device) ?? [])].some(
                (other) => other !== session && other.clientId === session.clientId,
            );
            if (isTakenOver && turns.isOfTwo(session.fingerprint)) {
                sayUsedTwice(
                    session,
                    `client id ${showTopic(session.clientId)} is connected again and again, last from ${session.address}`,
                );
            }
            callback(null, true);
        },
        authorizePublish(client, packet, callback) {
            const session = client && sessionOf(client);
            // Of a will only its four fields are there: the broker itself publishes it, when a connection ends without DISCONNECT.
            const isWill = packet.cmd === undefined;
            if (!session || (isWill && (isClosing || session.cut !== undefined))) {
                callback(new Error('not taken'));
                return;
            }
            const part = isGateway(session) ? readPartTopic(packet.topic, session.device) : undefined;
            const stored = (part ? storePart(session, packet, part) : store(session, packet)).then(
                () => callback(null),
                (error: unknown) => notStored(session, error, callback),
            );
            underWay.add(stored);
            void stored.finally(() => underWay.delete(stored));
        },
        authorizeForward: forward,
        authorizeSubscribe(client, subscription, callback) {
            const session = sessionOf(client);
            if (session && mayReceive(subscription.topic, session.device)) {
                callback(null, subscription);
                return;
            }
            if (session) {
                const { device } = session;
                lines.say(
                    `subscribe ${device}`,
                    `Device ${device} may not subscribe to ${showTopic(subscription.topic)}: to t/${device}/# and cmd/${device}/# alone`,
                );
            }
            // SUBACK 0x80: the client is told, and stays connected.
            callback(null, null);
        },
    });

    /** Lets a message through to a subscriber that reads what it gets; for one that does not, no more is gathered. */
    function forward<P>({ conn }: Client, packet: P): P | null {
        const session = conn.writableLength > MAX_UNREAD_BYTES ? sessionOf({ conn }) : undefined;
        if (!session) {
            return packet;
        }
        lines.say(
            `unread ${session.device}`,
            `Device ${session.device} (client id ${showTopic(session.clientId)}) does not read what it has subscribed to: messages to it are dropped`,
        );
        return null;
    }

    function store(session: Session, packet: PublishPacket): Promise<unknown> {
        const { device, clientId, stream, rival, address } = session;
        if (rival) {
            // A device that has moved leaves a connection behind that is silent: this one is not.
            session.rival = undefined;
            if (!rival.stream.destroyed) {
                sayUsedTwice(session, `connections from ${address} and ${rival.address} are open at once, and both send`);
            }
        }
        const aside = stream.gate.aside.get(packet.topic);
        stream.gate.aside.delete(packet.topic);
        const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
        const stored = intake.take({
            ...{
                way: 'mqtt' as const,
                device,
                payload,
                session: clientId === '' ? undefined : clientId,
                topic: aside?.topic ?? packet.topic,
            },
            refused: aside?.refused,
        });
        stream.track(payload.length, stored);
        // A message goes on to those who may see it: subscribers of the device's own topics. Nothing is retained.
        packet.retain = false;
        if (!mayReceive(packet.topic, device)) {
            packet.topic = NOWHERE;
        }
        return stored;
    }

    function storePart(session: Session, packet: PublishPacket, part: { stream: string; after: string }): Promise<void> {
        const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
        const stored = forwards.take({ gateway: session.device, ...part, payload });
        session.stream.track(payload.length, stored);
        packet.retain = false;
        packet.topic = NOWHERE;
        return stored;
    }

    /** Tells a gateway that has asked how far a chain was taken in. */
    async function tellPlace(client: Client, { stream, gateway }: { stream: string; gateway: string }): Promise<void> {
        const place = await forwards.placeOf({ stream, gateway });
        const packet = { topic: placeTopic({ gateway, stream }), payload: encodePlace(place), qos: 0, retain: false, dup: false } as const;
        client.publish({ cmd: 'publish', ...packet }, () => undefined);
    }

    function isGateway({ fingerprint }: Session): boolean {
        const identity = credentials.authenticateFingerprint(fingerprint);
        return identity.ok && identity.isGateway === true;
    }

    /** No acknowledgement: the connection ends, and the device sends again what it has not seen acknowledged. */
    function notStored(session: Session, error: unknown, callback: (error: Error) => void): void {
        const why = error instanceof Error ? error.message : String(error);
        if (error instanceof UsageError) {
            session.cut = why;
            refuse(why, session);
            callback(error);
            return;
        }
        session.cut = 'the inbox cannot store';
        lines.say(
            'inbox',
            `The inbox cannot store messages, devices are disconnected without an acknowledgement and will send again: ${why}`,
        );
        callback(error instanceof Error ? error : new StorageError(why));
    }

    function whyNot({ device, fingerprint, clientId, cut }: Session): { returnCode: number; why: string } | undefined {
        if (clientId.length > MAX_CLIENT_ID_CHARACTERS) {
            return { returnCode: 2, why: `its client id has ${clientId.length} characters, of ${MAX_CLIENT_ID_CHARACTERS} at most` };
        }
        const identity = credentials.authenticateFingerprint(fingerprint);
        const why = cut ?? (identity.ok ? whyUnregistered(device) : identity.why);
        return why === undefined ? undefined : { returnCode: 5, why };
    }

    function whyUnregistered(device: string): string | undefined {
        return devices.find(device)
            ? undefined
            : (devices.whyUnreadable(device) ?? `device ${device} is not registered for today: flowlake device add ${device}`);
    }

    function sessionOf({ conn }: Pick<Client, 'conn'>): Session | undefined {
        return conn instanceof DeviceStream ? ofStreams.get(conn) : undefined;
    }
    const ofStreams = new WeakMap<DeviceStream, Session>();

    function refuse(why: string, { device, fingerprint, address, clientId }: Partial<Session> = {}): void {
        counts.refused += 1;
        const facts = [
            device === undefined ? undefined : `device ${device}`,
            clientId === undefined ? undefined : `client id ${showTopic(clientId)}`,
            fingerprint === undefined ? undefined : `certificate ${fingerprint}`,
        ];
        const said = facts.filter((fact) => fact !== undefined).join(', ');
        lines.say(
            `refused ${fingerprint ?? address} ${why}`,
            `Refused a connection from ${address}${said === '' ? '' : ` (${said})`}: ${why}`,
        );
    }

    function sayUsedTwice({ device, fingerprint }: Session, how: string): void {
        if (turns.sayOnce(fingerprint)) {
            counts.usedTwice += 1;
            options.say(
                `Certificate used twice: ${how}. Two programs use certificate ${fingerprint} of device ${device}: give each device its own (flowlake device add), or each program its own client id`,
            );
        }
    }

    /** A device that was added a moment ago, by another process, is let in at once. Only who has a certificate of this lake makes it look. */
    async function lookForNew(fingerprint: string): Promise<void> {
        const isNew = (): boolean => {
            const identity = credentials.authenticateFingerprint(fingerprint);
            return identity.ok ? devices.find(identity.device) === undefined : identity.reason === 'unknown';
        };
        if (isNew()) {
            await Promise.all([credentials.refresh(), devices.refresh()]);
        }
    }

    /** Lets a connection in whose handshake is done, or ends it: nothing that a stranger sends reaches the broker. */
    async function admit(socket: TLSSocket): Promise<void> {
        const address = socket.remoteAddress ?? 'an address that is gone';
        const certificate = socket.getPeerX509Certificate();
        const fingerprint = certificate === undefined ? undefined : hexOf(certificate.fingerprint256);
        if (fingerprint !== undefined && socket.authorized) {
            await lookForNew(fingerprint);
        }
        if (socket.destroyed) {
            return;
        }
        const identity = fingerprint === undefined ? undefined : credentials.authenticateFingerprint(fingerprint);
        const why = whyStranger(socket, { hasCertificate: certificate !== undefined, identity });
        if (why !== undefined || fingerprint === undefined || !identity?.ok) {
            const device = identity?.ok === false ? identity.device : identity?.device;
            refuse(why ?? '', { address, ...(fingerprint !== undefined && { fingerprint }), ...(device !== undefined && { device }) });
            socket.destroy();
            return;
        }
        const { device } = identity;
        const unregistered = whyUnregistered(device);
        if (unregistered !== undefined) {
            refuse(unregistered, { device, fingerprint, address });
            socket.destroy();
            return;
        }
        const others = sessions.get(device) ?? new Set();
        const [oldest] = others;
        if (oldest && others.size >= limits.maxConnectionsPerDevice) {
            // The newest is the device as it is now; the oldest may be one that it has lost.
            cut(oldest, `${others.size} connections of device ${device} were open when one more came`);
        }
        const allowance = allowances.get(device) ?? new Allowance({ perSecond: limits.messagesPerSecond, now });
        allowances.set(device, allowance);
        const stream = new DeviceStream(socket, {
            allowance,
            onFault: (fault) => refuse(fault, session),
            ...(identity.isGateway && { maxPayloadBytes: MAX_PART_BYTES }),
        });
        const session: Session = { device, fingerprint, address, clientId: '', stream, cut: undefined, rival: undefined };
        ofStreams.set(stream, session);
        sessions.set(device, others.add(session));
        for (const other of others) {
            if (other.fingerprint === fingerprint && other.address !== address) {
                other.rival = session;
            }
        }
        stream.on('close', () => {
            others.delete(session);
            if (others.size === 0 && sessions.get(device) === others) {
                sessions.delete(device);
            }
        });
        aedes.handle(stream);
    }

    function cut(session: Session, why: string): void {
        session.cut = why;
        refuse(why, session);
        session.stream.destroy();
    }

    /** Ends the connections of certificates that no longer hold. */
    function sweep(): void {
        for (const ofDevice of sessions.values()) {
            for (const session of ofDevice) {
                const why = session.cut === undefined ? whyNot(session)?.why : undefined;
                if (why !== undefined) {
                    cut(session, why);
                }
            }
        }
        for (const device of allowances.keys()) {
            if (!sessions.has(device)) {
                allowances.delete(device);
            }
        }
    }

    aedes.on('subscribe', (subscriptions, client) => {
        const session = sessionOf(client);
        for (const { topic } of subscriptions) {
            const stream = session && isGateway(session) ? readPlaceTopic(topic, session.device) : undefined;
            if (session && stream !== undefined) {
                void tellPlace(client, { stream, gateway: session.device });
            }
        }
    });
    const events: EventEmitter = aedes;
    events.on('error', (error: Error) => lines.say('broker', `The broker has trouble: ${error.message}`));
    aedes.on('clientError', (client: Client, error: Error) => sayEnd(client, error));
    aedes.on('connectionError', (client: Client, error: Error) => sayEnd(client, error));

    function sayEnd(client: Client, error: Error): void {
        const session = sessionOf(client);
        const isUsual =
            ['ECONNRESET', 'EPIPE'].includes('code' in error ? String(error.code) : '') || /closed|not taken/.test(error.message);
        if (session && session.cut === undefined && !isUsual && !('returnCode' in error)) {
            const { device, clientId, address } = session;
            lines.say(
                `end ${device} ${error.message}`,
                `The connection of device ${device} (client id ${showTopic(clientId)}) from ${address} ended: ${error.message}`,
            );
        }
    }

    const handshakes = createServer({
        ...contextOf(options.tls),
        requestCert: true,
        // Node would only say "socket hang up": who was refused, and why, is said by `admit`.
        rejectUnauthorized: false,
        minVersion: 'TLSv1.2',
        handshakeTimeout: limits.connectTimeoutMs,
    });
    const { server, endWaiting } = openEntrance(handshakes);
    server.maxConnections = limits.maxConnections;
    handshakes.on('secureConnection', (socket) => {
        // Nobody listens to it yet, and without a listener its error would end the program.
        socket.on('error', () => undefined);
        admit(socket).catch((error: Error) => {
            lines.say('admit', `A connection could not be let in: ${error.message}`);
            socket.destroy();
        });
    });
    server.on('drop', () => lines.say('full', `${limits.maxConnections} connections are open: more are refused`));
    handshakes.on('tlsClientError', (error: Error, socket: TLSSocket) => {
        const address = socket.remoteAddress ?? 'an address that is gone';
        const why =
            codeOf(error) === 'ECONNRESET'
                ? 'the other side hung up in the middle: a look at the port alone, or a client that does not trust the certificate'
                : error.message;
        lines.say(`handshake ${address} ${why}`, `A TLS handshake with ${address} failed: ${why}`);
        // Node only tells of a handshake that takes too long, and leaves the connection open: they would add up to all that there may be.
        socket.destroy();
    });
    await new Promise<void>((resolve, reject) => {
        server.once('error', (error) => {
            // Its timer would keep the process alive.
            aedes.close(() => reject(whyNotListening(error, { host, port, flag: '--mqtt-port' })));
        });
        server.listen({ host, port }, resolve);
    });
    credentials.onChanged(sweep);
    const timers = [setInterval(sweep, SWEEP_MS), setInterval(() => void intake.sayDropped().catch(() => undefined), 60_000)];
    for (const timer of timers) {
        timer.unref();
    }

    const bound = server.address();
    return {
        port: typeof bound === 'object' && bound !== null ? bound.port : port,
        counts: () => ({ connections: [...sessions.values()].reduce((sum, { size }) => sum + size, 0), ...counts }),
        useCertificate: (tls) => handshakes.setSecureContext(contextOf(tls)),
        async close() {
            isClosing = true;
            for (const timer of timers) {
                clearInterval(timer);
            }
            const closed = new Promise<void>((resolve) => {
                server.close(() => resolve());
            });
            endWaiting();
            const streams = [...sessions.values()].flatMap((ofDevice) => [...ofDevice].map(({ stream }) => stream));
            for (const stream of streams) {
                stream.stopReading();
            }
            await Promise.race([Promise.allSettled(underWay), wait(CLOSING_MS, undefined, { ref: false })]);
            // The acknowledgements are written in the next turn.
            await setImmediate();
            await setImmediate();
            await new Promise<void>((resolve) => {
                aedes.close(() => resolve());
            });
            for (const stream of streams) {
                stream.destroy();
            }
            await closed;
        },
    };
}

function contextOf({ authority, certificate, key }: BrokerTls) {
    return { ca: authority, cert: certificate, key };
}

/** Why a connection is nobody's whose certificate this lake has made and registered. */
function whyStranger(
    socket: TLSSocket,
    { hasCertificate, identity }: { hasCertificate: boolean; identity: ReturnType<CredentialIndex['authenticateFingerprint']> | undefined },
): string | undefined {
    if (!hasCertificate) {
        return 'it shows no certificate';
    }
    if (!socket.authorized) {
        const code = String(socket.authorizationError);
        return code.includes('CERT_HAS_EXPIRED')
            ? 'its certificate has ended: flowlake device add makes another one'
            : `its certificate is not one that this lake has signed (${code})`;
    }
    return identity?.ok === false ? identity.why : undefined;
}

/** Notes how often sessions are taken over, to tell two programs with one certificate from a device that reconnects. */
class Turns {
    readonly #now: () => number;
    readonly #times = new Map<string, number[]>();
    readonly #said = new Set<string>();

    constructor(now: () => number) {
        this.#now = now;
    }

    /** Notes that a session that is open is taken over. @returns true if that is so often that there must be two */
    isOfTwo(fingerprint: string): boolean {
        const now = this.#now();
        const recent = [...(this.#times.get(fingerprint) ?? []), now]
            .filter((at) => now - at < TAKEOVERS_WITHIN_MS)
            .slice(-TAKEOVERS_OF_TWO);
        this.#times.set(fingerprint, recent);
        return recent.length >= TAKEOVERS_OF_TWO;
    }

    /** @returns true for the first call with the certificate */
    sayOnce(fingerprint: string): boolean {
        const isFirst = !this.#said.has(fingerprint);
        this.#said.add(fingerprint);
        return isFirst;
    }
}
