// Vega's ready-made looks are of no use here: charts have the colours of the page, and may not ask for another.
// And these transforms are none that Vega-Lite asks for, whose charts are all that is drawn.
const unused = ["vega-themes", "vega-crossfilter", "vega-force", "vega-hierarchy", "vega-wordcloud"];
module.exports = { resolve: { alias: Object.fromEntries(unused.map((name) => [name, false])) } };
