/** Opens the way to an address. */
import { UsageError } from '#lake/errors';
import type { Way, WayOptions } from './way.ts';

/** The way to an address: `mqtts://host:8883`, `https://host:8080`, `kinesis:stream`. @throws UsageError for others */
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
        case 'kinesis:': {
            const { openKinesisWay } = await import('./kinesis-way.ts');
            return openKinesisWay(options);
        }
        default:
            throw new UsageError(
                `${options.to} is no way: write mqtts://localhost:8883, http://localhost:8080 or kinesis:flowlake-dev-programs`,
            );
    }
}
