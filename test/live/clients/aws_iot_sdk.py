"""awsiotsdk (v2), MQTT 3.1.1 with a session that stays, as its guide has it; version 5 is its mqtt5 client."""
import concurrent.futures
import os
import sys
import time

from awscrt import io, mqtt, mqtt5
from awsiot import mqtt5_client_builder, mqtt_connection_builder
from say import options, payload_of, say

given = options()
files = {'ca_filepath': given['ca'], 'cert_filepath': given.get('certificate'), 'pri_key_filepath': given.get('key')}


def main_5() -> int:
    failed = concurrent.futures.Future()
    client = mqtt5_client_builder.mtls_from_path(
        endpoint=given['host'],
        port=given['port'],
        client_id=given['clientId'],
        on_lifecycle_connection_failure=lambda data: failed.done() or failed.set_result(data),
        on_lifecycle_connection_success=lambda _data: say('connected'),
        **files,
    )
    client.start()
    data = failed.result(given['timeoutMs'] / 1000)
    reason = data.connack_packet.reason_code if data.connack_packet else None
    say('refused', reason=reason.name if isinstance(reason, mqtt5.ConnectReasonCode) else str(reason), why=str(data.exception))
    client.stop()
    return 1


def open_3() -> mqtt.Connection:
    common = {
        'port': given['port'],
        'client_id': given['clientId'],
        'clean_session': False,
        'reconnect_min_timeout_secs': 1,
        'reconnect_max_timeout_secs': 2,
        'ping_timeout_ms': 3000,
        'on_connection_interrupted': lambda **_said: say('disconnected'),
        'on_connection_resumed': lambda **_said: say('connected'),
    }
    if given.get('certificate') is not None:
        return mqtt_connection_builder.mtls_from_path(endpoint=given['host'], **common, **files)
    # Its builders know no TLS without a certificate.
    tls = io.TlsContextOptions()
    tls.override_default_trust_store_from_path(None, given['ca'])
    client = mqtt.Client(io.ClientBootstrap.get_or_create_static_default(), io.ClientTlsContext(tls))
    return mqtt.Connection(client=client, host_name=given['host'], **common)


def main_3() -> int:
    try:
        connection = open_3()
        connection.connect().result(10)
    except Exception as error:  # noqa: BLE001: its errors have no class of their own; what it says is for the test to judge.
        say('error', why=str(error))
        return 1
    say('connected')
    sent = []
    for message in given['messages']:
        future, _ = connection.publish(message['topic'], payload_of(message), mqtt.QoS.AT_LEAST_ONCE)
        sent.append(future)
        time.sleep(given['pauseMs'] / 1000)
    until = time.monotonic() + given['timeoutMs'] / 1000
    is_all = True
    for at, future in enumerate(sent):
        try:
            future.result(max(0.01, until - time.monotonic()))
            say('acknowledged', at=at)
        except Exception as error:  # noqa: BLE001: a timeout or an error of the library, both are no acknowledgement.
            say('error', why=str(error) or type(error).__name__)
            is_all = False
    try:
        connection.disconnect().result(5)
    except Exception as error:  # noqa: BLE001: it may be offline by now.
        say('error', why=str(error))
    return 0 if is_all else 1


code = main_5() if given.get('version') == 5 else main_3()
# Its threads do not end while it dials.
os._exit(code)
