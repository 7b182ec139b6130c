"use strict";
(() => {
  const $ = (selector) => Array.from(document.querySelectorAll(selector));
  const search = document.getElementById("search");
  const empty = document.getElementById("empty");
  // What the search looks through stands once, at the section; its row in the matrix is found by its link.
  const rows = new Map($(".matrix tbody tr").map((row) => [row.querySelector("a").hash.slice(1), row]));
  const sections = $("details.outcome");
  let wanted = "";

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const section of sections) {
      const { id, is } = section.dataset;
      const hit = words.every((word) => id.includes(word)) && (!wanted || is === wanted);
      section.hidden = rows.get(section.querySelector(".body").id).hidden = !hit;
      shown += hit;
    }
    empty.hidden = shown > 0;
  };

  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    const section = target && target.closest("details");
    if (section) {
      section.hidden = false;
      section.open = true;
      section.scrollIntoView();
    }
  };

  search.addEventListener("input", filter);
  for (const button of $("button[data-show]")) {
    button.addEventListener("click", () => {
      wanted = button.dataset.show;
      for (const other of $("button[data-show]")) other.setAttribute("aria-pressed", String(other === button));
      filter();
    });
  }
  for (const button of $("button[data-open]")) {
    button.addEventListener("click", () => {
      for (const section of $("details.outcome:not([hidden])")) section.open = button.dataset.open === "all";
    });
  }
  addEventListener("hashchange", reveal);
  document.querySelector("nav").hidden = false;
  reveal();
})();
