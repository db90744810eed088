// Units of an atlas in anyone's page: <atlas-unit> turns a link into a chip, and shows picture, name and activation to who
// points at it or comes to it by keyboard. Without this script, and where a ref names no unit, what it holds remains.
//   <script src="https://host/atlas/static/embed.js" async></script>
//   <atlas-unit ref="mixed4a:11"><a href="https://host/atlas/bvlc_googlenet/mixed4a/11.html">4a:11</a></atlas-unit>
// A ref may name its checkpoint, "untrained/mixed4a:11"; else the script's data-checkpoint is meant, or the atlas's first.
// Behind the number it may name a view, "mixed4a:11 neuron".
// A build leaves these lines out.
"use strict";
(() => {
  const { src, dataset } = document.currentScript;
  const root = new URL("..", src).href, usual = dataset.checkpoint || "{{checkpoint}}", wide = 240, high = 304;
  const spelling = /^(?:([a-z0-9][\w-]*)\/)?((?:mixed)?\d[a-z](?:_[35]x[35]_bottleneck)?(?:@\w+)?|conv2d\d|output)[:_/ ](\d{1,6})(?: +(\w+))?$/;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { white-space: nowrap; }
    a { color: inherit; text-underline-offset: .15em; text-decoration-color: color-mix(in srgb, currentColor 35%, transparent); }
    img { border-radius: 3px; vertical-align: -5px; margin-right: .3em; }
    iframe { position: fixed; inset: auto; margin: 0; padding: 0; width: ${wide}px; height: ${high}px; border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: 8px; box-shadow: 0 10px 35px #0004; }
  `);

  // [checkpoint, layer, channel, view] of the link within, if it leads to this atlas, else of the ref; a link elsewhere is left
  const named = (element) => {
    const href = element.querySelector("a")?.href;
    if (href && !href.startsWith(root)) return null;
    const linked = href && /^([\w-]+)\/([\w@]+)\/(\d+)\.html(?:#view-(\w+))?/.exec(href.slice(root.length));
    if (linked) return linked.slice(1);
    const asked = spelling.exec((element.getAttribute("ref") ?? "").trim().toLowerCase());
    return asked && [asked[1] ?? usual, asked[2].replace(/^(?=\d)/, "mixed"), Number(asked[3]), asked[4]];
  };

  if (!customElements.get("atlas-unit")) customElements.define("atlas-unit", class extends HTMLElement {
    static observedAttributes = ["ref"];

    connectedCallback() {
      this.show();
      if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => this.show(), { once: true });
      if (this.escape) return;
      this.escape = (event) => { if (event.key === "Escape") this.close(); };
      for (const [type, open, wait] of [["pointerenter", 1, 120], ["pointerleave", 0, 250], ["focusin", 1, 0], ["focusout", 0, 50]]) {
        this.addEventListener(type, (event) => {
          if (event.pointerType === "touch") return; // a tap follows the link
          clearTimeout(this.timer);
          this.timer = setTimeout(() => (open ? this.open() : this.matches(":hover, :focus-within") || this.close()), wait);
        });
      }
    }

    attributeChangedCallback() { if (this.isConnected) this.show(); }

    show() {
      const unit = named(this), [of, layer, channel, view] = unit ?? [], page = `${of}/${layer}/${channel}`;
      const path = unit && page + (view ? `-${view}` : ""), said = `:${channel}${view ? ` ${view}` : ""}`;
      if (path === this.path) return;
      this.close();
      this.path = path;
      const shadow = this.shadowRoot ?? this.attachShadow({ mode: "open" }), slot = document.createElement("slot");
      if (!unit) return shadow.replaceChildren(slot);
      this.name = `${layer}${said} of ${of}`;
      shadow.adoptedStyleSheets = [sheet];
      const image = Object.assign(new Image(21, 21), { alt: "", loading: "lazy", src: `${root}${path}.webp` });
      image.addEventListener("error", () => { this.path = null; shadow.replaceChildren(slot); });
      const link = Object.assign(document.createElement("a"), { href: `${root}${page}.html${view ? `#view-${view}` : ""}`, ariaLabel: this.name });
      link.append(image, layer.replace(/^mixed/, "") + said);
      shadow.replaceChildren(link);
    }

    open() {
      if (this.card || !this.path) return;
      const at = this.getBoundingClientRect(), { clientWidth, clientHeight } = document.documentElement;
      const above = clientHeight - at.bottom < high + 12 && at.top > high + 12;
      // no stop for the Tab key: it would be gone as soon as it had the focus
      this.card = Object.assign(document.createElement("iframe"), { src: `${root}embed/${this.path}.html`, title: this.name, tabIndex: -1, popover: "manual" });
      this.card.style.left = `${Math.max(0, Math.min(at.left, clientWidth - wide - 10))}px`;
      this.card.style.top = `${above ? at.top - high - 4 : at.bottom + 4}px`;
      this.shadowRoot.append(this.card);
      this.card.showPopover?.();
      document.addEventListener("keydown", this.escape);
      addEventListener("scroll", this.hide ??= () => this.close(), { passive: true });
    }

    close() {
      this.card?.remove();
      this.card = null;
      document.removeEventListener("keydown", this.escape);
      removeEventListener("scroll", this.hide);
    }

    disconnectedCallback() { this.close(); }
  });
})();
