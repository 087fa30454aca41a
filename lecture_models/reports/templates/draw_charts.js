// Draws the charts of a page that has no other script of its own, and connects their controls.

"use strict";
/* global changeCharts, showAllCharts */

showAllCharts();
for (const controls of document.querySelectorAll(".chart-controls")) {
  controls.hidden = false;  // Without scripts they would do nothing.
  controls.addEventListener("input", () => changeCharts(controls.parentElement, {
    smooth: Number(controls.querySelector("[type=range]").value),
    log: controls.querySelector("[type=checkbox]").checked,
  }));
}
