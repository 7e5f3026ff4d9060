"use strict";
// A conversation with the server that this page came from. Nothing is fetched from elsewhere.

const $ = (id) => document.getElementById(id);
const budgets = [null, 0, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 24576, 32768];
const store = {
  read(key, otherwise) {
    try { return JSON.parse(localStorage.getItem("bitbudget." + key)) ?? otherwise; } catch { return otherwise; }
  },
  write(key, value) {
    try { localStorage.setItem("bitbudget." + key, JSON.stringify(value)); } catch { tell("The browser keeps no more conversations."); }
  },
};

let talks = store.read("talks", []);
let current = null;
let running = null;
let memory = null;
let context = 0;

// What is sent.

function headers() {
  const all = { "Content-Type": "application/json" };
  const key = $("key").value || sessionStorage.getItem("bitbudget.key");
  if (key) all["Authorization"] = "Bearer " + key;
  return all;
}

async function call(path, body, signal) {
  const options = body ? { method: "POST", body: JSON.stringify(body) } : {};
  const response = await fetch(path, { headers: headers(), signal, ...options });
  if (response.ok) return response;
  let message = response.status + " " + response.statusText;
  try { message = (await response.json()).error.message; } catch { /* no JSON */ }
  throw new Error(message);
}

function settings() {
  const budget = budgets[Number($("budget").value)];
  const samples = Number($("samples").value);
  const temperature = Number($("temperature").value);
  const asked = { temperature };
  if (budget === 0) asked.reasoning_effort = "none";
  if (budget > 0) {
    asked.thinking_token_budget = budget;
    if ($("force").checked) asked.thinking_force = true;
  }
  if (samples > 1) asked.vote = samples;
  if ($("seed").value !== "") asked.seed = Number($("seed").value);
  if (policy()) asked.kv = policy();
  return asked;
}

// What the KV cache of the conversation keeps: what was chosen for it where the server offers that, else the server's own.
function policy() {
  const offered = (memory?.policies ?? []).map((policy) => policy.kv);
  return offered.includes(current?.kv) ? current.kv : offered[0];
}

// An answer arrives as server-sent events: lines that begin with "data: ".
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    pending += value;
    const lines = pending.split("\n");
    pending = lines.pop();
    for (const line of lines) {
      if (line.startsWith("data: {")) yield JSON.parse(line.slice(6));
    }
  }
}

async function ask(words) {
  const asked = settings();
  const messages = current.messages.map(({ role, content }) => ({ role, content }));
  const system = $("system").value.trim();
  if (system) messages.unshift({ role: "system", content: system });
  messages.push({ role: "user", content: words });
  current.messages.push({ role: "user", content: words });
  if (current.title === "") current.title = words.slice(0, 60);
  const reply = { role: "assistant", content: "", thought: "", budget: asked.thinking_token_budget };
  current.messages.push(reply);
  const view = show(reply);
  running = new AbortController();
  tell("");
  paint();
  const began = performance.now();
  let first = 0;
  let pieces = 0;
  const watch = setInterval(refreshMemory, 1000);
  try {
    const body = { messages, stream: true, stream_options: { include_usage: true }, ...asked };
    for await (const event of events(await call("v1/chat/completions", body, running.signal))) {
      if (event.error) throw new Error(event.error.message);
      const choice = event.choices[0];
      const thought = choice?.delta?.reasoning_content ?? "";
      const answer = choice?.delta?.content ?? "";
      if (thought || answer) {
        pieces += 1;
        first ||= performance.now();
      }
      reply.thought += thought;
      reply.content += answer;
      if (thought && !reply.votes) reply.thoughtTokens = (reply.thoughtTokens ?? 0) + 1;
      if (choice?.finish_reason) reply.ending = choice.finish_reason;
      if (event.votes) reply.votes = event.votes;
      reply.kv = event.kv_cache;
      if (event.usage) {
        reply.tokens = event.usage.completion_tokens;
        reply.cached = event.usage.prompt_tokens_details.cached_tokens;
        reply.prompt = event.usage.prompt_tokens;
        if (!reply.votes) reply.thoughtTokens = event.usage.completion_tokens_details.reasoning_tokens;
      }
      const end = performance.now();
      const since = reply.votes ? began : first;
      const tokens = (reply.tokens ?? pieces) - (reply.votes ? 0 : 1);
      if (since && end > since && tokens > 0) reply.rate = (1000 * tokens) / (end - since);
      view.update();
    }
  } catch (error) {
    if (error.name === "AbortError") reply.ending = "stopped";
    else {
      tell(error.message);
      reply.ending = "failed";
    }
  }
  clearInterval(watch);
  running = null;
  if (!reply.content && !reply.thought) current.messages.splice(-2, 2);
  view.update();
  save();
  paint();
  refreshMemory();
}

