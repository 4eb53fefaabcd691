const VIEW = "application/vnd.jupyter.widget-view+json";

/**
 * The outputs of one cell after the other below `into`: a widget before a picture, a picture before text, which is
 * the order of hosts that draw widgets. `widget(id, into)` draws one and gives what takes it away.
 */
export function outputs(into, widget) {
  const named = new Map();
  const drawn = new Map();

  const show = async (place, data) => {
    drawn.get(place)?.();
    drawn.delete(place);
    place.replaceChildren();
    if (data[VIEW]) drawn.set(place, await widget(data[VIEW].model_id, place));
    else if (data["text/html"]) place.innerHTML = data["text/html"];
    else if (data["text/plain"]) place.append(Object.assign(document.createElement("pre"), { textContent: data["text/plain"] }));
  };
  const add = (cell) => {
    const place = Object.assign(document.createElement("div"), { className: "output" });
    place.dataset.cell = cell;
    into.append(place);
    return place;
  };

  return async ({ type, content, cell }) => {
    const id = content.transient?.display_id;
    if (type === "stream") add(cell).append(Object.assign(document.createElement("pre"), { textContent: content.text }));
    else if (type === "update_display_data") await Promise.all((named.get(id) ?? []).map((place) => show(place, content.data)));
    else if (type === "display_data" || type === "execute_result") {
      const place = add(cell);
      if (id) named.set(id, [...(named.get(id) ?? []), place]);
      await show(place, content.data);
    }
  };
}
