import { runHistory } from '#test/support/protocol-history';
const [n = '1000', first = '1', rule, showAll] = process.argv.slice(2);
const T = Date.now(); let wrong = 0; const kinds = new Map<string, number>(); const firstSeed = new Map<string, number>();
for (let seed = Number(first); seed < Number(first) + Number(n); seed++) {
  const r = await runHistory(seed, rule ? { broken: rule as never } : {});
  if (r.wrong !== undefined) {
    wrong++;
    const kind = r.wrong.replace(/[0-9a-f]{16}|\d+/g, '#').split('\n')[0]!.slice(0, 110);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    if (!firstSeed.has(kind)) { firstSeed.set(kind, seed); if (showAll !== 'q') console.log('seed', seed, r.log.join('\n   '), '\n', r.wrong); }
    if (rule && showAll === 'q') { break; }
  }
}
console.log({ rule, wrong, of: n, perHistoryMs: (Date.now() - T) / Number(n), firstSeed, kinds });
