#!/usr/bin/env bash
# MQTT.js and gmqtt send a QoS 1 message once more without the flag DUP, paho-mqtt and AWSIoTPythonSDK with it; a message that the broker never saw comes with it too.
#
# A client that lost its connection before PUBACK must send the message again in the same session, and "the DUP flag MUST be set to 1" then (MQTT 3.1.1, 3.3.1.1). MQTT.js
# 5.16.0 (asked for in 2017: https://github.com/mqttjs/MQTT.js/issues/692) and gmqtt 0.7.0 keep it at 0, also where CONNACK says that the session is still there. The other way
# round DUP 1 means only that the client has tried before: where the first try died on its way, paho-mqtt 2.1.0 and AWSIoTPythonSDK 1.5.5 set it on what the broker gets for the
# first time. So a reader that drops DUP 1 loses messages, and one that keeps DUP 0 counts them twice; nothing shows while the network holds. Seen on 2026-11-30.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-fund --no-audit --prefix "$work" mqtt@5.16.0 mqtt-packet@9.0.2
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check paho-mqtt==2.1.0 gmqtt==0.7.0 AWSIoTPythonSDK==1.5.5

# A broker with one session. Its first connection ends without a PUBACK: once the message was read, or, for `unread`, a second after CONNECT, with nothing read.
cat > broker.mjs <<'END_OF_BROKER'
import { createServer } from 'node:net';
import { spawn } from 'node:child_process';
import mqttPacket from 'mqtt-packet';

const [, , what, ...client] = process.argv;
const seen = [];
let connections = 0;
const server = createServer((socket) => {
    connections += 1;
    const isFirst = connections === 1;
    const parser = mqttPacket.parser();
    socket.on('error', () => {});
    parser.on('packet', (packet) => {
        if (packet.cmd === 'connect') {
            socket.write(mqttPacket.generate({ cmd: 'connack', returnCode: 0, sessionPresent: !isFirst }));
            if (isFirst && what === 'unread') {
                socket.pause();
                setTimeout(() => socket.destroy(), 1000);
            }
        } else if (packet.cmd === 'publish') {
            seen.push(`DUP ${packet.dup ? 1 : 0}`);
            if (isFirst) {
                socket.destroy();
            } else {
                socket.write(mqttPacket.generate({ cmd: 'puback', messageId: packet.messageId }));
                setTimeout(done, 200);
            }
        }
    });
    socket.on('data', (data) => parser.parse(data));
});
server.listen(0, '127.0.0.1', () => {
    const child = spawn(client[0], [...client.slice(1), String(server.address().port)], { stdio: 'ignore' });
    process.on('exit', () => child.kill('SIGKILL'));
});
setTimeout(done, 20_000);

function done() {
    console.log(seen.join(', then '));
    process.exit();
}
END_OF_BROKER

cat > with_mqttjs.mjs <<'END_OF_CLIENT'
import mqtt from 'mqtt';
const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${process.argv[2]}`, { clientId: 'c', clean: false, reconnectPeriod: 500 });
await client.publishAsync('t', 'a', { qos: 1 });
END_OF_CLIENT

cat > with_gmqtt.py <<'END_OF_CLIENT'
import asyncio, sys
from gmqtt import Client
from gmqtt.mqtt.constants import MQTTv311

async def main():
    client = Client("c", clean_session=False)
    client.set_config({"reconnect_retries": -1, "reconnect_delay": 1})
    await client.connect("127.0.0.1", int(sys.argv[1]), version=MQTTv311)
    client.publish("t", "a", qos=1)
    await asyncio.sleep(60)

asyncio.run(main())
END_OF_CLIENT

cat > with_paho.py <<'END_OF_CLIENT'
import sys, time
from paho.mqtt.client import CallbackAPIVersion, Client

client = Client(CallbackAPIVersion.VERSION2, client_id="c", clean_session=False)
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_start()
while not client.is_connected():
    time.sleep(0.01)
client.publish("t", "a", qos=1)
time.sleep(60)
END_OF_CLIENT

# What AWSIoTMQTTClient stands on, without its TLS.
cat > with_aws.py <<'END_OF_CLIENT'
import sys, threading, time
from AWSIoTPythonSDK.core.protocol.paho.client import Client

client = Client("c", clean_session=False)
connected = threading.Event()
client.on_connect = lambda *_: connected.set()
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_start()
connected.wait()
client.publish("t", "a", qos=1)
time.sleep(60)
END_OF_CLIENT

cat > expected <<'END_OF_EXPECTED'
MQTT.js, first try read by the broker: DUP 0, then DUP 0
gmqtt, first try read by the broker: DUP 0, then DUP 0
paho-mqtt, first try read by the broker: DUP 0, then DUP 1
AWSIoTPythonSDK, first try read by the broker: DUP 0, then DUP 1
MQTT.js, first try unread by the broker: DUP 0
gmqtt, first try unread by the broker: DUP 0
paho-mqtt, first try unread by the broker: DUP 1
AWSIoTPythonSDK, first try unread by the broker: DUP 1
END_OF_EXPECTED

for what in read unread; do
    for client in "MQTT.js:node with_mqttjs.mjs" "gmqtt:venv/bin/python with_gmqtt.py" "paho-mqtt:venv/bin/python with_paho.py" "AWSIoTPythonSDK:venv/bin/python with_aws.py"; do
        # shellcheck disable=SC2086
        echo "${client%%:*}, first try $what by the broker: $(node broker.mjs $what ${client#*:})"
    done
done | tee seen

diff expected seen && echo 'As found.'
