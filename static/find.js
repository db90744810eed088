// Reads what people type into the search box, as generator/core (units.py, external_urls.py) does: a unit in any
// spelling, a layer, an address, and only then a name. The tests hold both to one list. Nothing here touches the page.
"use strict";
globalThis.atlasFind = (() => {
  const MOST = 24;
  const spellings = [
    [/^import\//, ""],
    [/^(?:softmax2(?:_pre_activation)?|output2|loss3[/_]classifier|fc)(?:[/_]matmul)?(?!\w)/, "output"],
    [/^conv1(?:[._]conv)?(?=[: ]|$)/, "conv2d0"], [/^conv2(?:[._]conv)?(?=[: ]|$)/, "conv2d1"], [/^conv3(?:[._]conv)?(?=[: ]|$)/, "conv2d2"],
    [/[._]branch1(?:[._]conv)?(?!\w)/, "_1x1"], [/[._]branch2[._]/, "_3x3_part"], [/[._]branch3[._]/, "_5x5_part"],
    [/_part0(?:[._]conv)?(?!\w)/, "_bottleneck"], [/_part1(?:[._]conv)?(?!\w)/, ""],
    [/[._]branch4[._]1(?:[._]conv)?(?!\w)/, "_pool_reduce"],
    [/^conv1[/_]7x7_s2/, "conv2d0"], [/^conv2[/_]3x3_reduce/, "conv2d1"], [/^conv2[/_]3x3/, "conv2d2"],
    [/^inception_?(?=\d)/, "mixed"], [/^((?:mixed)?\d[a-z])[/_ ]output/, "$1"],
    [/^((?:mixed)?\d[a-z])[:/_ ]+(1x1|3x3|5x5|pool)/, "$1_$2"],
    [/_([35]x[35])[_ ](?:reduce|bottleneck)/, "_$1_bottleneck"], [/_pool[_ ](?:proj|reduce)/, "_pool_reduce"],
    [/_pre_relu(?:[/_]conv)?(?![a-z0-9])/, ""],
  ];
  const runs = /^\d{1,6}(-\d{1,6})?(,\d{1,6}(-\d{1,6})?)*$/;

  function* numbers(text) {
    for (const run of text ? text.split(",") : []) {
      const [first, last = first] = run.split("-").map(Number);
      for (let n = first; n <= last; n++) yield n;
    }
  }
  const has = (text, channel) => !!text && text.split(",").some((run) => {
    const [first, last = first] = run.split("-").map(Number);
    return first <= channel && channel <= last;
  });

  // [checkpoint, word] that an address names; undefined if it is none, null if it names no unit
  const address = (text) => {
    const host = /^(https?:\/\/)?[\w-]+(\.[\w-]+)+(:\d+)?\//i.test(text);
    if (!text.includes("://") && !host && !/(\.(html|json|jpg|webp)|\/.*\/)$/i.test(text)) return undefined;
    const [, path, , branch] = /^(?:\w+:\/\/[^/]*)?([^?#]*)(\?[^#]*)?#?(.*)$/.exec(text);
    let parts;
    try { parts = decodeURIComponent(path).split("/").filter(Boolean); } catch { return null; }
    const last = parts.at(-1) ?? "", before = parts.slice(0, -1);
    const ours = () => {
      const here = /^index\.\w+$/.test(last) ? before : parts, end = here.at(-1) ?? "";
      const layer = /^((conv2d\d|mixed\d[a-z](_\w+)?)(@[a-z0-9_]+)?|output)$/, isBranch = /^(1x1|3x3|5x5|pool_reduce)$/.test(branch);
      if (layer.test(here.at(-2)) && /^\d+(\.\w+)?$/.test(end) && here.length > 2) return [here.at(-3), `${here.at(-2)}:${parseInt(end, 10)}`];
      return layer.test(end) && here.length > 1 ? [here.at(-2), end + (isBranch ? `_${branch}` : "")] : null;
    };
    // no other site has such files, and an atlas may lie under a folder “models”
    if (/\.(html|json|jpg|webp)$/.test(last) && ours()) return ours();
    if (before.includes("models")) {
      const [model, layer, channel] = parts.slice(parts.indexOf("models") + 1);
      if (!layer || (channel && !/^\d+$/.test(channel))) return ours();
      return [model === "inceptionv1" ? "inception5h" : model, layer.replace(/_0$/, "") + (channel ? `:${channel}` : "")];
    }
    if (before.includes("inceptionv1-weight-explorer")) {
      const named = /^(\w+?)_(\d+)\.html$/.exec(last);
      return named && ["inception5h", `${named[1]}:${named[2]}`];
    }
    if (before.includes("tensorflow_inception")) {
      const named = /^(\w+?)(_pre_relu)?\.html$/.exec(last);
      return named && named[1] !== "index" ? ["inception5h", named[1]] : null;
    }
    return ours();
  };

  // {layer, first, count, branch, channels} for a word of one checkpoint, null if it begins with no layer
  const read = (word, checkpoint) => {
    for (const [theirs, ours] of spellings) word = word.replace(theirs, ours);
    // a sum or difference of channels of one layer: 4a:5+4a:11 is mixed4a@5_plus_11
    const [head, ...more] = word.split(/(?<=\d)\s*([+-])\s*(?=[a-z]|\d[a-z])/);
    if (more.length) {
      const [, of, first] = /^(.*?)[:/_ ](\d+)$/.exec(head) ?? [], bare = (w) => w.replace(/^mixed/, "");
      const terms = more.map((w, i) => (i % 2 ? bare(w).slice(bare(of ?? "").length + 1) : w === "+" ? "_plus_" : "_minus_"));
      word = `${of}@${first}${terms.join("")}:0`;
    }
    let best = null;
    for (const layer of checkpoint.layers) {
      for (const [branch, first, count] of [["", 0, layer[1]], ...layer[3]]) {
        const name = branch ? `${layer[0]}_${branch}` : layer[0];
        for (const alias of [name, name.replace(/^mixed/, "")]) {
          const rest = word.slice(alias.length);
          if (word.startsWith(alias) && (!rest || ":/_ ".includes(rest[0])) && !(best?.length > alias.length)) {
            best = { length: alias.length, layer, branch, first, count, channels: rest.slice(1).trim() };
          }
        }
      }
    }
    return best && (!best.channels || runs.test(best.channels)) ? best : null;
  };
  return { MOST, address, read, numbers, has };
})();
