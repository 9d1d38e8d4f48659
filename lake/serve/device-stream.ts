/** A device's connection as the broker reads it: through the gate, no faster than the device may send, and no further than the inbox has stored. */
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { PacketGate } from './packet-gate.ts';

/** How many messages a device may send a second: what it sends beyond waits in its own send buffer, it is not thrown out. */
export class Allowance {
    readonly #perSecond: number;
    readonly #now: () => number;
    /** Messages that it may send at once; below zero it has to wait. */
    #left: number;
    #at: number;

    constructor({ perSecond, now }: { perSecond: number; now: () => number }) {
        this.#perSecond = perSecond;
        this.#now = now;
        this.#left = perSecond;
        this.#at = now();
    }

    /** Takes messages that have come. @returns milliseconds until more may be read */
    take(messages: number): number {
        const now = this.#now();
        // A clock that was set back gives nothing, and takes nothing.
        const passedMs = Math.max(0, now - this.#at);
        this.#at = now;
        this.#left = Math.min(this.#perSecond, this.#left + (passedMs * this.#perSecond) / 1_000) - messages;
        return this.#left >= 0 ? 0 : Math.ceil((-this.#left * 1_000) / this.#perSecond);
    }
}

export interface StreamOptions {
    allowance: Allowance;
    /** Called once, when the connection has to end for what the device sent. */
    onFault: (why: string) => void;
    /** Bytes of the largest payload that is read whole, where it is not a device's. */
    maxPayloadBytes?: number;
}

/** CONNACK "unsupported protocol version" as MQTT 5 has it (3.2), and as clients of other versions read it (MQTT 3.1.1, 3.2.2.3). */
const CONNACK_OF_5 = Buffer.from([0x20, 0x03, 0x00, 0x84, 0x00]);
const CONNACK_UNACCEPTABLE = Buffer.from([0x20, 0x02, 0x00, 0x01]);

/** Levels of MQTT 3.1 and 3.1.1. */
const KNOWN_LEVELS = [3, 4];

/** Bytes that wait for the broker before the socket is no longer read. */
const HIGH_WATER_MARK_BYTES = 16_384;

/** Messages of a connection, and their bytes, that may be on their way into the inbox before more is read. */
const MAX_UNDER_WAY = 1_000;
const MAX_UNDER_WAY_BYTES = 1 << 20;

export class DeviceStream extends Duplex {
    readonly gate: PacketGate;
    readonly #socket: TLSSocket;
    readonly #options: StreamOptions;
    #timer: NodeJS.Timeout | undefined;
    #isStopped = false;
    #underWay = 0;
    #underWayBytes = 0;

    constructor(socket: TLSSocket, options: StreamOptions) {
        super({ readableHighWaterMark: HIGH_WATER_MARK_BYTES, writableHighWaterMark: HIGH_WATER_MARK_BYTES, allowHalfOpen: false });
        this.gate = new PacketGate(options);
        this.#socket = socket;
        this.#options = options;
        socket.on('data', (chunk: Buffer) => this.#take(chunk));
        socket.on('end', () => this.push(null));
        socket.on('error', (error) => this.destroy(error));
        socket.on('close', () => this.destroy());
        socket.pause();
    }

    /** Reads no more: what the device sends from now on stays unacknowledged. */
    stopReading(): void {
        this.#isStopped = true;
        this.#socket.pause();
    }

    /** Holds back what the device sends while too much of it is not stored: the broker itself would read on, however slow the inbox is. */
    track(sizeBytes: number, stored: Promise<unknown>): void {
        this.#underWay += 1;
        this.#underWayBytes += sizeBytes;
        const settle = (): void => {
            const wasFull = this.#isFull;
            this.#underWay -= 1;
            this.#underWayBytes -= sizeBytes;
            if (wasFull && !this.destroyed) {
                this._read();
            }
        };
        stored.then(settle, settle);
    }

    get #isFull(): boolean {
        return this.#underWay >= MAX_UNDER_WAY || this.#underWayBytes >= MAX_UNDER_WAY_BYTES;
    }

    override _read(): void {
        if (this.#timer === undefined && !this.#isStopped && !this.#isFull) {
            this.#socket.resume();
        }
    }

    override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
        this.#socket.write(chunk, done);
    }

    override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
        this.#socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
    }

    override _final(done: (error?: Error | null) => void): void {
        this.#socket.end(() => done());
    }

    override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
        clearTimeout(this.#timer);
        this.#socket.destroy();
        done(error);
    }

    #take(chunk: Buffer): void {
        const { gate } = this;
        const isNew = gate.level === undefined;
        const before = gate.publishes;
        const pieces = gate.take(chunk);
        if (isNew && gate.level !== undefined && !KNOWN_LEVELS.includes(gate.level)) {
            this.#end(sayUnknownLevel(gate.level), gate.level === 5 ? CONNACK_OF_5 : CONNACK_UNACCEPTABLE);
            return;
        }
        let isWanted = true;
        for (const piece of pieces) {
            isWanted = this.push(piece);
        }
        if (gate.fault !== undefined) {
            this.#end(gate.fault);
            return;
        }
        const waitMs = this.#options.allowance.take(gate.publishes - before);
        if (waitMs > 0) {
            this.#socket.pause();
            this.#timer = setTimeout(() => {
                this.#timer = undefined;
                this._read();
            }, waitMs);
        } else if (!isWanted || this.#isFull) {
            this.#socket.pause();
        }
    }

    /** Ends the connection; the device gets the answer before. */
    #end(why: string, answer?: Buffer): void {
        this.#socket.pause();
        this.#socket.removeAllListeners('data');
        this.#options.onFault(why);
        if (answer) {
            // Destroyed before that is written, the answer would never arrive. A client that does not read it goes by the broker's time for CONNECT.
            this.#socket.end(answer, () => this.push(null));
            this.#socket.resume();
        } else {
            this.destroy();
        }
    }
}

function sayUnknownLevel(level: number): string {
    return level === 5
        ? 'it speaks MQTT 5, and this broker MQTT 3.1 and 3.1.1: choose 3.1.1 in the client (protocol version 4; mqtt.js, paho and mosquitto have it by default, awsiotsdk as mqtt_connection_builder)'
        : `it speaks protocol level ${level} of MQTT, and this broker 3 (3.1) and 4 (3.1.1)`;
}
