"use strict";
const token = new URLSearchParams(location.search).get("token") || "";
const at = id => document.getElementById(id);
const put = (parent, tag, text, cls) => { const e = document.createElement(tag); e.textContent = text; if (cls) e.className = cls; parent.append(e); return e; };
const say = text => { at("said").textContent = text; };
async function order(what) {
  say("");
  try {
    const answer = await fetch("/order?token=" + encodeURIComponent(token), {method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(what)});
    const told = await answer.json();
    say(answer.ok ? (told.done || "done") : told.error);
  } catch (error) { say("the run does not answer"); }
}
function show(s) {
  document.title = s.title;
  at("title").textContent = s.title;
  at("place").textContent = s.place;
  at("bar").value = s.done;
  at("figures").replaceChildren();
  for (const [name, text, style] of s.rows) { put(at("figures"), "dt", name); put(at("figures"), "dd", text, style ? "warn" : ""); }
  at("faults").replaceChildren();
  for (const [id, text] of s.faults) {
    const item = put(at("faults"), "li", text + " ", "warn");
    const button = put(item, "button", "clear");
    button.type = "button";
    button.setAttribute("aria-label", "clear " + text);
    button.addEventListener("click", () => order({do: "clear", ids: [id]}));
  }
  at("none").hidden = s.faults.length > 0;
  at("clear").disabled = s.faults.length === 0;
  at("journal").replaceChildren();
  for (const text of s.journal) put(at("journal"), "li", text);
  if (s.over) { say("the run is over"); source.close(); at("halt").disabled = at("clear").disabled = true; }
}
at("clear").addEventListener("click", () => order({do: "clear", ids: []}));
at("halt").addEventListener("click", () => order({do: "halt", reason: "from the live page"}));
const source = new EventSource("/events?token=" + encodeURIComponent(token));
source.onmessage = event => show(JSON.parse(event.data));
source.onerror = () => { if (source.readyState === EventSource.CLOSED) say("the run does not answer"); };
