// Moving among the units of a layer: arrow keys from one Tab stop, and beside small tiles a card of the unit under the
// pointer or the focus, or of one that is tapped. A second tap opens its page, as a click and Enter do at once.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  if (!globalThis.atlasLayer) return; // nothing is rendered
  const { units, stop, chosen, sharpen } = atlasLayer;
  const at = (event) => units.get(event.target.closest?.(".units > li"));

  // in the next row the nearest
  const row = (items, from, way) => {
    const left = from.getBoundingClientRect().left;
    let best, top;
    for (let n = items.indexOf(from) + way; items[n]; n += way) {
      const line = items[n].offsetTop, far = Math.abs(items[n].getBoundingClientRect().left - left);
      if (line === from.offsetTop) continue;
      if (line !== (top ??= line)) break;
      if (!best || far < best.far) best = { item: items[n], far };
    }
    return best?.item;
  };
  document.addEventListener("keydown", (event) => {
    const item = at(event)?.item, items = atlasLayer.shown(), here = items.indexOf(item);
    if (!item || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const next = {
      ArrowLeft: () => items[here - 1], ArrowRight: () => items[here + 1], Home: () => items[0], End: () => items.at(-1),
      ArrowUp: () => row(items, item, -1), ArrowDown: () => row(items, item, 1),
    }[event.key];
    if (!next) return;
    event.preventDefault();
    next()?.firstElementChild.focus();
  }, true); // before the arrow keys turn pages

  const card = document.createElement("aside");
  card.className = "card";
  card.hidden = true;
  card.innerHTML = '<a tabindex="-1"><img alt="" width="112" height="112"><b></b> <span></span> <small></small></a>';
  document.body.append(card);
  const [face, picture, name, label, facts] = ["a", "img", "b", "span", "small"].map((tag) => card.querySelector(tag));
  const points = matchMedia("(hover: hover)").matches;
  let shown;
  const hide = () => { card.hidden = true; shown = undefined; };
  const show = (unit) => {
    if (chosen("size") !== "s" || !unit?.image || shown === unit) return;
    shown = unit;
    face.href = unit.link.href;
    picture.removeAttribute("srcset");
    picture.src = unit.image.getAttribute("src");
    name.textContent = `${document.querySelector("h1").textContent}:${unit.channel}`;
    label.textContent = unit.link.querySelector("i")?.textContent ?? "";
    const fires = unit.selectivity === undefined ? "" : `; fires at ${unit.selectivity} % of positions`;
    facts.textContent = `activation ${unit.strength}${fires}`;
    card.hidden = false;
    sharpen(picture, unit, picture.getBoundingClientRect().width);
  };
  if (points) document.addEventListener("mouseover", (event) => show(at(event)));
  document.addEventListener("focusin", (event) => {
    if (at(event)) stop(at(event).item);
    if (event.target.matches(":focus-visible")) show(at(event));
  });
  document.addEventListener("click", (event) => {
    const unit = at(event);
    if (!unit && !card.contains(event.target)) hide();
    if (!unit?.image || points || unit === shown || chosen("size") !== "s" || event.detail === 0) return;
    event.preventDefault();
    show(unit);
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
});
