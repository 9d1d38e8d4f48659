"""AWSIoTPythonSDK 1.x without its queue for times offline: then a publish that returns True was acknowledged, and any other is sent again by the program."""
import sys
import time

from AWSIoTPythonSDK.exception.AWSIoTExceptions import connectError, connectTimeoutException, publishQueueDisabledException, publishTimeoutException
from AWSIoTPythonSDK.MQTTLib import AWSIoTMQTTClient
from say import options, payload_of, say

given = options()
client = AWSIoTMQTTClient(given['clientId'])
client.configureEndpoint(given['host'], given['port'])
client.configureCredentials(given['ca'], given['key'], given['certificate'])
client.configureOfflinePublishQueueing(0)
client.configureAutoReconnectBackoffTime(1, 2, 5)
client.configureConnectDisconnectTimeout(5)
client.configureMQTTOperationTimeout(5)
client.onOnline = lambda: say('connected')
client.onOffline = lambda: say('disconnected')
try:
    client.connect(30)
except (OSError, connectError, connectTimeoutException) as error:
    say('error', why=str(error) or type(error).__name__)
    sys.exit(1)
until = time.monotonic() + given['timeoutMs'] / 1000
is_all = True
for at, message in enumerate(given['messages']):
    is_acknowledged = False
    while not is_acknowledged and time.monotonic() < until:
        try:
            is_acknowledged = client.publish(message['topic'], payload_of(message), 1)
        except (OSError, publishQueueDisabledException, publishTimeoutException) as error:
            say('error', why=str(error) or type(error).__name__)
        if not is_acknowledged:
            time.sleep(0.5)
    if is_acknowledged:
        say('acknowledged', at=at)
    is_all = is_all and is_acknowledged
    time.sleep(given['pauseMs'] / 1000)
try:
    client.disconnect()
except Exception as error:  # noqa: BLE001: it may be offline by now, which is for the test to judge.
    say('error', why=str(error))
sys.exit(0 if is_all else 1)
