// The search box in the header, and “any unit”. What it knows and how it reads are loaded when somebody begins to search.
"use strict";
(() => {
  const box = document.querySelector(".find");
  const { root, checkpoint } = box.dataset;
  const kept = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  let loading;
  const load = () => loading ??= Promise.all(["find.js", "lookup.js", "units.js"].map((name) => new Promise((done, failed) => {
    const script = element("script", { src: `${root}static/${name}` });
    script.addEventListener("load", done);
    script.addEventListener("error", failed);
    document.head.append(script);
  }))).catch(() => { loading = undefined; });

  const label = "Find a unit, a layer or a name";
  const input = element("input", {
    type: "search", role: "combobox", "aria-label": label, "aria-expanded": "false", "aria-controls": "found",
    "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false", placeholder: "Find 4a:11, curve …",
  });
  const list = element("div", { role: "listbox", id: "found", "aria-label": "Found" });
  const note = element("p", { role: "status" });
  const more = element("p", {}, element("a", { href: `${root}find.html` }, "What this box reads, and its key /"));
  const panel = element("div", { class: "found" }, list, note, more);
  panel.hidden = true;
  box.replaceChildren(input, panel);
  let active = -1;

  const choose = (index) => {
    const options = [...list.children];
    active = options.length ? (index + options.length) % options.length : -1;
    options.forEach((option, i) => option.setAttribute("aria-selected", String(i === active)));
    if (active < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", options[active].id);
    options[active].scrollIntoView({ block: "nearest" });
  };
  const close = () => {
    panel.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const show = async () => {
    const asked = input.value;
    if (!asked.trim()) return close();
    await load();
    if (asked !== input.value || !globalThis.atlasLookup) return;
    const { found, notes } = globalThis.atlasLookup(asked, checkpoint);
    list.replaceChildren(...found.map((hit, i) => {
      const image = hit.image ? element("img", { src: root + hit.image, width: 40, height: 40, alt: "" }) : element("i");
      const of = hit.of === checkpoint ? "" : hit.of;
      const said = element("span", {}, hit.title, element("small", {}, [hit.said, of].filter(Boolean).join(", ")));
      return element("a", { role: "option", id: `found-${i}`, tabindex: "-1", href: root + hit.href }, image, said);
    }));
    list.hidden = !found.length;
    note.textContent = notes.join(" ") || `${found.length} found`;
    panel.hidden = false;
    input.setAttribute("aria-expanded", String(found.length > 0));
    choose(found.length ? 0 : -1);
  };
  input.addEventListener("focus", load);
  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (panel.hidden) show();
      else choose(active + step);
    } else if (event.key === "Enter" && list.children[active] && !panel.hidden) {
      list.children[active].click();
    } else if (event.key === "Escape" && !panel.hidden) {
      event.preventDefault(); // the first closes, the second empties
      close();
    }
  });
  box.addEventListener("focusout", (event) => { if (!box.contains(event.relatedTarget)) close(); });
  box.addEventListener("pointerdown", (event) => { if (event.target.closest("a")) event.preventDefault(); });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    if (kept("atlas.slash") === "off" || event.target.closest("input, textarea, select, [contenteditable]")) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
  const slash = document.getElementById("slash");
  if (slash) {
    const choice = slash.querySelector("input");
    slash.hidden = false;
    choice.checked = kept("atlas.slash") !== "off";
    choice.addEventListener("change", () => {
      try { localStorage.setItem("atlas.slash", choice.checked ? "on" : "off"); } catch { /* not kept */ }
    });
  }

  for (const link of document.querySelectorAll(".any")) {
    link.addEventListener("click", async (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      await load();
      const { checkpoints } = globalThis.atlasUnits ?? { checkpoints: [] };
      const of = checkpoints.find((c) => c.name === checkpoint) ?? checkpoints[0];
      const units = of?.layers.flatMap((layer) => [...globalThis.atlasFind.numbers(layer[2])].map((n) => `${layer[0]}/${n}`)) ?? [];
      const any = units[Math.floor(Math.random() * units.length)];
      location.assign(any ? `${root}${of.name}/${any}.html` : link.href);
    });
  }
})();
