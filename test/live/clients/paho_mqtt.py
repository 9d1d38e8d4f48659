"""paho-mqtt, as programs use it: its own thread, automatic reconnect, a publish that is waited for."""
import sys
import time

import paho.mqtt.client as mqtt
from say import options, payload_of, say

given = options()
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=given['clientId'], protocol=mqtt.MQTTv5 if given.get('version') == 5 else mqtt.MQTTv311)
client.on_connect = lambda _client, _userdata, _flags, reason, _properties: say('refused' if reason.is_failure else 'connected', reason=str(reason))
client.on_disconnect = lambda *_arguments: say('disconnected')
acknowledged = set()
client.on_publish = lambda _client, _userdata, number, *_more: acknowledged.add(number)
client.reconnect_delay_set(1, 2)


def publish(message: dict) -> int:
    number = client.publish(message['topic'], payload_of(message), qos=1).mid
    time.sleep(given['pauseMs'] / 1000)
    return number


try:
    client.tls_set(given['ca'], given.get('certificate'), given.get('key'))
    client.connect(given['host'], given['port'], keepalive=30)
except OSError as error:
    say('error', why=str(error))
    sys.exit(1)
client.loop_start()
# What is published while it is disconnected goes out later, under its own number; is_published() raises for such a message.
numbers = [publish(message) for message in given['messages']]
until = time.monotonic() + given['timeoutMs'] / 1000
while not acknowledged.issuperset(numbers) and time.monotonic() < until:
    time.sleep(0.02)
for at, number in enumerate(numbers):
    if number in acknowledged:
        say('acknowledged', at=at)
is_all = acknowledged.issuperset(numbers)
client.disconnect()
client.loop_stop()
sys.exit(0 if is_all else 1)
