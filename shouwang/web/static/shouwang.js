"use strict";
// Keyboard shortcuts from data-key attributes, the help that lists them, texts that are veiled until wanted.
// Every page works without this file; it adds keys.

const typing = (element) =>
  element.matches("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=submit])");

function labelOf(element) {
  const label = element.labels && element.labels[0];
  const text = element.getAttribute("aria-label") || element.dataset.keyName || (label || element).textContent;
  return text.trim().replace(/\s+/g, " ").slice(0, 60);
}

function withKey(key, matches = (one) => one === key) {
  const item = document.activeElement && document.activeElement.closest("[data-item]");
  const all = [...document.querySelectorAll("[data-key]")].filter(
    (element) => matches(element.dataset.key) && element.checkVisibility(),
  );
  return all.find((element) => item && item.contains(element)) || all[0];
}

function use(element) {
  if (typing(element)) {
    element.focus();
    if (element.select) element.select();
  } else {
    element.focus({ preventScroll: element.type === "checkbox" });
    element.click();
  }
}

function step(by) {
  const items = [...document.querySelectorAll("[data-item]")];
  if (!items.length) return;
  const at = items.findIndex((item) => item.contains(document.activeElement));
  const next = items[at < 0 ? 0 : Math.min(items.length - 1, Math.max(0, at + by))];
  (next.querySelector("[data-open]") || next).focus();
  next.scrollIntoView({ block: "nearest" });
}

let first = "";
let forget = 0;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.repeat && event.key !== "j" && event.key !== "k") return;
  if (event.key === "Escape" && typing(document.activeElement)) document.activeElement.blur();
  if (!("shortcuts" in document.body.dataset) || typing(event.target) || document.querySelector("dialog[open]")) return;
  const key = first ? `${first} ${event.key}` : event.key;
  first = "";
  clearTimeout(forget);
  if (key === "j" || key === "k") {
    step(key === "j" ? 1 : -1);
    event.preventDefault();
    return;
  }
  const element = withKey(key);
  if (element) {
    use(element);
    event.preventDefault();
  } else if (withKey(key, (one) => one.startsWith(`${key} `))) {
    first = key;
    forget = setTimeout(() => (first = ""), 1500);
  }
});

function showHelp() {
  const dialog = document.getElementById("help");
  const list = dialog.querySelector("dl");
  list.replaceChildren();
  const seen = new Set();
  const add = (key, name) => {
    if (seen.has(key)) return;
    seen.add(key);
    const term = document.createElement("dt");
    const kbd = document.createElement("kbd");
    kbd.textContent = key;
    term.append(kbd);
    const text = document.createElement("dd");
    text.textContent = name;
    list.append(term, text);
  };
  if (document.querySelector("[data-item]")) add("j / k", document.documentElement.lang === "en" ? "next / previous" : "下一个 / 上一个");
  document.querySelectorAll("[data-key]").forEach((element) => element.checkVisibility() && add(element.dataset.key, labelOf(element)));
  dialog.showModal();
}

function syncVeils() {
  document.querySelectorAll(".veil").forEach((veil) => {
    const shown = veil.querySelector("input").checked;
    veil.querySelector(".veiled").setAttribute("aria-hidden", shown ? "false" : "true");
  });
}

const TWICE = 2000; // milliseconds within which a form that is sent again is a double click
const sent = new WeakMap();

document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  // two cases would be claimed, and nobody would look at the first; a note would stand there twice
  if (event.timeStamp - (sent.get(event.target) ?? -TWICE) < TWICE) event.preventDefault();
  else sent.set(event.target, event.timeStamp);
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-help]")) showHelp();
  const veiled = event.target.closest(".veiled[aria-hidden=true]");
  if (veiled) veiled.parentElement.querySelector("input").click();
});
document.addEventListener("change", (event) => {
  if (event.target.closest(".veil")) syncVeils();
});
document.addEventListener("htmx:after:swap", syncVeils);
document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden) event.preventDefault(); // nobody looks: nothing is asked, nothing counts as seen
});
syncVeils();
