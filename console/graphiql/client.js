// Speaks to POST /graphql: JSON answers, and subscriptions as server-sent events
// ("distinct connections mode" of the GraphQL over SSE protocol).

const ENDPOINT = "/graphql";
const STORED = "dovetail.console.token";
const MAKE_ONE = "`dovetail token issue --role admin`";

// Session storage: the token ends with the tab, and no other tab reads it.
export const token = {
  read: () => sessionStorage.getItem(STORED) ?? "",
  write: (value) => (value ? sessionStorage.setItem(STORED, value) : sessionStorage.removeItem(STORED)),
};

export function authorization() {
  const value = token.read();
  return value ? { Authorization: `Bearer ${value}` } : {};
}

async function post(request, accept, extra, signal) {
  const headers = new Headers({ "Content-Type": "application/json", Accept: accept, ...authorization() });
  for (const [name, value] of Object.entries(extra ?? {})) headers.set(name, value);
  try {
    return await fetch(ENDPOINT, { method: "POST", headers, body: JSON.stringify(request), signal });
  } catch (error) {
    throw signal?.aborted ? error : new Error("The server cannot be reached.", { cause: error });
  }
}

async function readAnswer(response) {
  try {
    return await response.json();
  } catch {
    return { errors: [{ message: `The server answered ${response.status} without JSON.` }] };
  }
}

// What a refusal means for the person at the keyboard; null where the answer speaks for itself.
export function explain(status, answer) {
  const said = answer?.errors?.[0]?.message ?? "";
  if (status === 401 && !token.read()) return `No token yet. Make one and paste it: ${MAKE_ONE}`;
  if (status === 401) return `This token is refused: mistyped, expired or revoked. Make a new one: ${MAKE_ONE}`;
  if (status === 403) return `This token may not do that. ${said}`;
  if (status === 429) return `Too much at once; wait a moment. ${said}`;
  return status >= 500 ? `The server failed (${status}). ${said}` : null;
}

export async function execute(request, headers, notify) {
  const response = await post(request, "application/graphql-response+json, application/json", headers);
  const answer = await readAnswer(response);
  notify(response.status, answer);
  return answer;
}

function parseEvent(block) {
  const event = { name: "message", data: [] };
  for (const line of block.split(/\r\n|\n|\r/)) {
    const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
    if (field === "event") event.name = value;
    if (field === "data") event.data.push(value);
  }
  return { name: event.name, data: event.data.join("\n") };
}

async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split(/\r\n\r\n|\n\n|\r\r/);
      rest = blocks.pop();
      yield* blocks.map(parseEvent);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

async function* readResults(request, headers, notify, signal) {
  try {
    const response = await post(request, "text/event-stream", headers, signal);
    if (!response.headers.get("content-type")?.startsWith("text/event-stream")) {
      const answer = await readAnswer(response);
      notify(response.status, answer);
      yield answer;
      return;
    }
    notify(response.status, null);
    for await (const { name, data } of readEvents(response.body)) {
      if (name === "complete") return;
      if (name === "next") yield JSON.parse(data);
    }
    throw new Error("The connection ended before the subscription was complete.");
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

// An async generator's own return() waits for the event it is reading; a stop must not.
function subscribe(request, headers, notify) {
  const abort = new AbortController();
  const results = readResults(request, headers, notify, abort.signal);
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => results.next(),
    return() {
      abort.abort();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
}

function isSubscription({ query, operationName }) {
  const { getOperationAST, parse } = window.GraphiQL.GraphQL;
  try {
    return getOperationAST(parse(query), operationName)?.operation === "subscription";
  } catch {
    return false; // A document that does not parse: the server's answer says where.
  }
}

export function createFetcher(notify) {
  return (request, { headers } = {}) => (isSubscription(request) ? subscribe : execute)(request, headers, notify);
}
