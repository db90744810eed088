// From what was typed to what is shown: units, layers and families of the index, ids before names.
"use strict";
globalThis.atlasLookup = (text, current, { checkpoints } = globalThis.atlasUnits) => {
  const { MOST, address, read, numbers, has } = globalThis.atlasFind;
  const word = text.trim().replace(/(?<=\d)\s+(channel|logit|direction)$/i, ""), query = word.toLowerCase(), found = [], notes = [];
  if (!query) return { found, all: 0, notes };
  const [, before, view] = /^(.+)\s(\w+)$/.exec(query) ?? [];
  if (checkpoints.some((c) => c.views[view]) && /\d/.test(before)) {
    const seen = globalThis.atlasLookup(before, current, { checkpoints }).found.filter(({ of, title: t }) =>
      has(checkpoints.find((c) => c.name === of).views[view]?.[t.split(":")[0]], t.split(":")[1])).map((hit) => ({ ...hit, title: `${hit.title} ${view}`, href: `${hit.href}#view-${view}`, image: hit.image.replace(".", `-${view}.`) }));
    return { found: seen, all: seen.length, notes: seen.length ? [] : [`atlas render ${before} --view ${view}`] };
  }
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
        kind: "layer", title: name, said: `${count} units`, of: c.name, made: true,
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
  const facet = globalThis.atlasFacet.find(query, [...checkpoints].sort((a, b) => (b.name === current) - (a.name === current)));
  if (facet) {
    facet.found.forEach(([c, layer, channel]) => unit(c, layer, channel));
    return { found: found.slice(0, MOST), all: found.length, notes: facet.note ? [facet.note] : [] };
  }
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

  const one = (w) => (w.length > 3 ? w.replace(/s$/, "") : w); // "cars" finds a car wheel
  const words = query.split(/\s+/).map(one);
  const holds = (name) => words.every((w) => name.toLowerCase().includes(w));
  // names that begin with the word come first, then those where another word does
  const rank = (name) => {
    const at = name.toLowerCase().indexOf(words[0]);
    return at > 0 ? 1 + /\p{L}/u.test(name[at - 1]) : 3 * (at < 0);
  };
  const early = (a, b) => rank(a) - rank(b);
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
  if (found.length) return { found: found.slice(0, MOST), all: found.length, notes };
  // letters to add, drop, change or swap with the next until one word is the other
  const edits = (a, b) => {
    let before = [], row = [...b, ""].map((_, j) => j);
    for (let i = 1; i <= a.length; i++) {
      const next = [i];
      for (let j = 1; j <= b.length; j++) {
        const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2] + 1 : Infinity;
        next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] !== b[j - 1]), swapped);
      }
      [before, row] = [row, next];
    }
    return row[b.length];
  };
  const names = ordered.flatMap((c) => [...c.families, ...c.names].map(([name]) => name.toLowerCase()));
  const known = [...new Set(names.flatMap((name) => (name.match(/\p{L}{3,}/gu) ?? []).map(one)))];
  const nearest = (w) => known.map((k) => [edits(w, k), k]).filter(([n]) => n <= w.length / 3).sort(([a], [b]) => a - b)[0]?.[1] ?? w;
  const meant = words.map((w) => (names.some((name) => name.includes(w)) ? w : nearest(w)));
  if (meant.every((w, i) => w === words[i])) return { found, all: 0, notes: ["No matches."] };
  return { ...globalThis.atlasLookup(meant.join(" "), current, { checkpoints }), notes: [`No matches. Did you mean “${meant.join(" ")}”?`] };
};
