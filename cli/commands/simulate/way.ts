/** Ways by which a simulated device sends: MQTT with its certificate, HTTP with its token, or a program that puts its messages into a stream. */

import type { DeviceFiles } from '#cli/device-files';

/** The end of the way on which messages go out. */
export interface Way {
    /** Resolves once the message is acknowledged. @throws Error with what was answered, where it was refused for good */
    send(device: string, message: { topic: string; payload: string }): Promise<void>;
    close(): Promise<void>;
}

export interface WayOptions {
    to: URL;
    /** Who each device is; none of a program, which is who its role says. */
    files: ReadonlyMap<string, DeviceFiles>;
    /** The variables of the process. */
    environment: Readonly<Record<string, string | undefined>>;
    /** Called with what a person should know: a connection that does not come about. */
    onTrouble(why: string): void;
}
