"use strict";
(() => {
  const toolbar = document.getElementById("toolbar");
  const search = document.getElementById("search");
  const shown = document.getElementById("shown");
  const unfold = document.getElementById("unfold");
  const verdicts = [...toolbar.querySelectorAll("[data-show]")];
  const claims = [...document.querySelectorAll(".claim")].map((element) => ({
    element,
    fold: element.querySelector("details"),
    text: element.textContent.toLowerCase(),
  }));
  const suites = [...document.querySelectorAll(".suite")];

  const pressed = (button) => button.getAttribute("aria-pressed") === "true";

  function filter() {
    const wanted = verdicts.filter(pressed).map((button) => button.dataset.show);
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { element, text } of claims) {
      const fits =
        (!wanted.length || wanted.includes(element.dataset.verdict)) &&
        words.every((word) => text.includes(word));
      element.hidden = !fits;
      count += fits;
    }
    for (const suite of suites) suite.hidden = !suite.querySelector(".claim:not([hidden])");
    const all = count === claims.length && !wanted.length && !words.length;
    shown.value = all ? "" : `${count} of ${claims.length} claims shown`;
  }

  function goToTarget() {
    const claim = claims.find(({ element }) => element.matches(":target"));
    if (!claim) return;
    for (const button of verdicts) button.setAttribute("aria-pressed", "false");
    search.value = "";
    filter();
    claim.fold.open = true;
    claim.element.scrollIntoView();
  }

  for (const button of verdicts) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(!pressed(button)));
      filter();
    });
  }
  search.addEventListener("input", filter);
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    search.value = "";
    filter();
  });
  unfold.addEventListener("click", () => {
    const open = unfold.textContent === "Open all";
    for (const { fold } of claims) fold.open = open;
    unfold.textContent = open ? "Close all" : "Open all";
  });

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
  });

  addEventListener("hashchange", goToTarget);
  toolbar.hidden = false;
  filter();
  goToTarget();
})();
