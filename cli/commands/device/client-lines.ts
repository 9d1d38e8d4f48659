/** Lines by which a device sends its first message, for the clients that devices have. docs/devices.md shows them, and a test runs each against a broker. */
import { type DeviceFile, deviceFile } from '#cli/device-files';
import { quoteForShell } from '#lake/quote-for-shell';

export interface LinesOptions {
    device: string;
    /** The folder that `device add --out` was given. */
    directory: string;
    host: string;
    mqttPort: number;
    /** Beginning of the addresses of the HTTP API: `http://localhost:8080`. */
    httpBase: string;
    /** What it sends, and where to. */
    message: { topic: string; payload: string };
}

export interface ClientLines {
    client: string;
    /** What it authenticates by. */
    by: 'certificate' | 'token';
    /** What must be installed for it. */
    needs: string;
    /** Text for a shell. It succeeds, prints `acknowledged`, or ends with an error. */
    text: string;
}

export function clientLines({ device, directory, host, mqttPort, httpBase, message: { topic, payload } }: LinesOptions): ClientLines[] {
    const path = (which: DeviceFile): string => deviceFile(directory, device, which);
    const word = (which: DeviceFile): string => quoteForShell(path(which));
    const text = (value: string): string => JSON.stringify(value);
    const lines = (...all: string[]): string => `${all.join('\n')}\n`;
    return [
        {
            client: 'mosquitto_pub',
            by: 'certificate',
            needs: 'mosquitto-clients of the system',
            text: lines(
                `mosquitto_pub -h ${quoteForShell(host)} -p ${mqttPort} --cafile ${word('ca')} --cert ${word('certificate')} --key ${word('key')} \\`,
                `    -i ${quoteForShell(device)} -q 1 -t ${quoteForShell(topic)} -m '${payload}' && echo acknowledged`,
            ),
        },
        {
            client: 'paho-mqtt',
            by: 'certificate',
            needs: 'pip install paho-mqtt',
            text: lines(
                "python3 - <<'END'",
                'import paho.mqtt.client as mqtt',
                `client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=${text(device)})`,
                `client.tls_set(${text(path('ca'))}, ${text(path('certificate'))}, ${text(path('key'))})`,
                `client.connect(${text(host)}, ${mqttPort})`,
                'client.loop_start()',
                `message = client.publish(${text(topic)}, '${payload}', qos=1)`,
                'message.wait_for_publish(10)',
                'print("acknowledged" if message.is_published() else "not acknowledged")',
                'client.disconnect()',
                'END',
            ),
        },
        {
            client: 'AWSIoTPythonSDK',
            by: 'certificate',
            needs: 'pip install AWSIoTPythonSDK',
            text: lines(
                "python3 - <<'END'",
                'from AWSIoTPythonSDK.MQTTLib import AWSIoTMQTTClient',
                `client = AWSIoTMQTTClient(${text(device)})`,
                `client.configureEndpoint(${text(host)}, ${mqttPort})`,
                `client.configureCredentials(${text(path('ca'))}, ${text(path('key'))}, ${text(path('certificate'))})`,
                'client.connect()',
                `print("acknowledged" if client.publish(${text(topic)}, '${payload}', 1) else "not acknowledged")`,
                'client.disconnect()',
                'END',
            ),
        },
        {
            client: 'awsiotsdk',
            by: 'certificate',
            needs: 'pip install awsiotsdk',
            text: lines(
                "python3 - <<'END'",
                'from awscrt import mqtt',
                'from awsiot import mqtt_connection_builder',
                'connection = mqtt_connection_builder.mtls_from_path(',
                `    endpoint=${text(host)}, port=${mqttPort}, client_id=${text(device)}, clean_session=False, ca_filepath=${text(path('ca'))},`,
                `    cert_filepath=${text(path('certificate'))}, pri_key_filepath=${text(path('key'))})`,
                'connection.connect().result(10)',
                `sent, _ = connection.publish(${text(topic)}, '${payload}', mqtt.QoS.AT_LEAST_ONCE)`,
                'sent.result(10)',
                'print("acknowledged")',
                'connection.disconnect().result(10)',
                'END',
            ),
        },
        {
            client: 'mqtt.js',
            by: 'certificate',
            needs: 'npm install mqtt',
            text: lines(
                "node --input-type=module - <<'END'",
                "import { readFileSync } from 'node:fs';",
                "import mqtt from 'mqtt';",
                `const client = await mqtt.connectAsync(${text(`mqtts://${host}:${mqttPort}`)}, {`,
                `    clientId: ${text(device)}, ca: readFileSync(${text(path('ca'))}),`,
                `    cert: readFileSync(${text(path('certificate'))}), key: readFileSync(${text(path('key'))}),`,
                '});',
                `await client.publishAsync(${text(topic)}, '${payload}', { qos: 1 });`,
                "console.log('acknowledged');",
                'await client.endAsync();',
                'END',
            ),
        },
        {
            client: 'curl',
            by: 'token',
            needs: 'curl',
            text: lines(
                `curl --fail-with-body --silent --show-error${httpBase.startsWith('https:') ? ` --cacert ${word('ca')}` : ''} ${quoteForShell(`${httpBase}/v1/telemetry`)} \\`,
                `    -H "Authorization: Bearer $(cat ${word('token')})" -H 'Content-Type: application/json' -d '${payload}'`,
            ),
        },
    ];
}