// What is shown.

function element(kind, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(kind), attributes);
  made.append(...children);
  return made;
}

function show(message) {
  const text = element("div", { className: "text" });
  const article = element("article", { className: message.role });
  const summary = element("summary");
  const thought = element("div", { className: "text" });
  const details = element("details", {}, summary, thought);
  const figures = element("div", { className: "figures" });
  const tally = element("div", { className: "tally" });
  article.append(details, text, tally, figures);
  const view = {
    update() {
      const talk = $("talk");
      const atEnd = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 80;
      text.textContent = message.content;
      details.hidden = !message.thought;
      thought.textContent = message.thought ?? "";
      const bound = message.budget ? `${message.votes ? "up to" : "of"} ${message.budget}` : "";
      summary.textContent = ["Thinking:", message.thoughtTokens, bound, "tokens"].filter(Boolean).join(" ");
      tally.replaceChildren(...votes(message.votes));
      tally.hidden = !message.votes;
      figures.textContent = words(message);
      figures.hidden = !figures.textContent;
      if (atEnd) talk.scrollTop = talk.scrollHeight;
    },
  };
  view.update();
  $("talk").append(article);
  $("talk").scrollTop = $("talk").scrollHeight;
  return view;
}

function votes(votes) {
  if (!votes) return [];
  const row = (name, count) =>
    element("div", {}, element("span", { textContent: name }),
      element("meter", { max: votes.of, value: count, title: `${count} of ${votes.of}` }),
      element("span", { textContent: count }));
  const rows = votes.ranking.map((candidate) => row(candidate.answer, candidate.votes));
  if (votes.without_answer) rows.push(row("no answer", votes.without_answer));
  return rows;
}

function words(message) {
  if (message.role === "user") return "";
  const parts = [];
  if (message.tokens) parts.push(`${message.tokens} tokens`);
  if (message.rate) parts.push(`${message.rate.toFixed(1)} tokens/s`);
  if (message.cached) parts.push(`${message.cached} of ${message.prompt} prompt tokens from the cache`);
  if (message.kv) parts.push(`KV cache ${message.kv}`);
  if (message.ending === "length") parts.push("ended by the token limit");
  if (message.ending === "stopped") parts.push("stopped");
  return parts.join(" · ");
}

function tell(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
}

function bytes(count) {
  const mebibytes = count / 1048576;
  return mebibytes < 1024 ? `${mebibytes.toFixed(1)} MiB` : `${(mebibytes / 1024).toFixed(2)} GiB`;
}

async function refreshMemory(again = true) {
  const asked = settings();
  const last = current.messages.findLast((message) => message.prompt);
  const prompt = Math.min(last ? last.prompt + Math.ceil(last.tokens / (last.votes?.of ?? 1)) : 32, context - 1);
  const reply = Math.min(asked.thinking_token_budget ? asked.thinking_token_budget + 80 : 512, context - prompt);
  try {
    const kv = asked.kv ? `&kv=${encodeURIComponent(asked.kv)}` : "";
    const path = `memory?prompt=${prompt}&reply=${reply}&texts=${asked.vote ?? 1}${kv}`;
    memory = await (await call(path)).json();
  } catch (error) {
    return tell(error.message);
  }
  if (again && memory.kv !== policy()) return refreshMemory(false);
  const part = (count) => `${(100 * Math.max(0, count)) / memory.total}%`;
  const end = Math.max(memory.kv_at_end - memory.kv_held, 0);
  $("bar-weights").style.width = part(memory.weights + memory.working);
  $("bar-held").style.width = part(memory.kv_held);
  $("bar-end").style.width = part(end);
  $("bar").classList.toggle("over", memory.kv_at_end > memory.kv_budget);
  const free = memory.total - memory.weights - memory.working - Math.max(memory.kv_held, memory.kv_at_end);
  $("memory-text").textContent =
    `weights and working memory ${bytes(memory.weights + memory.working)} · KV now ${bytes(memory.kv_held)} · ` +
    `KV at the budget's end ${bytes(memory.kv_at_end)} · free ${bytes(Math.max(free, 0))} of ${bytes(memory.total)}`;
  $("memory").setAttribute("aria-label", "Memory: " + $("memory-text").textContent);
  paintPolicies();
}

