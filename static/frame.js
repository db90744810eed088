// The flags of a unit's embed page: ?size=112 is the width of its picture, ?caption=name leaves out the activation, and
// ?caption=no leaves out all but the picture.
"use strict";
(() => {
  const flags = new URLSearchParams(location.search), size = Number(flags.get("size"));
  if (size >= 16 && size <= 2048) document.querySelector("img").style.width = `${Math.round(size)}px`;
  document.documentElement.dataset.caption = flags.get("caption") ?? "";
})();
