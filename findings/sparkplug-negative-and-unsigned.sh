#!/usr/bin/env bash
# -5 that pysparkplug sends as Sparkplug B Int8 or Int16 is 251 or 65531 for sparkplug-payload, its UInt32 is null; the other way pysparkplug raises.
#
# The payload has but unsigned fields (`uint32 int_value`, `uint64 long_value`) and says the type beside them; how a negative number gets into one has been asked
# (https://github.com/eclipse-sparkplug/sparkplug/issues/453). sparkplug-payload 1.0.3 (JavaScript, of Eclipse Tahu) extends the sign to 32 bits, 0xfffffffb, and
# undoes only that. pysparkplug 0.3.2 keeps to the width of the type, 0xfb, and refuses what is larger, with all else that is in the message
# (https://github.com/matteosox/pysparkplug/pull/32). UInt32 the one puts into `long_value` and reads only there (https://github.com/eclipse-tahu/tahu/issues/218), the
# other into `int_value`: the metric is there with its type, and its value is null. mqtt-spb-wrapper 2.1.2 reads all of them. Int32 and Int64 agree everywhere, and all
# agree with themselves, so that neither a test with those types nor one of both ends in one language shows anything, nor a thermometer before the first frost. Seen on
# 2026-11-30.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-fund --no-audit --prefix "$work" sparkplug-payload@1.0.3
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check mqtt-spb-wrapper==2.1.2 paho-mqtt==1.6.1 protobuf==3.20.3 pysparkplug==0.3.2

cat > payload.mjs <<'END_OF_PAYLOAD'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import sparkplug from 'sparkplug-payload';

const { decodePayload, encodePayload } = sparkplug.get('spBv1.0');
if (process.argv[2] === 'write') {
    for (const [type, value] of Object.entries({ Int8: -5, Int16: -5, Int32: -5, Int64: -5, UInt32: 4_000_000_000 })) {
        const metrics = [{ name: 'n', type, value }];
        writeFileSync(`payloads/${type} of sparkplug-payload`, encodePayload({ timestamp: 1_767_600_000_000, seq: 0, metrics }));
    }
} else {
    for (const name of readdirSync('payloads')) {
        const [{ value }] = decodePayload(readFileSync(`payloads/${name}`)).metrics;
        console.log(`${name} read by sparkplug-payload: ${value}`);
    }
}
END_OF_PAYLOAD

cat > payload.py <<'END_OF_PAYLOAD'
import sys
from pathlib import Path

from mqtt_spb_wrapper import SpbPayloadParser
from pysparkplug import DataType, DData, Metric

PAYLOADS = Path('payloads')


def write():
    for kind, value in {'Int8': -5, 'Int16': -5, 'Int32': -5, 'Int64': -5, 'UInt32': 4_000_000_000}.items():
        metric = Metric(timestamp=1_767_600_000_000, name='n', datatype=DataType[kind.upper()], value=value)
        data = DData(timestamp=1_767_600_000_000, seq=0, metrics=[metric])
        (PAYLOADS / f'{kind} of pysparkplug').write_bytes(data.encode(include_dtypes=True))


READERS = {
    'pysparkplug': lambda payload: DData.decode(payload).metrics[0].value,
    'mqtt-spb-wrapper': lambda payload: SpbPayloadParser().parse_payload(payload)['metrics'][0]['value'],
}


def read():
    for path in PAYLOADS.iterdir():
        for reader, value_of in READERS.items():
            try:
                answer = value_of(path.read_bytes())
            except OverflowError as error:
                answer = repr(error)
            print(f'{path.name} read by {reader}: {answer}')


write() if sys.argv[1] == 'write' else read()
END_OF_PAYLOAD

cat > expected <<'END_OF_EXPECTED'
Int16 of pysparkplug read by mqtt-spb-wrapper: -5
Int16 of pysparkplug read by pysparkplug: -5
Int16 of pysparkplug read by sparkplug-payload: 65531
Int16 of sparkplug-payload read by mqtt-spb-wrapper: -5
Int16 of sparkplug-payload read by pysparkplug: OverflowError('Int16 overflow with value 4294967291')
Int16 of sparkplug-payload read by sparkplug-payload: -5
Int32 of pysparkplug read by mqtt-spb-wrapper: -5
Int32 of pysparkplug read by pysparkplug: -5
Int32 of pysparkplug read by sparkplug-payload: -5
Int32 of sparkplug-payload read by mqtt-spb-wrapper: -5
Int32 of sparkplug-payload read by pysparkplug: -5
Int32 of sparkplug-payload read by sparkplug-payload: -5
Int64 of pysparkplug read by mqtt-spb-wrapper: -5
Int64 of pysparkplug read by pysparkplug: -5
Int64 of pysparkplug read by sparkplug-payload: -5
Int64 of sparkplug-payload read by mqtt-spb-wrapper: -5
Int64 of sparkplug-payload read by pysparkplug: -5
Int64 of sparkplug-payload read by sparkplug-payload: -5
Int8 of pysparkplug read by mqtt-spb-wrapper: -5
Int8 of pysparkplug read by pysparkplug: -5
Int8 of pysparkplug read by sparkplug-payload: 251
Int8 of sparkplug-payload read by mqtt-spb-wrapper: -5
Int8 of sparkplug-payload read by pysparkplug: OverflowError('Int8 overflow with value 4294967291')
Int8 of sparkplug-payload read by sparkplug-payload: -5
UInt32 of pysparkplug read by mqtt-spb-wrapper: 4000000000
UInt32 of pysparkplug read by pysparkplug: 4000000000
UInt32 of pysparkplug read by sparkplug-payload: null
UInt32 of sparkplug-payload read by mqtt-spb-wrapper: 4000000000
UInt32 of sparkplug-payload read by pysparkplug: 4000000000
UInt32 of sparkplug-payload read by sparkplug-payload: 4000000000
END_OF_EXPECTED

mkdir payloads
node payload.mjs write
venv/bin/python payload.py write
{ node payload.mjs read && venv/bin/python payload.py read; } | LC_ALL=C sort | tee seen
diff expected seen && echo 'As found.'