// The policies to choose from. Rows stay as they are while the same ones are offered, so that the keyboard keeps its place.
function paintPolicies() {
  const rows = $("policies");
  const names = memory.policies.map((offered) => offered.kv);
  if ([...rows.children].map((row) => row.title).join("\n") !== names.join("\n")) {
    rows.replaceChildren(...names.map((name) =>
      element("label", { title: name },
        element("input", { type: "radio", name: "kv", value: name, onchange: () => choosePolicy(name) }),
        element("span", { textContent: name }), element("output"))));
  }
  memory.policies.forEach((offered, place) => {
    const row = rows.children[place];
    const choice = row.querySelector("input");
    choice.checked = offered.kv === policy();
    choice.disabled = !offered.fits;
    row.className = offered.fits ? "" : "over";
    row.querySelector("output").textContent = bytes(offered.bytes);
  });
}

function choosePolicy(name) {
  current.kv = name;
  save();
  refreshMemory();
}

function paint() {
  $("send").textContent = running ? "Stop" : "Send";
  const budget = budgets[Number($("budget").value)];
  $("budget-text").textContent = budget === null ? "free" : budget === 0 ? "none" : `${budget} tokens`;
  $("force").disabled = !(budget > 0);
  $("samples-text").textContent = $("samples").value;
  $("temperature-text").textContent = Number($("temperature").value).toFixed(2);
  $("list").replaceChildren(...talks.map((talk) => {
    const open = element("button", { textContent: talk.title || "New conversation", onclick: () => choose(talk) });
    const remove = element("button", { textContent: "×", title: "Delete", ariaLabel: "Delete", onclick: () => forget(talk) });
    const row = element("div", { className: "row" }, open, remove);
    row.setAttribute("aria-current", talk === current);
    return row;
  }));
}

// Conversations stay in the browser.

function save() {
  store.write("talks", talks.filter((talk) => talk.messages.length > 0).slice(0, 100));
}

function choose(talk) {
  running?.abort();
  current = talk;
  $("talk").replaceChildren();
  for (const message of talk.messages) show(message);
  paint();
  refreshMemory();
  $("words").focus();
}

function fresh() {
  const empty = talks.find((talk) => talk.messages.length === 0) ?? { title: "", messages: [] };
  talks = [empty, ...talks.filter((talk) => talk !== empty)];
  choose(empty);
}

function forget(talk) {
  talks = talks.filter((other) => other !== talk);
  save();
  if (talk === current) fresh();
  else paint();
}

// Keys, clicks and the settings' own memory.

function submit() {
  if (running) return running.abort();
  const said = $("words").value.trim();
  if (!said) return;
  $("words").value = "";
  show({ role: "user", content: said });
  ask(said);
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
$("words").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (!running) submit();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") running?.abort();
  if (event.key.toLowerCase() === "o" && event.ctrlKey && event.shiftKey) {
    event.preventDefault();
    fresh();
  }
});
$("fresh").onclick = fresh;
$("theme").onclick = () => {
  const root = document.documentElement;
  const isDark = root.dataset.theme
    ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  store.write("theme", root.dataset.theme);
};
$("list-toggle").onclick = () => {
  const open = document.body.classList.toggle("with-list");
  $("list-toggle").setAttribute("aria-expanded", open);
};
$("settings-toggle").onclick = () => {
  document.body.classList.toggle("with-settings");
  const hidden = document.body.classList.toggle("without-settings");
  $("settings-toggle").setAttribute("aria-expanded", !hidden);
};
const kept = ["budget", "samples", "temperature", "seed", "system"];
for (const id of kept.concat("force")) {
  $(id).addEventListener("input", () => {
    store.write("settings", { ...Object.fromEntries(kept.map((name) => [name, $(name).value])), force: $("force").checked });
    paint();
    clearTimeout(paint.later);
    paint.later = setTimeout(refreshMemory, 200);
  });
}
$("key-form").addEventListener("submit", (event) => event.preventDefault());
$("key").addEventListener("change", () => {
  sessionStorage.setItem("bitbudget.key", $("key").value);
  begin();
});

async function begin() {
  try {
    const served = (await (await call("v1/models")).json()).data[0];
    context = served.max_model_len;
    $("model").textContent = `${served.id} · ${served.kv_cache} · ${context} tokens of context`;
    $("budget").max = budgets.filter((budget) => budget === null || budget < context - 100).length - 1;
    tell("");
  } catch (error) {
    document.body.classList.add("with-settings");
    return tell(error.message);
  }
  fresh();
}

const saved = store.read("settings", { budget: "0", samples: "1", temperature: "0.6", seed: "", system: "", force: false });
for (const id of kept) $(id).value = saved[id] ?? "";
$("force").checked = saved.force === true;
const theme = store.read("theme", null);
if (theme) document.documentElement.dataset.theme = theme;
begin();
