/** Ways by which a simulated device sends: MQTT with its certificate, or HTTP with its token. */

import type { DeviceFiles } from '#cli/device-files';

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
