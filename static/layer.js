// The page of a layer: small tiles from a few sheets, orders with their numbers, folded branches, and where one is. It is
// read between the choices and the units, so that no picture is loaded that is not shown. Without it the page is a grid of
// thumbnails.
"use strict";
(() => {
  const bar = document.currentScript.previousElementSibling;
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const phone = matchMedia("(max-width: 40em)").matches;
  const count = Number(bar.dataset.units), many = count > 256;

  // a browser may refuse to keep the choices of a reader
  const keep = (name, value) => { try { localStorage.setItem(`atlas.${name}`, value); } catch { /* not kept */ } };
  const kept = (name) => { try { return localStorage.getItem(`atlas.${name}`); } catch { return null; } };
  const chosen = (name) => bar.querySelector(`input[name=${name}]:checked`).value;
  const choose = (name, value) => {
    const input = bar.querySelector(`input[name=${name}][value="${value}"]`);
    if (input) input.checked = true;
  };
  document.documentElement.classList.add("tiled");
  choose("size", kept("size") ?? (many || (phone && count > 64) ? "s" : "m"));
  for (const part of all("[hidden]", bar)) part.hidden = false;

  document.addEventListener("DOMContentLoaded", () => {
    const where = bar.querySelector("output"), go = bar.querySelector("#go");
    const groups = all(".group:has(> .units)"), lists = groups.map((group) => group.querySelector(".units"));
    const whole = document.createElement("ol");
    whole.className = "units";
    whole.hidden = true;
    groups[0].before(whole);

    // each unit with its numbers
    const units = new Map();
    const own = lists.map((list, n) => {
      const of = Object.fromEntries(["strength", "alike", "selectivity"].map((by) => [by, list.dataset[by]?.split(" ")]));
      let place = 0;
      return [...list.children].map((item) => {
        const link = item.firstElementChild, image = link.querySelector("img");
        const channel = parseInt(link.textContent, 10), { branch } = groups[n].dataset;
        const unit = { item, link, image, channel, branch };
        if (image) {
          for (const by in of) unit[by] = of[by] && Number(of[by][place]);
          place += 1;
        }
        units.set(item, unit);
        return item;
      });
    });
    const rendered = [...units.values()].filter((unit) => unit.image);

    // the pictures themselves, which are sharper than thumbnails, have their names in a script of their own
    let pictures;
    const sharpen = (image, unit, width) => {
      pictures ??= new Promise((done) => {
        const script = document.createElement("script");
        script.src = "pictures.js";
        script.onload = () => done(globalThis.atlasPictures);
        document.head.append(script);
      });
      pictures.then((names) => {
        image.sizes = `${Math.ceil(width)}px`;
        image.srcset = `${unit.channel}.webp 112w, ../../store/${names[unit.channel]} 224w`;
      });
    };
    const draw = new IntersectionObserver((entries) => {
      for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
        draw.unobserve(target);
        const unit = units.get(target), { link, channel, image } = unit;
        if (image && chosen("size") === "l") sharpen(image, unit, image.width);
        else if (image) {
          link.style.setProperty("--tile", `url("${new URL(`tiles-${channel >> 6}.jpeg`, location.href)}")`);
          link.style.backgroundPosition = `${(channel % 8) / .07}% ${((channel >> 3) % 8) / .07}%`;
        }
      }
    }, { rootMargin: "40px" });

    // what is shown, in order, and which of it the Tab key reaches
    let shown = [];
    const stop = (item) => {
      for (const link of all(".units [tabindex='0']")) link.tabIndex = -1;
      if (item) item.firstElementChild.tabIndex = 0;
    };
    const refresh = () => {
      shown = all(".units > li").filter((item) => item.offsetParent && item.checkVisibility?.() !== false);
      if (!shown.some((item) => item.firstElementChild.tabIndex === 0)) stop(shown[0]);
      draw.disconnect();
      if (chosen("size") !== "m") for (const item of shown) draw.observe(item);
      tell();
    };
    const tell = () => {
      let low = 0, high = shown.length - 1;
      const top = bar.getBoundingClientRect().bottom;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (shown[middle].getBoundingClientRect().bottom > top + 2) high = middle; else low = middle + 1;
      }
      const unit = units.get(shown[low]);
      if (!unit) where.textContent = "";
      else if (!whole.hidden) where.textContent = `${(low + 1).toLocaleString("en")} of ${shown.length.toLocaleString("en")}`;
      else where.textContent = `${unit.branch ?? ""} ${bar.dataset.word} ${unit.channel}`;
    };
    const number = (unit) => ({
      strength: `${unit.strength}`, selectivity: `${unit.selectivity} %`,
    })[chosen("sort")] ?? "";

    const order = (by) => {
      const first = { strength: -1, selectivity: 1, alike: 1 }[by];
      whole.hidden = !first;
      for (const group of groups) group.hidden = Boolean(first);
      if (first) whole.replaceChildren(...[...rendered].sort((a, b) => first * (a[by] - b[by])).map((unit) => unit.item));
      else lists.forEach((list, n) => list.replaceChildren(...own[n]));
      for (const unit of rendered) {
        unit.number ??= unit.image.nextSibling.after(document.createElement("b")) ?? unit.link.querySelector("b");
        unit.number.textContent = first && number(unit);
      }
    };
    for (const input of all("input[type=radio]", bar)) {
      input.addEventListener("change", () => {
        if (input.name !== "show") keep(input.name, input.value);
        if (input.name === "sort") order(input.value);
        refresh();
        if (input.name === "sort" && bar.offsetTop < scrollY) (whole.hidden ? groups[0] : whole).scrollIntoView();
      });
    }
    for (const link of all("nav a", bar)) {
      link.addEventListener("click", () => { choose("sort", "number"); order("number"); unfold(link.hash); refresh(); });
    }

    // to a number; a branch that is folded opens
    const unfold = (hash) => {
      const group = hash && document.getElementById(decodeURIComponent(hash.slice(1)))?.closest("details");
      if (group) group.open = true;
    };
    go.addEventListener("keydown", (event) => {
      go.setCustomValidity("");
      if (event.key !== "Enter") return;
      const unit = rendered.find(({ channel }) => channel === Number(go.value.trim() || NaN));
      if (!unit) {
        go.setCustomValidity(`No unit ${go.value} is rendered here.`);
        go.reportValidity();
        return;
      }
      choose("show", "all");
      if (unit.item.closest("details")) unit.item.closest("details").open = true;
      refresh();
      unit.item.scrollIntoView({ block: "center" });
      unit.link.focus({ preventScroll: true });
    });
    if (phone && many) groups.slice(1).forEach((group) => { group.open = false; });
    unfold(location.hash);
    addEventListener("hashchange", () => { unfold(location.hash); refresh(); });
    for (const group of groups) group.addEventListener("toggle", refresh);

    let waits = false;
    addEventListener("scroll", () => {
      if (waits) return;
      waits = true;
      requestAnimationFrame(() => { waits = false; tell(); });
    }, { passive: true });
    if (kept("sort") && kept("sort") !== "number") { choose("sort", kept("sort")); order(chosen("sort")); }
    for (const { link } of units.values()) link.tabIndex = -1;
    refresh();
    globalThis.atlasLayer = { units, shown: () => shown, stop, chosen, sharpen };
  });
})();
