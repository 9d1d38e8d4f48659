/** How a device's way is proven to a deployed lake: IoT Core or the HTTP API takes the message, and the table of latest state shows the reading. */
import type { BucketLake } from '#lake/lake';
import type { DeviceItem } from '#lake/live/state-store';
import { IOT_MQTT_PORT, seeCertificates } from './aws.ts';
import { type CheckHome, type CheckOptions, type Latest, NOTHING, Stop } from './check-network.ts';

/**
 * The home of a deployed lake. IoT Core knows a device by its client id, so the check connects as the device itself: a connection that it has is ended, and it
 * dials again.
 */
export async function homeOnAws(
    lake: BucketLake,
    device: string,
    { host, mqttPort, httpPort, http }: CheckOptions,
    { now }: { now: () => Date },
): Promise<CheckHome> {
    const { names } = await lake.telemetry();
    const httpBase = new URL(names.apiUrl ?? `https://${host ?? 'localhost'}`);
    if (http && names.apiUrl === undefined) {
        throw new Stop('the lake lets no devices in: its deployment names no API (telemetry in cdk/config.ts: isOn)');
    }
    if (http && host !== undefined) {
        httpBase.hostname = host;
    }
    if (httpPort !== 0) {
        httpBase.port = `${httpPort}`;
    }
    const state = await lake.state({ now });
    const endpoint = http ? httpBase.hostname : (host ?? (await (await lake.iot()).endpoint()));
    const logs = 'log group AWSIotLogsV2 says why (docs/devices.md)';
    return {
        target: { host: endpoint, mqttPort: mqttPort === 0 ? IOT_MQTT_PORT : mqttPort, httpBase },
        clientId: device,
        hints: {
            closed: `is this the endpoint (aws iot describe-endpoint --endpoint-type iot:Data-ATS), and the port ${http ? '--http-port' : '--mqtt-port'}?`,
            mute: 'a firewall may be between: it has to let port 8883 through, or 443 for HTTP',
            refused: logs,
            ended: `IoT Core lets it in by no certificate, thing or policy of its own: flowlake device show ${device}; ${logs}`,
            notStored: `its policy may not let it publish there; ${logs}`,
            noApi: 'is the lake deployed with telemetry on?',
        },
        async judgeCertificate(fingerprint) {
            const seen = (await seeCertificates(lake, device))?.get(fingerprint);
            if (seen?.status !== 'ACTIVE' || !seen.isAttached || !seen.hasPolicy) {
                const what = !seen
                    ? 'it is not there'
                    : seen.status !== 'ACTIVE'
                      ? `it is ${seen.status}`
                      : seen.isAttached
                        ? 'it has no policy'
                        : 'no thing has it';
                throw new Stop(`at IoT Core ${what}: flowlake device add ${device} --out DIR, as it was typed before, makes up for it`);
            }
            return 'ACTIVE at IoT Core';
        },
        async withLatest(_attempt, use) {
            await use(async () => latestOf((await state.read([device])).get(device)), 'table');
        },
        ifLate: 'see flowlake status, and the alarms (docs/operations.md)',
    };
}

function latestOf(item: DeviceItem | undefined): Latest {
    if (item === undefined) {
        return NOTHING;
    }
    const { lastReceivedMs: receivedMs, lastRejected, refused, metrics } = item;
    return { receivedMs, rejected: lastRejected ?? undefined, refused, metrics };
}
