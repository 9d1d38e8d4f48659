/** Ways by which a simulated device sends: MQTT with its certificate, or HTTP with its token. */

import type { DeviceFiles } from '#cli/device-files';
import { UsageError } from '#lake/errors';

/** The end of the way on which messages go out. */
export interface Way {
    /** Resolves once the message is acknowledged. @throws Error with what was answered, where it was refused for good */
    send(device: string, message: { topic: string; payload: string }): Promise<void>;
    close(): Promise<void>;
}

export interface WayOptions {
    to: URL;
    /** Who each device is. */
    files: ReadonlyMap<string, DeviceFiles>;
    /** Called with what a person should know: a connection that does not come about. */
    onTrouble(why: string): void;
}

/** The way to an address: `mqtts://host:8883`, `https://host:8080`. @throws UsageError for others */
export async function openWay(options: WayOptions): Promise<Way> {
    switch (options.to.protocol) {
        case 'mqtts:':
        case 'mqtt:': {
            const { openMqttWay } = await import('./mqtt-way.ts');
            return openMqttWay(options);
        }
        case 'http:':
        case 'https:': {
            const { openHttpWay } = await import('./http-way.ts');
            return openHttpWay(options);
        }
        default:
            throw new UsageError(`${options.to} is no way: write mqtts://localhost:8883 or http://localhost:8080`);
    }
}
