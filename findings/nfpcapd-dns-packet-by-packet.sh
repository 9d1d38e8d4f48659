#!/usr/bin/env bash
# nfpcapd 1.7.1 makes a flow of every single packet from or to UDP port 53, each with a duration of 0; of any other port it makes flows.
#
# Three questions and three answers on one pair of ports, a quarter of a second apart: six flows on port 53, two on port 54. Nothing in its manual or in the file tells, so
# flows counted by pair, and means of durations and of packets, are those of other things for DNS than for the rest: a device that asks for one name a minute has as many
# flows as it sends packets. `nfdump -b` and `-B` make one row of them again, with the true duration. softflowd, argus and NFStream make one flow of both. Seen on 2026-11-30.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

nfdump -V | grep -o '1\.7\.1' || { echo 'needs nfdump 1.7.1 (Debian 12: apt-get install nfdump)'; exit 1; }
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check scapy==2.8.0

cat > make.py <<'END_OF_MAKE'
from scapy.all import IP, UDP, Ether, wrpcap


def packet(nth, port):
    src, dst, sport, dport = '192.0.2.1', '198.51.100.1', 40000, port
    if nth % 2 == 1:
        src, dst, sport, dport = dst, src, dport, sport
    made = Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:02') / IP(src=src, dst=dst) / UDP(sport=sport, dport=dport) / b'payload.'
    made.time = 1767600000 + nth * 0.25
    return made


wrpcap('made.pcap', [packet(nth, port) for port in (53, 54) for nth in range(6)])
END_OF_MAKE
venv/bin/python make.py
mkdir flows
nfpcapd -r made.pcap -w flows > /dev/null 2>&1

# Port of the source and of the destination, seconds, packets there and back.
rows() { TZ=UTC nfdump -R flows -q -o csv "$@" | cut -d, -f 6,7,3,12,14 | sort; }
{ echo 'as it is:'; rows; echo 'with -B:'; rows -B; } | tee seen

cat > expected <<'END_OF_EXPECTED'
as it is:
0.000,40000,53,1,0
0.000,40000,53,1,0
0.000,40000,53,1,0
0.000,53,40000,1,0
0.000,53,40000,1,0
0.000,53,40000,1,0
1.000,40000,54,3,0
1.000,54,40000,3,0
with -B:
1.250,40000,53,3,3
1.250,40000,54,3,3
END_OF_EXPECTED
diff expected seen && echo 'As found.'
