"""What the index adds to the report's look: controls, a wide table, overlaid curves."""

INDEX_STYLE = """
main { max-width: 1480px; }
.controls { display: flex; flex-wrap: wrap; gap: 10px 16px; align-items: center; margin: 0 0 10px; }
.controls label { color: var(--soft); font-size: 14px; }
.controls .wide { flex: 1 1 260px; display: flex; align-items: center; gap: 6px; }
.controls .wide input { flex: 1; min-width: 0; }
input[type="search"], select, button {
  font: inherit; font-size: 14px; color: var(--ink); background: var(--card);
  border: 1px solid var(--line); border-radius: 8px; padding: 5px 10px; max-width: 100%;
}
button { cursor: pointer; }
button:hover, select:hover { border-color: var(--soft); }
:focus-visible { outline: 2px solid var(--train); outline-offset: 1px; }
.count { color: var(--soft); font-size: 14px; margin: 0 0 8px; }
details { position: relative; font-size: 14px; }
summary {
  cursor: pointer; border: 1px solid var(--line); border-radius: 8px; padding: 5px 12px;
  background: var(--card);
}
.choices {
  position: absolute; z-index: 3; right: 0; top: 38px; background: var(--card); padding: 10px 16px;
  border: 1px solid var(--line); border-radius: 10px; max-height: 340px; overflow: auto;
  width: max-content; max-width: 84vw; box-shadow: 0 8px 28px rgb(0 0 0 / 0.18);
}
.choices label { display: block; padding: 2px 0; color: var(--ink); }
.choices h3 { margin: 10px 0 2px; }
.scroll { overflow: auto; max-height: 640px; }
.scroll table { font-size: 14px; }
.scroll th, .scroll td { padding: 6px 12px; overflow-wrap: normal; }
#table td { white-space: nowrap; }
.scroll thead th {
  position: sticky; top: 0; z-index: 2; background: var(--card); vertical-align: bottom;
  box-shadow: 0 1px 0 var(--line); border: 0;
}
thead th button {
  border: 0; background: none; padding: 0; font-size: 13px; font-weight: 500; color: var(--soft);
  text-align: inherit;
}
thead th button:hover { color: var(--ink); }
th[aria-sort] button { color: var(--ink); font-weight: 650; }
th[aria-sort="ascending"] button::after { content: " \\2191"; }
th[aria-sort="descending"] button::after { content: " \\2193"; }
#table td.when { font-variant-numeric: tabular-nums; }
#table tbody tr:hover { background: var(--code); }
#table .badge { font-size: 12px; padding: 1px 9px; white-space: nowrap; }
#table td.number { font-weight: 500; }
#table th.number { white-space: normal; }
#table th.metric { min-width: 8.5em; }
.soft { display: block; color: var(--soft); font-size: 12px; line-height: 1.35; }
#table .soft { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2;
  overflow: hidden; white-space: normal; width: 24em; }
.flag { background: var(--warn-back); color: var(--warn); border-radius: 5px; padding: 0 6px;
  font-size: 12px; font-weight: 600; margin-left: 6px; }
.flag.alarm { background: var(--bad-back); color: var(--bad); }
input[type="checkbox"] { width: 16px; height: 16px; margin: 1px 0; vertical-align: -3px;
  accent-color: var(--train); }
#chart { padding: 14px; }
#chart svg { margin: 0; }
#chart .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.c0 { --hue: #2f62d9; } .c1 { --hue: #c2410c; } .c2 { --hue: #0b8a6f; } .c3 { --hue: #a21caf; }
.c4 { --hue: #a16207; } .c5 { --hue: #0e7490; } .c6 { --hue: #be123c; } .c7 { --hue: #4d7c0f; }
@media (prefers-color-scheme: dark) {
  .c0 { --hue: #7ea6ff; } .c1 { --hue: #ff9a62; } .c2 { --hue: #4fd0b0; } .c3 { --hue: #ea8bf5; }
  .c4 { --hue: #f2c94c; } .c5 { --hue: #5fd0ea; } .c6 { --hue: #ff8fa3; } .c7 { --hue: #b3d96b; }
}
.line { stroke: var(--hue); } #chart circle { fill: var(--hue); }
.d1 { stroke-dasharray: 7 5; } .d2 { stroke-dasharray: 2 5; } .d3 { stroke-dasharray: 9 4 2 4; }
#legend { list-style: none; margin: 10px 0 0; padding: 0; display: grid; gap: 2px 20px;
  grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); font-size: 14px; }
#legend li { display: flex; gap: 8px; align-items: center; min-width: 0; }
#legend svg { flex: none; }
#legend .name { flex: 1; min-width: 0; overflow-wrap: anywhere; }
#legend .last { font-variant-numeric: tabular-nums; font-weight: 600; }
#legend button { border: 0; background: none; padding: 0 6px; color: var(--soft); }
.hint { color: var(--soft); font-size: 13px; margin: 0; }
#legend + .hint { margin-top: 8px; }
.side { display: grid; gap: 18px; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); }
.side img { width: 100%; background: var(--code); }
.side figcaption { overflow-wrap: anywhere; }
.pages { padding-left: 20px; } .pages li { margin: 4px 0; }
@media (max-width: 880px) {
  details[open] { flex-basis: 100%; }
  .choices { position: static; box-shadow: none; margin-top: 6px; width: auto; max-width: none; }
}
"""
