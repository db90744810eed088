// Units of an atlas in anyone's page: <atlas-unit> turns a link into a chip, and shows picture, name and activation to who
// points at it or comes to it by keyboard. Without this script the link remains.
//   <script src="https://host/atlas/static/embed.js" async></script>
//   <atlas-unit ref="mixed4a:11"><a href="https://host/atlas/bvlc_googlenet/mixed4a/11.html">4a:11</a></atlas-unit>
// A ref may name its checkpoint, "untrained/mixed4a:11"; else the script's data-checkpoint is meant, or the atlas's first.
"use strict";
(() => {
  const { src, dataset } = document.currentScript;
  const root = new URL("..", src).href;
  const usual = dataset.checkpoint || "{{checkpoint}}";
  const [wide, high] = [240, 304];
  const spelling = /^(?:([a-z0-9][\w-]*)\/)?((?:mixed)?\d[a-z](?:_[35]x[35]_bottleneck)?|conv2d\d)[:_/ ](\d{1,6})$/;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { position: relative; display: inline-block; white-space: nowrap; }
    a { color: inherit; text-underline-offset: .15em; text-decoration-color: color-mix(in srgb, currentColor 35%, transparent); }
    img { width: 21px; height: 21px; border-radius: 3px; vertical-align: -5px; margin-right: .3em; }
    iframe { position: absolute; z-index: 2147483000; width: ${wide}px; height: ${high}px; border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: 8px; box-shadow: 0 10px 35px rgb(0 0 0 / .25); }
  `);

  // [checkpoint, layer, channel] of a ref, else of the link within, if it leads to this atlas
  const named = (element) => {
    const asked = spelling.exec((element.getAttribute("ref") ?? "").trim().toLowerCase());
    if (asked) return [asked[1] ?? usual, asked[2].replace(/^(?=\d)/, "mixed"), Number(asked[3])];
    const href = element.querySelector("a")?.href ?? "";
    const [, ...parts] = (href.startsWith(root) && /^([\w-]+)\/(\w+)\/(\d+)\.html/.exec(href.slice(root.length))) || [];
    return parts.length ? parts : null;
  };

  customElements.define("atlas-unit", class extends HTMLElement {
    connectedCallback() {
      const unit = named(this);
      if (!unit || this.shadowRoot) return;
      const [checkpoint, layer, channel] = unit;
      this.path = `${checkpoint}/${layer}/${channel}`;
      this.name = `${layer}:${channel} of ${checkpoint}`;
      const shadow = this.attachShadow({ mode: "open" });
      shadow.adoptedStyleSheets = [sheet];
      const image = Object.assign(new Image(21, 21), { src: `${root}${this.path}.webp`, alt: "" });
      const link = Object.assign(document.createElement("a"), { href: `${root}${this.path}.html`, ariaLabel: this.name });
      link.append(image, `${layer.replace(/^mixed/, "")}:${channel}`);
      shadow.append(link);
      for (const [type, open, wait] of [["pointerenter", true, 120], ["pointerleave", false, 250], ["focusin", true, 0], ["focusout", false, 50]]) {
        this.addEventListener(type, (event) => {
          if (event.pointerType === "touch") return; // a tap follows the link
          clearTimeout(this.timer);
          this.timer = setTimeout(() => (open ? this.open() : this.matches(":hover, :focus-within") || this.close()), wait);
        });
      }
      this.escape = (event) => { if (event.key === "Escape") this.close(); };
    }

    open() {
      if (this.card) return;
      const at = this.getBoundingClientRect();
      this.card = Object.assign(document.createElement("iframe"), { src: `${root}embed/${this.path}.html`, title: this.name });
      this.card.style.left = `${Math.min(0, document.documentElement.clientWidth - at.left - wide - 10)}px`;
      const above = innerHeight - at.bottom < high + 12 && at.top > high + 12;
      this.card.style[above ? "bottom" : "top"] = "calc(100% + 4px)";
      this.shadowRoot.append(this.card);
      document.addEventListener("keydown", this.escape);
    }

    close() {
      this.card?.remove();
      this.card = null;
      document.removeEventListener("keydown", this.escape);
    }

    disconnectedCallback() {
      this.close();
    }
  });
})();
