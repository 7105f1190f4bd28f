"use strict";
// What helps to look around. Everything can be read without it; nothing here writes HTML.
(() => {
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;

  const theme = $("theme");
  const keep = (value) => { try { localStorage.setItem("octogram-theme", value); } catch { /* a file may not keep anything */ } };
  let kept = "";
  try { kept = localStorage.getItem("octogram-theme") || ""; } catch { /* nor read it */ }
  const paint = (value) => { if (value) root.dataset.theme = value; else delete root.dataset.theme; };
  theme.value = kept === "light" || kept === "dark" ? kept : "";
  paint(theme.value);
  theme.addEventListener("change", () => { paint(theme.value); keep(theme.value); });
  document.querySelector(".tools").hidden = false;

  // Filters
  const form = document.querySelector(".filter");
  form.hidden = false;
  const [text, state, stage, job, agent, count] = ["text", "state", "stage", "job", "agent", "count"].map((name) => $("f-" + name));
  const jobs = [...document.querySelectorAll("#jobs > .job")];
  const heads = [...document.querySelectorAll(".stage-head")];
  const entries = [...document.querySelectorAll("#jobs .entry")];
  const option = (place, value) => { const made = document.createElement("option"); made.value = value; made.textContent = value; place.append(made); };
  for (const name of new Set(jobs.map((each) => each.dataset.stage))) option(stage, name);
  for (const name of new Set(jobs.map((each) => each.dataset.job))) option(job, name);
  for (const name of [...new Set(entries.map((each) => each.dataset.agent))].slice(0, 2000)) option($("agents"), name);

  const words = new Map();
  const wordsOf = (entry) => {
    let found = words.get(entry);
    if (found === undefined) {
      const above = entry.closest(".job");
      found = ((above ? above.dataset.stage + " " + above.dataset.job + " " : "") + entry.textContent).toLowerCase();
      words.set(entry, found);
    }
    return found;
  };

  const most = 5000;
  const highlight = (wanted, shown) => {
    if (!window.CSS || !CSS.highlights) return;
    CSS.highlights.delete("found");
    if (!wanted) return;
    const ranges = [];
    for (const entry of shown) {
      const walk = document.createTreeWalker(entry, NodeFilter.SHOW_TEXT);
      while (walk.nextNode() && ranges.length < most) {
        const low = walk.currentNode.data.toLowerCase();
        for (let at = low.indexOf(wanted); at >= 0 && ranges.length < most; at = low.indexOf(wanted, at + wanted.length)) {
          if (at + wanted.length > walk.currentNode.length) break;
          const range = new Range();
          range.setStart(walk.currentNode, at);
          range.setEnd(walk.currentNode, at + wanted.length);
          ranges.push(range);
        }
      }
      if (ranges.length >= most) break;
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  };

  const fits = (entry, wanted) => {
    const above = entry.closest(".job");
    const is = entry.dataset.state;
    return (!state.value || (state.value === "!" ? is !== "ok" && is !== "skipped" : is === state.value))
      && (!stage.value || (above && above.dataset.stage === stage.value))
      && (!job.value || (above && above.dataset.job === job.value))
      && (!agent.value || entry.dataset.agent.toLowerCase().includes(agent.value.toLowerCase()))
      && (!wanted || wordsOf(entry).includes(wanted));
  };
  const apply = () => {
    const wanted = text.value.trim().toLowerCase();
    const shown = [];
    for (const entry of entries) {
      entry.hidden = !fits(entry, wanted);
      if (!entry.hidden) shown.push(entry);
    }
    const isFiltered = Boolean(wanted || state.value || stage.value || job.value || agent.value);
    for (const each of jobs) each.hidden = isFiltered && !each.querySelector(".entry:not([hidden])");
    for (const head of heads) head.hidden = isFiltered && !jobs.some((each) => !each.hidden && each.dataset.stage === head.dataset.stage);
    count.textContent = isFiltered ? shown.length + " of " + entries.length : entries.length + " rows";
    highlight(wanted, shown);
  };
  let waiting = 0;
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(apply, 120); };
  text.addEventListener("input", soon);
  agent.addEventListener("input", soon);
  for (const each of [state, stage, job]) each.addEventListener("change", apply);
  form.addEventListener("submit", (event) => { event.preventDefault(); apply(); });
  form.addEventListener("reset", () => setTimeout(apply, 0));
  $("f-open").addEventListener("click", () => { for (const each of entries.filter((one) => !one.hidden).slice(0, 500)) each.open = true; });
  $("f-close").addEventListener("click", () => { for (const each of entries) each.open = false; });

  // A link to a row opens it, also one that a filter hides.
  const follow = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && $(id);
    if (!target) return;
    const entry = target.closest("details.entry");
    if (!entry) return;
    if (entry.hidden) form.reset();
    entry.hidden = false;
    entry.open = true;
    setTimeout(() => { entry.scrollIntoView({ block: "start" }); entry.querySelector("summary").focus({ preventScroll: true }); }, 0);
  };
  addEventListener("hashchange", follow);
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href^='#r']");
    if (link && (link.getAttribute("href") || "") === location.hash) follow();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      $("jobs").scrollIntoView();
      text.focus({ preventScroll: true });
    }
  });
  apply();
  follow();
})();
