"use strict";
// Every page works without this. It adds local time, copying, news, and numbers that stay fresh.

const REFRESH_MS = 2000;
const SAMPLES = 300;

function localTimes(within) {
    for (const time of within.querySelectorAll("time[datetime]")) {
        const date = new Date(time.dateTime);
        time.title = time.textContent;
        time.textContent = date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
    }
}

function copying() {
    const said = document.querySelector(".copied");
    for (const button of document.querySelectorAll("button.copy")) {
        button.hidden = false;
        button.addEventListener("click", async () => {
            try {
                await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
                said.textContent = "Copied.";
            } catch (error) {
                said.textContent = `Not copied: ${error.message}`;
            }
        });
    }
}

// Only once, or a screen reader would say it again and again.
function say(place, text) {
    if (place.textContent !== text) place.textContent = text;
}

// A browser keeps few connections to one server, so a page that nobody sees gives its own back.
function whileVisible(begin) {
    let end = null;
    const change = () => {
        if (document.hidden && end) {
            end();
            end = null;
        } else if (!document.hidden && !end) {
            end = begin();
        }
    };
    document.addEventListener("visibilitychange", change);
    change();
}

function news() {
    const place = document.querySelector("[data-live]");
    if (!place) return;
    const link = document.createElement("a");
    link.href = place.dataset.newest;
    whileVisible(() => {
        const source = new EventSource(place.dataset.live);
        source.addEventListener("news", (event) => {
            const count = Number(event.data);
            link.textContent = count < 1000 ? `${count} new` : "1,000 new or more";
            place.replaceChildren(link);
        });
        source.addEventListener("open", () => place.replaceChildren());
        source.addEventListener("error", () => say(place, "New events are not told: the command does not answer."));
        return () => source.close();
    });
}

const behind = new Map();

function samples(within) {
    for (const projection of within.querySelectorAll("[data-behind]")) {
        const { name, behind: value } = projection.dataset;
        const known = behind.get(name) ?? [];
        known.push(Number(value));
        behind.set(name, known.slice(-SAMPLES));
        plot(projection.querySelector(".plot"), behind.get(name));
    }
}

// How far behind, since the page was opened.
function plot(place, values) {
    if (values.length < 2) return;
    const highest = Math.max(1, ...values);
    const points = values.map((value, at) => `${(100 * at) / (values.length - 1)},${28 - (26 * value) / highest}`);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 100 30");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `Behind since this page was opened: now ${values.at(-1)}, at most ${highest}`);
    const line = document.createElementNS(svg.namespaceURI, "polyline");
    line.setAttribute("points", points.join(" "));
    svg.append(line);
    place.replaceChildren(svg);
}

const focusable = (within) => [...within.querySelectorAll("a, summary")];
const opened = (within) => [...within.querySelectorAll("details[open]")].map((details) => nameOf(details));
const nameOf = (element) => element.closest("[data-name]").dataset.name;
let shown = "";

// What was opened stays open, what has the focus keeps it, and what is the same stays.
function replace(old, fresh) {
    if (fresh.innerHTML === shown) return;
    shown = fresh.innerHTML;
    const open = opened(old);
    const focused = focusable(old).indexOf(document.activeElement);
    old.replaceChildren(...fresh.childNodes);
    for (const details of old.querySelectorAll("details")) {
        details.open = open.includes(nameOf(details));
    }
    focusable(old)[focused]?.focus();
}

async function refresh(place, stale) {
    try {
        const answer = await fetch(place.dataset.refresh);
        if (!answer.ok) throw new Error(`it answers ${answer.status}`);
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        replace(place, page.getElementById(place.id));
        samples(place);
        say(stale, "");
    } catch (error) {
        if (!stale.textContent) {
            stale.textContent = `As of ${new Date().toLocaleTimeString()}: it cannot be asked again (${error.message}).`;
        }
    }
}

function staysFresh() {
    const place = document.querySelector("[data-refresh]");
    if (!place) return;
    const stale = document.querySelector(".stale");
    shown = place.innerHTML;
    samples(place);
    whileVisible(() => {
        let timer = null;
        let hasEnded = false;
        const next = () => {
            if (!hasEnded) timer = setTimeout(() => refresh(place, stale).then(next), REFRESH_MS);
        };
        next();
        return () => {
            hasEnded = true;
            clearTimeout(timer);
        };
    });
}

localTimes(document);
copying();
news();
staysFresh();
