// The whole way of a query: what decided it, with the lines of the configuration and of lists, and what was written to routers.
import { clientText, learnNames } from "/client_names.js";
import { make, notice, panel, preformatted, prose, table, widePanel } from "/dom.js";
import { count, duration } from "/format.js";
import { call, kForbidden } from "/rpc.js";

export const title = "Explain";

const kTypes = ["A", "AAAA", "HTTPS", "CNAME", "MX", "TXT", "PTR", "SRV", "NS", "SOA"];
const kTraceS = 30;
const at = (one) => (one.file ? `${one.file.split("/").pop()}:${one.line}` : "");
const address = (...parts) => `#explain/${parts.map((part) => encodeURIComponent(part ?? "")).join("/")}`;

function facts(trace) {
  const { answer = {} } = trace;
  const rows = [
    ["Question", `${trace.name} ${trace.type}`],
    ["Client", `${clientText(trace.client)} asked ${trace.server} over ${trace.transport}`],
    ["End", trace.end],
    ["Took", `${count(trace.took_ms)} ms`],
    ["Result", answer.rcode],
    ["Addresses", answer.addresses?.join(", ")],
    ["TTL", answer.ttl_s !== undefined && duration(answer.ttl_s)],
    ["Lists", trace.lists.length > 0 && trace.lists.join(", ")],
    ["Extended error", trace.way.find((step) => step.ede !== undefined)?.text],
    ["Trace", `${trace.id}, worker ${trace.worker}, configuration ${trace.configuration}`],
    ["Lost steps", trace.events_lost > 0 && count(trace.events_lost)],
  ];
  return make("dl", {}, rows.filter(([, value]) => value).map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

function way(trace) {
  return table([
    { title: "At, ms", number: true, of: (one) => String(one.at_ms) },
    { title: "Step", of: (one) => one.what },
    { title: "What happened", long: true, of: (one) => make("div", {}, one.text, one.by_plan && " (by plan)",
      (one.matched ?? []).map((rule) => make("div", { class: "quiet" }, `rule ${rule.rule} of ${rule.file}:${rule.line} says ${rule.says}`))) },
    { title: "Line", of: (one) => make("span", { title: one.file }, at(one)), narrow: false },
  ], trace.way.filter((one) => one.what !== "step" || one.file), "This trace has no step.");  // not the ends of sequences
}

export function ruleTable(rules) {
  return table([
    { title: "Plugin", of: (one) => one.plugin },
    { title: "Rule", long: true, of: (one) => one.rule },
    { title: "Line", long: true, of: (one) => `${one.file}:${one.line}` },
    { title: "Effect", long: true, of: (one) => (one.effects ?? []).map((effect) => make("div", {}, effect.does, make("span", { class: "quiet" }, ` (${at(effect)})`))) },
  ], rules, "No rule of a list matches this name.");
}

function rowTable(rows) {
  return table([
    { title: "Router", of: (one) => make("a", { href: `#routers/${encodeURIComponent(one.router)}` }, one.router) },
    { title: "Sentence", long: true, of: (one) => make("code", {}, one.words) },
    { title: "Sent", of: (one) => (one.at_ms < 0 ? `${duration(-one.at_ms / 1000)} before` : `after ${one.at_ms} ms`) },
    { title: "Acknowledged", of: (one) => (one.took_ms === undefined ? make("span", { class: "warn" }, "not yet") : `after ${one.took_ms} ms: ${one.reply}`) },
  ], rows, "Nothing was sent to a router for this answer.");
}

function draw(result) {
  return make("div", { class: "panels" }, panel("Result", facts(result)),
    panel("Response", preformatted("Response", (result.response ?? ["No response was sent."]).join("\n"))),
    widePanel("Way", way(result)), widePanel("Rules of lists", ruleTable(result.rules ?? [])), widePanel("Rows on routers", rowTable(result.rows ?? [])));
}

export function show(place, [name = "", type = "", client = "", server = ""]) {
  let ended = false;
  const out = make("div"), told = make("div");
  const field = (key, value, more) => make("input", { name: key, value, autocomplete: "off", ...more });
  const fields = {
    name: field("name", name, { required: true, placeholder: "www.example.com", size: 28 }), type: field("type", type || "A", { list: "types", size: 6 }),
    client: field("client", client, { placeholder: "127.0.0.1", size: 16 }), server: field("server", server, { placeholder: "127.0.0.1", size: 16 }),
  };
  const wanted = () => Object.fromEntries(Object.entries(fields).map(([key, input]) => [key, input.value.trim()]).filter(([, value]) => value));
  const say = (...what) => told.replaceChildren(...what.filter(Boolean));

  // Not every role may ask for another client.
  async function asked(wish) {
    try {
      return [await call("explain", wish), ""];
    } catch (error) {
      if (error.code !== kForbidden || !wish.client) throw error;
      const { client: other, ...own } = wish;
      return [await call("explain", own), `The query was asked as 127.0.0.1, and not as ${other}: ${error.message}.`];
    }
  }

  async function explain(wish) {
    const [[result, why]] = await Promise.all([asked(wish), learnNames()]);
    if (ended) return;
    say(why && notice(why));
    out.replaceChildren(draw(result));
  }
  const run = async (what) => {
    say(make("p", { class: "quiet", role: "status" }, "Asking …"));
    try {
      await what();
    } catch (error) {
      if (!ended) say(notice(error.message));
    }
  };
  // The next query that a client really sends.
  async function trace() {
    const { name: asked, client: from } = wanted();
    say(make("p", { class: "quiet", role: "status" }, `Waiting at most ${kTraceS} s for a client that asks ${asked} …`));
    const { traces } = await call("trace", { name: asked, exact: true, ...(from ? { client: from } : {}), seconds: kTraceS, most: 1 });
    if (ended) return;
    if (traces.length === 0) return say(notice(`No client asked ${asked} within ${kTraceS} s.`));
    const result = await call("explain", { id: traces[0].id });
    say();
    out.replaceChildren(draw(result));
  }
  const form = make("form", {
    onsubmit: (event) => {
      event.preventDefault();
      const to = wanted();
      const hash = address(to.name, to.type, to.client, to.server);
      if (location.hash === hash) run(() => explain(to));
      else location.hash = hash;
    },
  }, make("label", {}, "Name", fields.name), make("label", {}, "Type", fields.type), make("datalist", { id: "types" }, kTypes.map((one) => make("option", { value: one }))),
  make("label", {}, "Client", fields.client), make("label", {}, "Server", fields.server), make("button", { class: "main" }, "Explain"),
  make("button", { type: "button", onclick: () => form.reportValidity() && run(trace) }, "Trace the next one"));
  place.replaceChildren(panel("A query", form, make("p", { class: "quiet" }, prose("`Explain` asks the query now, as this client. `Trace the next one` waits for a client that asks this name."))),
    told, make("p"), out);
  if (name) run(() => explain(wanted()));
  return () => { ended = true; };
}
