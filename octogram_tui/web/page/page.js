"use strict";

// A console needs its keys: those that browsers have for their own, and can be had, go to it.
document.addEventListener("DOMContentLoaded", () => {
  // The keys are the console's from the start, without a click into it.
  const focus = () => document.querySelector(".xterm-helper-textarea")?.focus();
  new MutationObserver(focus).observe(document.body, { attributeFilter: ["class"] });
  document.getElementById("again").addEventListener("click", () => window.location.reload());
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key === "F1" || event.key === "Tab" || (event.ctrlKey && ["p", "s", "f", "b"].includes(event.key))) {
        event.preventDefault();
      }
    },
    true,
  );
});
