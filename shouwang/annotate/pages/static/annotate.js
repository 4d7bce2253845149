"use strict";
// Marking words: select them in the post, then choose an indicator. Every page works without this file but for the marks.

const post = document.getElementById("post-text");
const form = document.querySelector(".label-form");
const field = form && form.elements.spans;
const unmark = document.querySelector("[data-unmark]");
const ORDER = ["pain", "wish", "plan", "method", "time"];

// Offsets count characters as the server does: code points, not UTF-16 units.
function offset(node, at) {
  const before = document.createRange();
  before.selectNodeContents(post);
  before.setEnd(node, at);
  return Array.from(before.toString()).length;
}

function selected() {
  const selection = window.getSelection();
  if (!post || !selection.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  if (!post.contains(range.startContainer) || !post.contains(range.endContainer)) return null;
  return [offset(range.startContainer, range.startOffset), offset(range.endContainer, range.endOffset)];
}

function draw() {
  const spans = JSON.parse(field.value);
  const characters = Array.from(post.textContent);
  const edges = [...new Set([0, characters.length, ...spans.flatMap(([start, end]) => [start, end])])].sort((a, b) => a - b);
  const parts = edges.slice(0, -1).map((start, n) => {
    const text = characters.slice(start, edges[n + 1]).join("");
    const kinds = ORDER.filter((kind) => spans.some(([first, last, name]) => name === kind && first <= start && start < last));
    if (!kinds.length) return document.createTextNode(text);
    const mark = document.createElement("mark");
    mark.className = kinds.join(" ");
    mark.textContent = text;
    return mark;
  });
  post.replaceChildren(...parts);
  unmark.hidden = !spans.length;
}

function add(span, indicator) {
  const spans = JSON.parse(field.value);
  if (!spans.some((each) => String(each) === String([...span, indicator]))) spans.push([...span, indicator]);
  field.value = JSON.stringify(spans);
  draw();
}

if (post && field) {
  let waiting = null; // a click on a box takes the selection away in some browsers
  form.addEventListener("pointerdown", () => (waiting = selected()));
  form.addEventListener("click", (event) => {
    const box = event.target.closest("input[data-mark]");
    const span = box && (selected() || waiting);
    waiting = null;
    if (!span) return;
    box.checked = true;
    add(span, box.dataset.mark);
    window.getSelection().removeAllRanges();
  });
  unmark.addEventListener("click", () => {
    field.value = "[]";
    draw();
  });
  // With the keyboard alone: the arrows move over the characters, with shift they select.
  post.addEventListener("keydown", (event) => {
    const way = { ArrowRight: "forward", ArrowLeft: "backward" }[event.key];
    if (!way) return;
    const selection = window.getSelection();
    if (!selection.anchorNode || !post.contains(selection.anchorNode)) selection.collapse(post, 0);
    selection.modify(event.shiftKey ? "extend" : "move", way, "character");
    event.preventDefault();
  });
  // Hidden text is nothing to stop at with the tab key.
  const veil = document.getElementById("text");
  const sync = () => (post.tabIndex = veil.checked ? 0 : -1);
  veil.addEventListener("change", sync);
  sync();
  draw();
}
