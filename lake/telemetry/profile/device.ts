/** Which device a message is of. */
import type { Problem } from '../reading.ts';
import { NULL, NUMBER, TEXT } from './fields.ts';
import { type Context, type Source, showToken, textOf } from './tokens.ts';

/** No device, and why. */
export class NoDevice {
    readonly problem: Problem;
    constructor(reason: string, why: string) {
        this.problem = { reason, why };
    }
}

const MAX_DEVICE_CHARACTERS = 256;

/** The device, by its certificate where there is one: what the payload says must be the same. */
export function findDevice(source: Source, context: Context): string | NoDevice {
    const { device: certified } = context.message;
    const token = source(context);
    const named = textOf(token);
    if (certified !== undefined) {
        return named === undefined || named === certified
            ? certified
            : new NoDevice(
                  'device_mismatch',
                  `the message says that it is of ${JSON.stringify(named.slice(0, 100))}, but its certificate or token is that of "${certified}"`,
              );
    }
    if (token === undefined || token.type === NULL) {
        return new NoDevice('no_device', 'it does not say which device it is of: none of the places that "device" names is there');
    }
    if (named === undefined || (token.type !== TEXT && token.type !== NUMBER)) {
        return new NoDevice('no_device', `${showToken(token)} is no id of a device: a text or a number must stand there`);
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: an id goes to tables and terminals.
    if (named === '' || named.length > MAX_DEVICE_CHARACTERS || /[\u0000-\u001f\u007f]/.test(named)) {
        return new NoDevice(
            'no_device',
            `${JSON.stringify(named.slice(0, 100))} is no id of a device: it is empty, longer than ${MAX_DEVICE_CHARACTERS} characters, or holds control characters`,
        );
    }
    return named;
}
