/** Opens the way to an address. */
import { UsageError } from '#lake/errors';
import type { Way, WayOptions } from './way.ts';

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
