// The filter of the list beside a page. Without this file the page is whole; it only cannot be narrowed down.

const field = document.getElementById("filter");

function matches(item, words) {
  return words.every((word) => item.dataset.find.includes(word));
}

function narrow() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const item of document.querySelectorAll("[data-find]")) {
    item.hidden = !matches(item, words);
    if (!item.hidden && item.tagName === "LI") found += 1;
  }
  for (const group of document.querySelectorAll("#parts section, main .group")) {
    group.hidden = !group.querySelector("[data-find]:not([hidden])");
  }
  document.getElementById("found").textContent = words.length ? `${found} found` : "";
}

// A link into something folded opens it.
function open() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  if (target.closest("[hidden]")) {
    field.value = "";
    narrow();
  }
  target.scrollIntoView();
}

if (field) {
  field.closest(".filter").hidden = false;
  field.addEventListener("input", narrow);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      field.focus();
    } else if (event.key === "Escape" && event.target === field) {
      field.value = "";
      narrow();
    }
  });
  // A reload may bring the former word back into the field.
  narrow();
}

// On a narrow page the list would push the content down.
const beside = document.querySelector(".beside > details");
if (beside && matchMedia("(max-width: 60rem)").matches) beside.open = false;

addEventListener("hashchange", open);
open();
