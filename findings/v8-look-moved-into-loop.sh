#!/usr/bin/env bash
# V8 moves `text.includes(x)` from in front of a loop into it, where the answer is used on one path only: a look at the whole text for each line.
#
# A function asks a text of 1.4 MB once whether it has a character, and then goes over its 10,000 lines; the answer decides what a line adds. While
# the function is interpreted that takes a millisecond. Once it is optimized the search, which has no effect of its own, is made where its answer is used,
# in the loop: a thousand times as long, and it grows with the square of the text. Nothing in a profile shows it but the function's own time. The same
# answer by a loop that counts stays where it stands. Seen with Node 24.21.0 (V8 13.6) and 20.20.2 (V8 11.3) on 2026-11-30.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-fund --no-audit --prefix "$work" node@24.21.0

cat > look.mjs <<'END_OF_LOOK'
const text = `${'x'.repeat(139)}\n`.repeat(10_000);

function asked(lines) {
    const isThere = lines.includes('\u0001');
    let sum = 0;
    for (let start = 0; start < lines.length; ) {
        const end = lines.indexOf('\n', start) + 1;
        sum += isThere ? lines.slice(start, end).length : 1;
        start = end;
    }
    return sum;
}

function counted(lines) {
    let count = 0;
    for (let at = lines.indexOf('\u0001'); at >= 0; at = lines.indexOf('\u0001', at + 1)) {
        count += 1;
    }
    const isThere = count > 0;
    let sum = 0;
    for (let start = 0; start < lines.length; ) {
        const end = lines.indexOf('\n', start) + 1;
        sum += isThere ? lines.slice(start, end).length : 1;
        start = end;
    }
    return sum;
}

/** The median of the last runs, when the function has long been optimized, in milliseconds. */
function timeOf(work) {
    const times = [];
    for (let run = 0; run < 60; run += 1) {
        const startedAt = performance.now();
        work(text.slice((run % 5) * 140));
        times.push(performance.now() - startedAt);
    }
    return times.slice(-21).sort((a, b) => a - b)[10];
}

const ratio = timeOf(asked) / timeOf(counted);
console.error(`${process.version}: ${ratio.toFixed(0)} times as long`);
console.log(ratio > 20 ? 'asked in front of the loop: more than 20 times as long as counted' : 'asked in front of the loop: as fast as counted');
END_OF_LOOK

found=$(node_modules/.bin/node look.mjs)
echo "$found"
if [ "$found" = 'asked in front of the loop: more than 20 times as long as counted' ]; then
    echo 'As found.'
else
    echo 'It has changed.'
    exit 1
fi
