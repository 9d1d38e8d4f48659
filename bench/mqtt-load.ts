/**
 * Loads a broker with messages of QoS 1 and counts acknowledgements: `node bench/mqtt-load.ts <JSON of LoadOptions>` prints a `LoadResult`. Frames are made once, so that
 * what is measured is the broker and not its client.
 */
import { readFileSync } from 'node:fs';
import { argv, exit, hrtime, stdout } from 'node:process';
import { connect, type TLSSocket } from 'node:tls';

export interface LoadOptions {
    port: number;
    /** A folder for each device, as `flowlake device add --out` writes it. */
    devices: readonly string[];
    credentials: string;
    /** Messages of one connection that are under way at once. */
    inFlight: number;
    seconds: number;
    /** Messages a second of all together; as many as go where it is undefined. */
    rate?: number | undefined;
    /** Stay connected and send nothing. */
    isIdle?: boolean | undefined;
}

export interface LoadResult {
    connected: number;
    acknowledged: number;
    /** From the first to the last acknowledgement. */
    seconds: number;
    /** Milliseconds from sending to the acknowledgement. */
    p50: number;
    p99: number;
    /** From the first connect to the last CONNACK. */
    connectSeconds: number;
}

const PUBLISH_QOS1 = 0x32;
const CONNECT = 0x10;
const CONNACK = 0x20;
const PUBACK = 0x40;
const MAX_ID = 65_535;

const options: LoadOptions = JSON.parse(argv[2] ?? '{}');
const delays: number[] = [];
let [acknowledged, firstMs, lastMs] = [0, 0, 0];

const begunMs = nowMs();
const clients = await Promise.all(options.devices.map(open));
const connectSeconds = (nowMs() - begunMs) / 1000;
if (options.isIdle) {
    stdout.write(`${JSON.stringify(resultOf())}\n`);
    await new Promise(() => undefined);
}
const endMs = nowMs() + options.seconds * 1000;
await Promise.all(clients.map((client, index) => client.send(index)));
stdout.write(`${JSON.stringify(resultOf())}\n`);
exit(0);

function resultOf(): LoadResult {
    delays.sort((a, b) => a - b);
    const at = (share: number): number => delays[Math.max(0, Math.ceil(share * delays.length) - 1)] ?? Number.NaN;
    return { connected: clients.length, acknowledged, seconds: (lastMs - firstMs) / 1000, p50: at(0.5), p99: at(0.99), connectSeconds };
}

function open(device: string): Promise<{ send(index: number): Promise<void> }> {
    const read = (name: string): Buffer => readFileSync(`${options.credentials}/${device}/${name}`);
    return new Promise((resolve, reject) => {
        const socket = connect({
            host: '127.0.0.1',
            port: options.port,
            servername: 'localhost',
            ca: read('ca.crt'),
            cert: read('device.crt'),
            key: read('device.key'),
        });
        socket.setNoDelay(true);
        socket.once('secureConnect', () => socket.write(connectFrame(device)));
        socket.once('error', reject);
        socket.once('data', (answer: Buffer) => {
            if (answer[0] !== CONNACK || answer[3] !== 0) {
                reject(new Error(`${device}: CONNACK ${answer.toString('hex')}`));
                return;
            }
            resolve({ send: (index) => publishAll(socket, device, index) });
        });
    });
}

/** Sends until the time is over and everything is acknowledged. */
function publishAll(socket: TLSSocket, device: string, index: number): Promise<void> {
    const sentMs = new Float64Array(MAX_ID + 1);
    let [id, under, sequence] = [0, 0, 0];
    let rest: Buffer = Buffer.alloc(0);
    const startMs = nowMs();
    const perSecond = options.rate === undefined ? undefined : options.rate / options.devices.length;
    return new Promise((resolve, reject) => {
        const isOver = (): boolean => nowMs() >= endMs;
        const fill = (): void => {
            const pieces: Buffer[] = [];
            const due = perSecond === undefined ? Number.POSITIVE_INFINITY : ((nowMs() - startMs) / 1000) * perSecond;
            while (!isOver() && under < options.inFlight && sequence < due) {
                id = (id % MAX_ID) + 1;
                sequence += 1;
                under += 1;
                sentMs[id] = nowMs();
                pieces.push(publishFrame(device, id, payloadOf(device, index, sequence)));
            }
            if (pieces.length > 0) {
                socket.write(Buffer.concat(pieces));
            } else if (isOver() && under === 0) {
                clearInterval(timer);
                socket.destroy();
                resolve();
            }
        };
        // What is asked for by the second is asked for by the clock.
        const timer = setInterval(fill, perSecond === undefined ? 50 : 1);
        socket.on('close', () => reject(new Error(`${device}: the connection was closed`)));
        socket.on('data', (piece: Buffer) => {
            rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
            let at = 0;
            for (; at + 4 <= rest.length; at += 4) {
                if (rest[at] === PUBACK) {
                    lastMs = nowMs();
                    firstMs ||= lastMs;
                    acknowledged += 1;
                    under -= 1;
                    delays.push(lastMs - (sentMs[rest.readUInt16BE(at + 2)] ?? 0));
                }
            }
            rest = rest.subarray(at);
            fill();
        });
        fill();
    });
}

function payloadOf(device: string, index: number, sequence: number): string {
    return `{"deviceId":"${device}","ts":${Date.now()},"boot":${index},"seq":${sequence},"temperature":21.3,"humidity":45,"battery":98}`;
}

function connectFrame(clientId: string): Buffer {
    const body = Buffer.concat([text('MQTT'), Buffer.from([4, 0, 0, 120]), text(clientId)]);
    return Buffer.concat([Buffer.from([CONNECT]), lengthOf(body.length), body]);
}

function publishFrame(device: string, id: number, payload: string): Buffer {
    const topic = text(`t/${device}/telemetry`);
    const bytes = Buffer.from(payload);
    return Buffer.concat([
        Buffer.from([PUBLISH_QOS1]),
        lengthOf(topic.length + 2 + bytes.length),
        topic,
        Buffer.from([id >> 8, id & 255]),
        bytes,
    ]);
}

function text(value: string): Buffer {
    const bytes = Buffer.from(value);
    return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

/** The length of what follows, seven bits a byte. */
function lengthOf(length: number): Buffer {
    const bytes: number[] = [];
    for (let left = length; ; left >>= 7) {
        bytes.push((left & 127) | (left > 127 ? 128 : 0));
        if (left <= 127) {
            return Buffer.from(bytes);
        }
    }
}

function nowMs(): number {
    return Number(hrtime.bigint()) / 1e6;
}
