// From what was typed to what is shown: units, layers and families of the index, ids before names.
"use strict";
globalThis.atlasLookup = (text, current, { checkpoints } = globalThis.atlasUnits) => {
  const { MOST, address, read, numbers, has } = globalThis.atlasFind;
  const word = text.trim(), query = word.toLowerCase(), found = [], notes = [];
  if (!query) return { found, all: 0, notes };
  const named = ([name, , source], c) => `${name} (${c.sources[source]})`;
  const called = (c, layer, channel) => {
    const known = c.names.find(([, , , layers]) => has(layers[layer[0]], channel));
    return known ? named(known, c) : "";
  };
  const unit = (c, layer, channel, said = "") => {
    const made = has(layer[2], channel), path = `${c.name}/${layer[0]}/`;
    found.push({
      kind: "unit", title: `${layer[0]}:${channel}`, said: [said || called(c, layer, channel), made ? "" : "not rendered"].filter(Boolean).join(", "), of: c.name, made,
      href: path + (made ? `${channel}.html` : "index.html#missing"), image: made ? `${path}${channel}.webp` : "",
    });
  };
  // the picture of the first unit of a family that is rendered
  const face = (c, family) => {
    for (const layer of c.layers) {
      for (const [, of, , layers] of c.names) {
        const channel = of === family && [...numbers(layers[layer[0]])].find((n) => has(layer[2], n));
        if (channel || channel === 0) return `${c.name}/${layer[0]}/${channel}.webp`;
      }
    }
    return "";
  };
  const familyPage = (c, [name, slug]) => ({
    kind: "family", title: name, said: "family", of: c.name, made: true, href: `${c.name}/families/${slug}.html`,
    image: face(c, c.families.findIndex((family) => family[1] === slug)),
  });
  const checkpointPage = ({ name }) => ({ kind: "checkpoint", title: name, said: "all layers", of: name, made: true, href: `${name}/index.html`, image: "" });
  const byId = (c, asked) => {
    const said = read(asked, c);
    if (!said) return false;
    const { layer, branch, first, count, channels } = said, name = branch ? `${layer[0]}_${branch}` : layer[0];
    if (!channels) {
      const { value } = numbers(layer[2]).next();
      found.push({
        kind: "layer", title: name, said: `${count} channels`, of: c.name, made: true,
        href: `${c.name}/${layer[0]}/index.html${branch && `#${branch}`}`,
        image: value === undefined ? "" : `${c.name}/${layer[0]}/${value}.webp`,
      });
    }
    for (const channel of numbers(channels)) {
      if (channel >= count) notes.push(`${name} of ${c.name} has channels 0 to ${count - 1}`);
      else unit(c, layer, first + channel);
      if (channel >= count) break;
    }
    if (channels && !found.length && !notes.length) notes.push(`the range ${channels} runs backwards`);
    return true;
  };
  const asAddress = address(word);
  if (asAddress === null) {
    for (const c of checkpoints) {
      const [, slug] = new RegExp(`(?:^|/)${c.name}/families/([^/?#]+)\\.html`).exec(word) ?? [];
      const family = c.families.find((other) => other[1] === slug);
      if (family) found.push(familyPage(c, family));
      else if (new RegExp(`(?:^|/)${c.name}/(families/)?(index\\.html)?$`).test(word)) {
        found.push(checkpointPage(c));
      }
    }
    if (!found.length) notes.push("That address names no unit.");
  }
  if (asAddress !== undefined) {
    const of = asAddress && checkpoints.find((c) => c.name === asAddress[0]);
    if (of && !byId(of, asAddress[1].toLowerCase())) notes.push(`${asAddress[0]} has no ${asAddress[1]}.`);
    if (asAddress && !of) notes.push(`That address is for another network, ${asAddress[0]}; ${asAddress[1]} here is unrelated.`);
    return { found: found.slice(0, MOST), all: found.length, notes };
  }
  const [, of, rest] = /^([a-z0-9][\w-]*)\/(.*)$/.exec(query) ?? [];
  if (checkpoints.some((c) => c.name === (of ?? query))) {
    const only = checkpoints.filter((c) => c.name === (of ?? query));
    if (rest) return globalThis.atlasLookup(rest, of, { checkpoints: only });
    return { found: only.map(checkpointPage), all: 1, notes };
  }
  const ordered = [...checkpoints].sort((a, b) => (b.name === current) - (a.name === current));
  const asked = ordered.map((c) => byId(c, query));
  if (asked.some(Boolean)) {
    // of other checkpoints only what is rendered, unless nothing else is found
    const near = found.filter(({ made, of }) => made || of === ordered[0].name), shown = near.length ? near : found;
    return { found: shown.slice(0, MOST), all: shown.length, notes: shown.length ? [] : notes };
  }

  const words = query.split(/\s+/), holds = (name) => words.every((w) => name.toLowerCase().includes(w));
  const early = (a, b) => !a.toLowerCase().startsWith(query) - !b.toLowerCase().startsWith(query);
  for (const c of ordered) {
    for (const layer of c.layers) {
      if (layer[0].startsWith(query)) byId(c, layer[0]);
    }
    c.families.filter(([name]) => holds(name)).sort(([a], [b]) => early(a, b)).forEach(([name, slug]) => {
      found.push(familyPage(c, [name, slug]));
    });
    const seen = new Set();
    const hits = c.names.filter(([name, family]) => holds(`${name} ${c.families[family]?.[0] ?? ""}`));
    hits.sort(([a], [b]) => early(a, b));
    for (const rendered of [true, false]) {
      for (const hit of hits) {
        for (const layer of c.layers) {
          for (const channel of numbers(hit[3][layer[0]])) {
            const id = `${layer[0]}:${channel}`;
            if (has(layer[2], channel) !== rendered || seen.has(id)) continue;
            seen.add(id);
            unit(c, layer, channel, named(hit, c));
          }
        }
      }
    }
  }
  return { found: found.slice(0, MOST), all: found.length, notes: found.length ? [] : ["No matches."] };
};
