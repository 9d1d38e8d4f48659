/** The address of a device's screen. */
import { addressOf } from '../../shell/router.ts';

/** `from` and `to` are days or instants; what is left out is chosen there. */
export function deviceAddress(of: { device: string; site?: string; from?: string; to?: string; metric?: string }): string {
    const { device, ...more } = of;
    return addressOf('/device', { id: device, ...more });
}
