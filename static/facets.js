// Facets of the search box, such as hue:red: what is asked for, the script that knows it, and the units it finds. The
// tests hold this and generator/store/facets.py to one list.
"use strict";
globalThis.atlasFacet = (() => {
  const asked = (text) => /^(orientation|hue|class|like|groups):\s*(\S.*)$/s.exec(text.trim().toLowerCase());

  // the unit of like:4a:11, as read in the first checkpoint that has its layer
  const alike = (value, checkpoints) => {
    for (const c of checkpoints) {
      const said = globalThis.atlasFind.read(value, c);
      if (said && /^\d+$/.test(said.channels) && Number(said.channels) < said.count) return { layer: said.layer[0], channel: said.first + Number(said.channels) };
    }
    return null;
  };

  // the name of the script that is needed, or ""
  const script = (text, { checkpoints }) => {
    const [, name, value] = asked(text) ?? [];
    if (name !== "like") return name ?? "";
    const unit = alike(value, checkpoints);
    return unit ? `like-${unit.layer}` : "";
  };

  // {found: [[checkpoint, layer, channel], …], note}, or undefined if the text asks for no facet
  const find = (text, checkpoints) => {
    const [, name, value] = asked(text) ?? [];
    if (!name) return undefined;
    const unit = name === "like" ? alike(value, checkpoints) : null;
    if (name === "like" && !unit) return { found: [], note: `${value} is no unit.` };
    const facet = globalThis.atlasFacets?.[unit ? `like-${unit.layer}` : name];
    if (!facet) return { found: [], note: "No study of this atlas knows that." };
    let wanted = (key) => key === value;
    if (unit) wanted = (key) => key === String(unit.channel);
    else if (facet.step) {
      const number = Object.hasOwn(facet.names, value) ? facet.names[value] : Number(value.replace(/°$/, ""));
      if (!Number.isFinite(number)) {
        const names = Object.keys(facet.names);
        return { found: [], note: names.length ? `Type a number or one of ${names.join(", ")}.` : "Type a number." };
      }
      const near = Math.floor(number / facet.step + 0.5) * facet.step, period = facet.period || Infinity;
      wanted = (key) => key === String(facet.period ? ((near % period) + period) % period : near);
    } else {
      const words = value.split(/\s+/);
      wanted = (key) => words.every((word) => key.toLowerCase().includes(word));
    }
    const found = [];
    for (const c of checkpoints) {
      const seen = new Set();
      for (const [key, units] of Object.entries(facet.of[c.name] ?? {})) {
        if (wanted(key)) units.split(" ").forEach((each) => seen.add(each));
      }
      for (const each of seen) {
        const [layer, channel] = each.split(".").map(Number);
        found.push([c, c.layers[layer], channel]);
      }
    }
    return { found, note: found.length ? "" : "No rendered unit is known by that." };
  };
  return { script, find };
})();
