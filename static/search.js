// The search box in the header, and “any unit”. What it knows and how it reads are loaded when somebody begins to search.
"use strict";
(() => {
  const root = new URL("..", document.currentScript.src).href;
  const box = document.querySelector(".find"), { checkpoint } = box.dataset;
  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  const script = (name) => new Promise((done, failed) => {
    const made = element("script", { src: `${root}static/${name}` });
    made.addEventListener("load", done);
    made.addEventListener("error", failed);
    document.head.append(made);
  });
  let loading;
  const load = () => loading ??= Promise.all(["find.js", "facets.js", "lookup.js", "units.js"].map(script))
    .then(() => true, () => { loading = undefined; return false; });
  const facets = {}; // what is known of each, loaded when it is asked for
  const loadFacet = (asked) => {
    const name = globalThis.atlasFacet.script(asked, globalThis.atlasUnits);
    return name && (facets[name] ??= script(`facet-${name}.js`).catch(() => {})); // without it, the answer says so
  };

  const input = element("input", {
    type: "search", role: "combobox", "aria-label": "Find a unit, a layer or a name", "aria-expanded": "false",
    "aria-controls": "found", "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false", placeholder: "Find 4a:11, curve …",
  });
  const list = element("div", { role: "listbox", id: "found", "aria-label": "Found" });
  const note = element("p", { role: "status" });
  const more = element("p", {}, element("a", { href: `${root}find.html` }, "Search help (shortcut: /)"));
  const panel = element("div", { class: "found" }, list, note, more);
  panel.hidden = true;
  box.replaceChildren(input, panel);
  let active = -1, shown = "", entered = null;

  const choose = (index) => {
    const options = [...list.children];
    active = options.length ? (index + options.length) % options.length : -1;
    options.forEach((option, i) => option.setAttribute("aria-selected", String(i === active)));
    if (active < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", options[active].id);
    options[active].scrollIntoView({ block: "nearest" });
  };
  const open = (hits, said) => {
    list.replaceChildren(...hits);
    list.hidden = !hits.length;
    note.textContent = said;
    panel.hidden = false;
    input.setAttribute("aria-expanded", String(hits.length > 0));
    choose(hits.length ? 0 : -1);
  };
  const close = () => {
    panel.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const option = (hit, i) => {
    const image = hit.image ? element("img", { src: root + hit.image, width: 40, height: 40, alt: "" }) : element("i");
    const said = [hit.said, hit.of === checkpoint ? "" : hit.of].filter(Boolean).join(", ");
    const words = element("span", {}, element("bdi", {}, hit.title), element("small", {}, said));
    return element("a", { role: "option", id: `found-${i}`, tabindex: "-1", href: root + hit.href }, image, words);
  };
  const follow = ({ ctrlKey, metaKey, shiftKey }) => {
    list.children[active]?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ctrlKey, metaKey, shiftKey }));
  };
  const show = async () => {
    const asked = input.value;
    if (!asked.trim()) return close();
    if (!globalThis.atlasUnits) open([], "Loading …");
    const loaded = await load();
    if (loaded) await loadFacet(asked);
    if (asked !== input.value || !box.contains(document.activeElement)) return;
    if (!loaded) return open([], "The search index could not be loaded. Every layer and family is linked below.");
    const { found, notes, all } = globalThis.atlasLookup(asked, checkpoint);
    shown = asked;
    open(found.map(option), notes.join(" ") || (all > found.length ? `the first ${found.length} of ${all}` : `${found.length} found`));
    if (entered) follow(entered);
    entered = null;
  };
  input.addEventListener("focus", load);
  input.addEventListener("input", () => { entered = null; show(); });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return; // a word is being composed; its keys are not for us
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (panel.hidden) show();
      else choose(active + step);
    } else if (event.key === "Enter" && input.value.trim()) {
      if (!panel.hidden && shown === input.value) follow(event);
      else { entered = event; show(); } // the answer is on its way
    }
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || panel.hidden) return;
    event.preventDefault(); // the first closes, the second empties
    input.focus();
    close();
  });
  box.addEventListener("focusout", (event) => { if (!box.contains(event.relatedTarget)) close(); });
  box.addEventListener("pointerdown", (event) => { if (event.target.closest("a")) event.preventDefault(); });

  let slash = true; // kept for this page alone where a browser keeps nothing
  try { slash = localStorage.getItem("atlas.slash") !== "off"; } catch { /* not kept */ }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || !slash || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
  const setting = document.getElementById("slash");
  if (setting) {
    const choice = setting.querySelector("input");
    setting.hidden = false;
    choice.checked = slash;
    choice.addEventListener("change", () => {
      slash = choice.checked;
      try { localStorage.setItem("atlas.slash", slash ? "on" : "off"); } catch { /* not kept */ }
    });
  }

  const any = async () => {
    const { checkpoints } = await load() ? globalThis.atlasUnits : { checkpoints: [] };
    const of = checkpoints.find((c) => c.name === checkpoint) ?? checkpoints[0];
    const units = of?.layers.flatMap((layer) => [...globalThis.atlasFind.numbers(layer[2])].map((n) => `${layer[0]}/${n}`)) ?? [];
    const one = units[Math.floor(Math.random() * units.length)];
    location.assign(one ? `${root}${of.name}/${one}.html` : `${root}find.html`);
  };
  for (const link of document.querySelectorAll(".any")) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // the new tab opens find.html#any
      event.preventDefault();
      any();
    });
  }
  if (setting && location.hash === "#any") any();
})();
