// The portal works without this. It adds keys, a crosshair's numbers beside the pointer, and local time on hover.
// It fetches nothing, stores nothing, and writes text only as text.

document.documentElement.classList.add("js");

// ---- keys ----
const dialog = document.getElementById("keys");
let waiting = false; // after "g"

const actions = {
  "/": () => document.querySelector("[data-focus='/']"),
  "?": () => { dialog.showModal(); },
  "w": () => {
    const whys = [...document.querySelectorAll("details.why")];
    const open = whys.some((why) => !why.open);
    for (const why of whys) why.open = open;
  },
};

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || dialog.open) return;
  const on = event.target;
  // A link that is a button in all but name answers to the space bar as one.
  if (event.key === " " && on instanceof Element && on.matches("a[role='button']")) {
    event.preventDefault();
    on.click();
    return;
  }
  if (on instanceof Element && on.closest("input, select, textarea")) {
    if (event.key === "Escape") on.blur();
    return;
  }
  if (waiting) {
    waiting = false;
    follow(`[data-go="${CSS.escape(event.key)}"]`, event);
    return;
  }
  if (event.key === "g") {
    waiting = true;
    setTimeout(() => { waiting = false; }, 1500);
    return;
  }
  if (Object.hasOwn(actions, event.key)) {
    const target = actions[event.key]();
    if (target) target.focus();
    event.preventDefault();
    return;
  }
  follow(`[data-key="${CSS.escape(event.key)}"]`, event);
}

function follow(selector, event) {
  const link = document.querySelector(selector);
  if (!link) return;
  event.preventDefault();
  link.click();
}

document.addEventListener("keydown", press);

// ---- the numbers of a column, beside the pointer ----
for (const chart of document.querySelectorAll(".chart")) {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);

  // The title would show itself a second time: its words move to the label.
  for (const column of chart.querySelectorAll(".hits a")) {
    const title = column.querySelector("title");
    if (!title) continue;
    column.setAttribute("aria-label", title.textContent);
    title.remove();
  }
  chart.addEventListener("pointermove", (event) => {
    const column = event.target instanceof Element ? event.target.closest(".hits a") : null;
    tip.hidden = !column;
    if (!column) return;
    tip.textContent = column.getAttribute("aria-label");
    const box = tip.getBoundingClientRect();
    const left = event.clientX + 16 + box.width > innerWidth - 8 ? event.clientX - 16 - box.width : event.clientX + 16;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${Math.max(8, Math.min(event.clientY - 12, innerHeight - box.height - 8))}px`;
  });
  chart.addEventListener("pointerleave", () => { tip.hidden = true; });
}

// ---- local time on hover; the page itself speaks UTC ----
const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  if (!Number.isNaN(at.getTime())) time.title = local.format(at);
}

// ---- a form's empty fields do not clutter the URL ----
for (const form of document.querySelectorAll("form.filters, form.find")) {
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData.entries()]) if (value === "") event.formData.delete(name);
  });
}

// ---- an open drop closes when one looks elsewhere ----
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.dates[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});
