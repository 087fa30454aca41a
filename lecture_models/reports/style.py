"""The report's look: one sheet, light and dark, no font or picture from outside."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2230; --soft: #5d6778; --line: #e1e5ec;
  --train: #2f62d9; --eval: #0b8a6f; --good: #0b7a4b; --good-back: #dff5e9;
  --bad: #b3261e; --bad-back: #fde8e6; --warn: #7a5200; --warn-back: #fff1cf; --code: #f0f2f6;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12151b; --card: #1a1f28; --ink: #e6eaf1; --soft: #98a3b5; --line: #2c3440;
    --train: #7ea6ff; --eval: #4fd0b0; --good: #6fdca4; --good-back: #123526;
    --bad: #ffb3ac; --bad-back: #47191a; --warn: #ffd78a; --warn-back: #43330f; --code: #11151b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink); -webkit-text-size-adjust: 100%;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 30px; line-height: 1.2; margin: 6px 0 14px; letter-spacing: -0.015em; }
h2 { font-size: 19px; margin: 44px 0 14px; letter-spacing: -0.01em; }
h3 { font-size: 14px; margin: 20px 0 8px; color: var(--soft); font-weight: 600; }
p { margin: 0 0 8px; }
a { color: var(--train); }
.eyebrow { color: var(--soft); font-size: 14px; margin: 0; }
.mono, pre, code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.badge {
  display: inline-block; padding: 2px 12px; border-radius: 99px; font-size: 14px; font-weight: 600;
  background: var(--warn-back); color: var(--warn);
}
.badge.finished { background: var(--good-back); color: var(--good); }
.badge.failed { background: var(--bad-back); color: var(--bad); }
.progress { color: var(--soft); font-size: 14px; margin-left: 10px; }
.band { border-radius: 10px; padding: 14px 18px; margin: 18px 0 0; overflow-wrap: anywhere; }
.band strong { display: block; margin-bottom: 2px; }
.band p { margin: 4px 0 0; }
.band pre { background: none; padding: 0; margin: 6px 0 0; }
.band.alarm { background: var(--bad-back); color: var(--bad); border-left: 5px solid var(--bad); }
.band.note { background: var(--warn-back); color: var(--warn); border-left: 5px solid var(--warn); }
.facts {
  display: flex; flex-wrap: wrap; gap: 1px;
  background: var(--line); border: 1px solid var(--line); border-radius: 12px; overflow: hidden;
  margin: 24px 0 0;
}
.facts div { background: var(--card); padding: 12px 16px; flex: 1 1 auto; }
.facts dt { color: var(--soft); font-size: 13px; }
.facts dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.card {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow: hidden;
}
.columns { display: grid; gap: 16px; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); }
.columns > * { min-width: 0; }
table { width: 100%; border-collapse: collapse; font-size: 15px; }
th, td { text-align: left; padding: 8px 16px; vertical-align: top; overflow-wrap: anywhere; }
tr + tr > * { border-top: 1px solid var(--line); }
thead th { color: var(--soft); font-size: 13px; font-weight: 500; padding-bottom: 6px; }
thead + tbody tr:first-child > * { border-top: 1px solid var(--line); }
tbody th { font-weight: 400; overflow-wrap: normal; }
tbody th.mono { overflow-wrap: anywhere; font-size: 14px; }
td.number {
  text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; font-weight: 600;
}
th.number { text-align: right; white-space: nowrap; }
td.step { text-align: right; color: var(--soft); font-variant-numeric: tabular-nums;
  width: 5.5em; }
.bad { color: var(--bad); }
.charts { display: grid; gap: 16px; grid-template-columns: repeat(auto-fill, minmax(290px, 1fr)); }
figure { margin: 0; }
.chart {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 12px 14px 8px;
}
.chart figcaption { display: flex; justify-content: space-between; gap: 12px; font-size: 14px; }
.chart .name { color: var(--soft); overflow-wrap: anywhere; }
.chart .last { font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
.chart svg { display: block; width: 100%; height: auto; margin-top: 6px; }
.chart text { fill: var(--soft); font-size: 11px; font-variant-numeric: tabular-nums; }
.chart .grid { stroke: var(--line); stroke-width: 1; }
.chart .axis, .chart .tick { stroke: var(--soft); stroke-width: 1; opacity: 0.55; fill: none; }
.chart .curve {
  fill: none; stroke-width: 1.7; stroke-linejoin: round; stroke-linecap: round;
}
.train .curve { stroke: var(--train); } .train circle { fill: var(--train); }
.eval .curve { stroke: var(--eval); } .eval circle { fill: var(--eval); }
.broken, .empty { color: var(--bad); font-size: 13px; margin: 2px 0 4px; }
.pictures { padding: 16px; margin-bottom: 16px; }
.pictures h3 { margin-top: 0; color: var(--ink); font-size: 15px; }
.pictures img { display: block; max-width: 100%; height: auto; border-radius: 4px; }
.pictures figcaption { color: var(--soft); font-size: 13px; margin-top: 6px; }
.pair { display: grid; gap: 24px; grid-template-columns: minmax(0, auto) minmax(330px, 1fr); }
.earlier {
  display: grid; gap: 14px; grid-template-columns: repeat(auto-fill, minmax(118px, 1fr));
  align-content: start;
}
.earlier img { width: 100%; }
.way { margin-top: 18px; }
.earlier .caption { display: none; }  /* The last one says it. */
td.mono { white-space: pre-wrap; font-size: 14px; }
pre {
  background: var(--code); border-radius: 8px; padding: 12px 14px; margin: 0 0 8px; font-size: 13px;
  line-height: 1.5; white-space: pre-wrap; overflow-wrap: anywhere; user-select: all;
}
.text { padding: 14px 16px; white-space: pre-wrap; overflow-wrap: anywhere; margin-bottom: 12px;
  font-family: ui-monospace, monospace; font-size: 13px; }
.hash { font-size: 12px; color: var(--soft); overflow-wrap: anywhere; }
footer { margin-top: 48px; color: var(--soft); font-size: 13px; }
@media (max-width: 880px) { .pair { grid-template-columns: minmax(0, 1fr); gap: 16px; } }
@media (max-width: 520px) {
  main { padding: 24px 14px 40px; }
  h1 { font-size: 24px; }
  th, td { padding: 7px 12px; }
  .earlier { grid-template-columns: repeat(3, 1fr); }
}
@media print { body { background: none; } .chart, .card { break-inside: avoid; } }
"""
