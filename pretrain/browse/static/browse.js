"use strict";
// Keys for people who read many records. Without this script every page works by links and forms.
(() => {
  const help = document.getElementById("help");
  const items = [...document.querySelectorAll("tr[data-item]")];
  let chosen = -1;

  const follow = (selector) => {
    const link = document.querySelector(selector);
    if (link) link.click();
    return Boolean(link);
  };

  const choose = (place) => {
    if (!items.length) return;
    if (place >= items.length) { follow('.pager a[rel="next"]'); return; }
    if (place < 0) { follow('.pager a[rel="prev"]'); return; }
    if (chosen >= 0) items[chosen].removeAttribute("aria-current");
    chosen = place;
    items[chosen].setAttribute("aria-current", "true");
    items[chosen].querySelector("a.open").focus({ preventScroll: true });
    items[chosen].scrollIntoView({ block: "nearest" });
  };

  const step = (by) => {
    if (items.length) choose(chosen < 0 ? (by > 0 ? 0 : items.length - 1) : chosen + by);
    else return follow(`[data-record="${by > 0 ? "next" : "previous"}"]`);
    return true;
  };

  const along = (by) =>
    items.length
      ? follow(`.pager a[rel="${by > 0 ? "next" : "prev"}"]`)
      : follow(`[data-time="${by > 0 ? "later" : "earlier"}"]`);

  const keys = {
    j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1),
    ArrowRight: () => along(1), ArrowLeft: () => along(-1),
    "?": () => { if (!help.open) help.showModal(); return true; },
    "/": () => {
      const field = document.getElementById("search");
      if (field) { field.focus(); field.select(); } else location.assign("/#search");
      return true;
    },
  };

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea, .scroll");
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (typing) { if (event.key === "Escape") event.target.blur(); return; }
    const known = Object.hasOwn(keys, event.key) ? keys[event.key] : null;
    const done = known ? known() : /^[a-zA-Z]+$/.test(event.key) && follow(`[data-key="${event.key}"]`);
    if (done) event.preventDefault();
  });

  document.getElementById("help-button").addEventListener("click", () => help.showModal());
  items.forEach((item, place) => {
    item.addEventListener("focusin", () => { if (place !== chosen) choose(place); });
    item.addEventListener("click", (event) => {
      if (!event.target.closest("a") && !String(getSelection())) item.querySelector("a.open").click();
    });
  });
  // The order of the list has one field and three meanings: forms leave out what is empty.
  document.querySelectorAll("form[method=get]").forEach((form) => form.addEventListener("submit", () => {
    const to = form.elements.to;
    form.querySelectorAll("input, select").forEach((field) => {
      if (!field.value || (field.name === "by" && field.type === "radio" && to && !to.value)) field.disabled = true;
    });
  }));
  addEventListener("pageshow", () => document.querySelectorAll("form :disabled").forEach((f) => { f.disabled = false; }));
  if (location.hash === "#search") document.getElementById("search")?.focus();
})();
