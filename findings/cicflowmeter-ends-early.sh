#!/usr/bin/env bash
# One connection that was silent for more than 240 s ends the Python cicflowmeter in the middle of a capture, and its exit code is 0.
#
# The server speaks first after the silence, so that the new flow has no packet of the client, and the smallest header of none is asked for (`min()` of nothing). 0.2.0 dies
# in a thread of its own with a traceback, 0.5.0 prints one line and then "All done!". Both leave a CSV file that is well-formed and holds what had been written till then:
# here 1 row of 12. An IoT device that is told something every ten minutes is such a connection. Known: https://github.com/hieulw/cicflowmeter/issues/21, mended after
# 0.5.0. Not expected: that the exit code is 0, and that nothing in the file tells. Seen on 2026-11-30.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Python 3.12 is the only one that both run on. Scapy asks tcpdump (Debian: apt-get install tcpdump) for the packets of TCP and UDP.
for version in 0.2.0 0.5.0; do
    "${PYTHON:-python3.12}" -m venv "$version"
done
0.2.0/bin/pip install --quiet --disable-pip-version-check cicflowmeter==0.2.0 numpy==1.26.4 scapy==2.5.0 scipy==1.17.1
0.5.0/bin/pip install --quiet --disable-pip-version-check cicflowmeter==0.5.0 numpy==2.5.5 scapy==2.8.0 scipy==1.18.1

cat > make.py <<'END_OF_MAKE'
from scapy.all import IP, UDP, Ether, wrpcap

BEGIN = 1767600000


def packet(after, is_request, port):
    src, dst = ('192.0.2.1', '198.51.100.1') if is_request else ('198.51.100.1', '192.0.2.1')
    ports = {'sport': port, 'dport': 5683} if is_request else {'sport': 5683, 'dport': port}
    made = Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:02') / IP(src=src, dst=dst) / UDP(**ports) / b'payload.'
    made.time = BEGIN + after
    return made


silent = [packet(0, True, 40000), packet(300, False, 40000)]
others = [packet(300 + nth + half, half == 0, 40000 + nth) for nth in range(1, 11) for half in (0, 0.5)]
wrpcap('captures/made.pcap', silent + others)
END_OF_MAKE
mkdir captures
0.5.0/bin/python make.py

code=0
0.2.0/bin/cicflowmeter -f captures/made.pcap -c 0.2.0.csv > 0.2.0.said 2>&1 || code=$?
echo "0.2.0: $(tail -n +2 0.2.0.csv | wc -l) of 12 rows, exit code $code, $(grep -c '^ValueError: min()' 0.2.0.said) traceback" | tee seen
code=0
0.5.0/bin/cicflowmeter -d captures -c written > 0.5.0.said 2>&1 || code=$?
echo "0.5.0: $(tail -n +2 written/made.csv | wc -l) of 12 rows, exit code $code, $(grep -o '^All done!' 0.5.0.said)" | tee -a seen

cat > expected <<'END_OF_EXPECTED'
0.2.0: 1 of 12 rows, exit code 0, 1 traceback
0.5.0: 1 of 12 rows, exit code 0, All done!
END_OF_EXPECTED
diff expected seen && echo 'As found.'
