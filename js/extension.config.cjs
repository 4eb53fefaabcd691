// Vega's ready-made looks are of no use here: charts have the colours of the page, and may not ask for another.
module.exports = { resolve: { alias: { "vega-themes": false } } };
