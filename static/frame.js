// The flags of a unit's embed page: ?size=112 is the width of its picture, ?caption=name leaves out the activation and
// ?caption=no all words, ?theme=dark or light does not ask the reader's setting.
"use strict";
(() => {
  const flags = new URLSearchParams(location.search), size = Number(flags.get("size")), theme = flags.get("theme");
  const page = document.documentElement;
  if (size >= 16 && size <= 2048) document.querySelector("img").style.width = `${Math.round(size)}px`;
  if (theme === "dark" || theme === "light") page.style.colorScheme = theme;
  page.dataset.caption = flags.get("caption") ?? "";
})();
