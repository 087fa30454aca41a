// Draws the charts of a page that has no other script of its own.

"use strict";
/* global showAllCharts */

showAllCharts();
