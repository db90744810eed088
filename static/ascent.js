// Ascents that one can scrub: a slider moves through the steps, a dot runs along the curve, and the last picture before
// each step is shown. Without this file the pictures stand side by side.
"use strict";
for (const ascent of document.querySelectorAll(".ascent")) {
  const frames = [...ascent.querySelectorAll(".frames li")];
  const slider = ascent.querySelector("input"), play = ascent.querySelector("button"), says = ascent.querySelector("output");
  const line = ascent.querySelector(".line"), dot = ascent.querySelector(".dot");
  const place = line.transform.baseVal.consolidate().matrix; // of the line's steps and heights in the chart
  let height = 0;
  const points = line.getAttribute("d").match(/[-+]?\d+(?=l|$)/g).map((by, step) => new DOMPoint(step, height += Number(by)).matrixTransform(place));
  const last = Number(slider.max);

  const show = (step) => {
    slider.value = step;
    const at = points[Math.min(step, points.length - 1)];
    dot.setAttribute("cx", at.x);
    dot.setAttribute("cy", at.y);
    const now = frames.filter((frame) => Number(frame.dataset.step) <= step).pop();
    for (const frame of frames) frame.classList.toggle("now", frame === now);
    says.textContent = `step ${step} of ${last}`;
    const [after, of] = [now.querySelector("span").textContent, now.querySelector("b").textContent];
    slider.setAttribute("aria-valuetext", `step ${step}: the picture ${after} steps, activation ${of}`);
  };

  let timer = 0;
  const label = play.getAttribute("aria-label");
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
    play.setAttribute("aria-label", label);
  };
  play.addEventListener("click", () => {
    if (timer) {
      stop();
      return;
    }
    if (Number(slider.value) >= last) show(0);
    play.textContent = "Pause";
    play.setAttribute("aria-label", label.replace("Play", "Pause"));
    timer = setInterval(() => {
      show(Math.min(last, Number(slider.value) + Math.ceil(last / 128)));
      if (Number(slider.value) >= last) stop();
    }, 50);
  });
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });

  for (const image of ascent.querySelectorAll("img")) image.loading = "eager"; // hidden ones are wanted at once
  show(last);
  ascent.classList.add("live"); // last, so that the pictures stay if anything above fails
  ascent.querySelector(".scrub").hidden = false;
}
