// What all pages can do besides being read: copy a command, turn pages with the arrow keys. Everything else works without
// this file.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  const here = document.querySelector(".spine [aria-current]");
  if (here) here.closest(".spine").scrollLeft = here.offsetLeft - innerWidth / 2;

  // where atlas.toml gives no address, what is copied gets that of the server the page is read from
  const paths = /(?<![\w/.-])(?=(?:embed\/)?[a-z0-9][\w-]*\/\w+\/\d+\.(?:html|webp|jpg))/g;
  if (location.protocol.startsWith("http") && document.querySelector(".quote .notice")) {
    const root = document.querySelector(".home").href.replace(/index\.html$/, "");
    for (const command of all(".quote .command")) command.textContent = command.textContent.replace(paths, root);
    document.querySelector(".quote .notice").remove();
  }

  // a link leads into what is folded; browsers of today open it themselves
  const unfold = () => {
    const place = document.getElementById(location.hash.slice(1)), fold = place?.closest("details:not([open])");
    if (fold) { fold.open = true; place.scrollIntoView(); }
  };
  addEventListener("hashchange", unfold);
  unfold();
  const link = document.querySelector(".turn .link");
  link?.addEventListener("click", (event) => {
    if (!navigator.clipboard) return; // the forms to quote by are there to be copied by hand
    event.preventDefault();
    const address = document.querySelector("link[rel=canonical]")?.href ?? location.href.split("#")[0];
    navigator.clipboard.writeText(address).then(() => {
      link.textContent = "Copied";
      setTimeout(() => { link.textContent = "Copy link"; }, 2000);
    }, () => location.assign(link.href));
  });

  for (const command of all(".command")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-live", "polite");
    const row = command.closest("dl div")?.querySelector("dt");
    const rest = row ? `Copy ${row.textContent}` : null;
    button.ariaLabel = rest;
    button.addEventListener("click", async () => {
      try {
        button.ariaLabel = null;
        await navigator.clipboard.writeText(command.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(command);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; button.ariaLabel = rest; }, 2000);
    });
    command.after(button);
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const rel = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
    const link = rel && document.querySelector(`[rel=${rel}]`);
    if (link) location.assign(link.href);
  });
})();
