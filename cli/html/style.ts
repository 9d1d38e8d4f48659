/**
 * The style of the pages that this program writes: light and dark, phone width and A4. Blue and orange are told apart by everybody; what is missing is
 * hatched. No element has a style of its own, so that the page's policy allows this one sheet and nothing else.
 */
export const STYLE = `
:root {
    color-scheme: light dark;
    --page: #ffffff; --text: #1c2430; --quiet: #566172; --line: #d4dae3; --soft: #f3f5f9;
    --s1: #1f62c4; --s2: #d9730d; --s3: #6b7f99; --s4: #7fb0f5; --s5: #8a5a00; --s6: #24476f;
    --warn: #b34a00; --q1: #e8f0fc; --q2: #cfe0f9; --q3: #b0ccf4; --q4: #8db5ee; --hatch: #9aa5b4;
}
@media screen and (prefers-color-scheme: dark) {
    :root {
        --page: #12161d; --text: #e6eaf1; --quiet: #a3aebd; --line: #343d4b; --soft: #1b212b;
        --s1: #6ea8ff; --s2: #ffa04d; --s3: #93a3b8; --s4: #3f6fb5; --s5: #d9b25e; --s6: #a9c7ee;
        --warn: #ffa866; --q1: #1b2a42; --q2: #203657; --q3: #26446f; --q4: #2d5489; --hatch: #6b7788;
    }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body > svg { position: absolute; }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem 4rem; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.75rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line); break-after: avoid; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; break-after: avoid; }
p { margin: .4rem 0; max-width: 46rem; }
header p { color: var(--quiet); }
.notice { border-left: 4px solid var(--warn); background: var(--soft); padding: .6rem .9rem; margin: 1rem 0; max-width: none; }
.notice ul { margin: .2rem 0; padding-left: 1.2rem; }
dl.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: .75rem; margin: 1.5rem 0 0; }
dl.tiles div { background: var(--soft); border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .8rem; break-inside: avoid; }
dl.tiles dt { font-size: .8rem; color: var(--quiet); }
dl.tiles dd { margin: 0; font-size: 1.25rem; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
dl.tiles dd small { display: block; font-size: .8rem; font-weight: 400; color: var(--quiet); }
i { font-style: normal; margin-left: .16em; }
a { color: var(--s1); }
.none { color: var(--quiet); }
.change { white-space: nowrap; }
.wide { overflow-x: auto; margin: .6rem 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--quiet); font-size: .82rem; padding-bottom: .25rem; }
thead { display: table-header-group; }
th { font-weight: 600; text-align: left; vertical-align: bottom; border-bottom: 1px solid var(--text); padding: .2rem .5rem .2rem 0; white-space: nowrap; }
td { vertical-align: top; border-bottom: 1px solid var(--line); padding: .22rem .5rem .22rem 0; }
td.text { overflow-wrap: anywhere; min-width: 5em; }
td.long { overflow-wrap: anywhere; min-width: 9em; }
tr { break-inside: avoid; }
.number { text-align: right; white-space: nowrap; padding-left: .5rem; padding-right: .75rem; }
.number:last-child { padding-right: 0; }
.short { break-inside: avoid; }
.time { white-space: nowrap; }
table.calendar { table-layout: fixed; min-width: 40rem; }
table.calendar th, table.calendar td { border: 1px solid var(--line); padding: .3rem .4rem; text-align: right; }
table.calendar th { white-space: normal; border-bottom-color: var(--text); }
table.calendar th:first-child { text-align: left; width: 9rem; overflow-wrap: anywhere; }
table.calendar th.weekend { color: var(--quiet); font-weight: 400; }
.q1 { background: var(--q1); } .q2 { background: var(--q2); } .q3 { background: var(--q3); } .q4 { background: var(--q4); }
.missing { color: var(--quiet); background: repeating-linear-gradient(135deg, var(--page) 0 4px, var(--hatch) 4px 5px, var(--page) 5px 8px); }
.missing span { background: var(--page); padding: 0 .2em; }
.swatch { display: inline-block; width: 1.1em; height: .8em; border: 1px solid var(--line); vertical-align: -.05em; margin-right: .3em; }
.f1 { background: var(--s1); } .f2 { background: var(--s2); } .f3 { background: var(--s3); } .f4 { background: var(--s4); } .f5 { background: var(--s5); } .f6 { background: var(--s6); }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; font-size: .82rem; color: var(--quiet); padding: 0; margin: .3rem 0; list-style: none; }
figure { margin: .8rem 0 1rem; break-inside: avoid; }
figure svg { display: block; width: 100%; height: auto; overflow: visible; color: var(--text); }
figure svg text { white-space: pre; }
figcaption { font-size: .82rem; color: var(--quiet); }
.how { font-size: .82rem; color: var(--quiet); border-left: 3px solid var(--line); padding-left: .75rem; max-width: none; }
code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .92em; overflow-wrap: anywhere; }
footer { margin-top: 3rem; padding-top: .75rem; border-top: 1px solid var(--line); color: var(--quiet); font-size: .82rem; }
@media (max-width: 40rem) { body { padding: 1.25rem .9rem 3rem; } h1 { font-size: 1.4rem; } dl.tiles { grid-template-columns: 1fr 1fr; } figure { overflow-x: auto; } figure svg { min-width: 36rem; } }
@page { size: A4; margin: 14mm 13mm; }
@media print {
    body { max-width: none; padding: 0; font-size: 10pt; }
    .wide, figure { overflow: visible; } figure svg { min-width: 0; }
    table { font-size: 8pt; } th { white-space: normal; } th, td { padding-right: .3rem; } .number { padding-left: .25rem; padding-right: .4rem; } td.text { min-width: 4.2em; } table.calendar { min-width: 0; } table.calendar th:first-child { width: 22mm; }
    h2 { margin-top: 1.6rem; }
    td, th, .missing, .swatch, .q1, .q2, .q3, .q4, dl.tiles div, .notice { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
`;
