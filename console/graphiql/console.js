import { authorization, createFetcher, execute, explain, token } from "/console/client.js";

const { React, ReactDOM, GraphiQL, GraphiQLPluginExplorer } = window;
const h = React.createElement;
const PANEL = "Saved operations";
const WELCOME = `# Write an operation here,
# or open a saved one on the left.
#
#   Ctrl-Enter  runs it
#   Ctrl-Space  completes a word
`;

const Console = React.createContext({ operations: [], problem: "" });

// --- the bar: status and token -------------------------------------------------------------

const status = document.getElementById("status");

// Text between backquotes is shown as code.
function say(state, text, title = text) {
  const parts = text.split("`").map((part, index) => {
    if (index % 2 === 0) return part;
    const code = document.createElement("code");
    code.textContent = part;
    return code;
  });
  status.dataset.state = state;
  status.title = title;
  status.replaceChildren(...parts);
}

// The last good status line, shown again when a trouble is over.
let connected = ["idle", ""];

function notify(code, answer) {
  const problem = explain(code, answer);
  if (problem) say(token.read() ? "error" : "hint", problem);
  else if (status.dataset.state === "error") say(...connected);
  return !problem;
}

function describe(viewer) {
  if (!viewer) return ["hint", "Connected; the server does not say as whom."];
  const scopes = viewer.scopes ?? [];
  return ["ok", `${viewer.subject} · tenant ${viewer.tenantId ?? "none"} · ${scopes.length} scopes`, scopes.join("\n")];
}

// True when the server takes the token: only then is the schema worth asking for.
async function showViewer() {
  let accepted = false;
  try {
    const heard = (code, answer) => (accepted = notify(code, answer));
    const answer = await execute({ query: "{ viewer { subject tenantId scopes } }" }, {}, heard);
    connected = describe(answer.data?.viewer);
    if (accepted) say(...connected);
  } catch (error) {
    say("error", error.message);
  }
  return accepted;
}

function listenToToken(changed) {
  const input = document.getElementById("token");
  const use = (value) => {
    token.write(value.trim());
    input.value = value.trim();
    changed();
  };
  input.value = token.read();
  document.getElementById("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    use(input.value);
  });
  document.getElementById("forget").addEventListener("click", () => use(""));
}

// --- the panel: saved operations -------------------------------------------------------------

async function fetchOperations() {
  const response = await fetch("/graphql/operations.json", { headers: authorization() });
  if (!response.ok) throw new Error(`The saved operations cannot be read (${response.status}).`);
  return { operations: await response.json(), problem: "" };
}

function byDomain(operations) {
  const groups = new Map();
  for (const operation of operations) {
    groups.set(operation.domain, [...(groups.get(operation.domain) ?? []), operation]);
  }
  return [...groups].sort(([a], [b]) => a.localeCompare(b));
}

// A new tab exists only after the next render; the operation goes into it then.
function useOpenInNewTab() {
  const editor = GraphiQL.React.useEditorContext({ nonNull: true });
  const waiting = React.useRef(null);
  React.useEffect(() => {
    const operation = waiting.current;
    if (!operation) return;
    waiting.current = null;
    const variables = Object.keys(operation.variables ?? {}).length ? JSON.stringify(operation.variables, null, 2) : "";
    editor.variableEditor?.setValue(variables);
    editor.queryEditor?.setValue(operation.query);
    editor.updateActiveTabValues({ query: operation.query, variables });
    editor.queryEditor?.focus();
  }, [editor.tabs.length, editor.activeTabIndex]);
  return (operation) => {
    waiting.current = operation;
    editor.addTab();
  };
}

function SavedOperations() {
  const { operations, problem } = React.useContext(Console);
  const open = useOpenInNewTab();
  const item = (operation) =>
    h("li", { key: operation.name }, h("button", { type: "button", onClick: () => open(operation) }, operation.title));
  const group = ([domain, members]) =>
    h("details", { key: domain, open: true }, h("summary", null, domain), h("ul", null, members.map(item)));
  return h(
    "section",
    { className: "saved", "aria-label": PANEL },
    h("h2", { className: "graphiql-doc-explorer-title" }, PANEL),
    h("p", { className: "saved-note" }, problem || "Each opens in a new tab."),
    byDomain(operations).map(group),
    h("p", { className: "saved-note" }, h("a", { href: "/console/assets/licenses.txt" }, "Licences of this page's parts")),
  );
}

function BookmarkIcon() {
  const path = h("path", { d: "M4 1.5h8v13l-4-3.2-4 3.2z", stroke: "currentColor", strokeWidth: 1.5, strokeLinejoin: "round" });
  return h("svg", { viewBox: "0 0 16 16", fill: "none", height: "1em", "aria-hidden": true }, path);
}

// Made once: GraphiQL knows a panel by its identity.
const saved = { title: PANEL, icon: BookmarkIcon, content: SavedOperations };
const plugins = [saved, GraphiQLPluginExplorer.explorerPlugin()];

// --- the page --------------------------------------------------------------------------------

const fetcher = createFetcher(notify);

function Page() {
  const [generation, setGeneration] = React.useState(0);
  const [accepted, setAccepted] = React.useState(false);
  const [shared, setShared] = React.useState({ operations: [], problem: "" });
  React.useEffect(() => listenToToken(() => setGeneration((n) => n + 1)), []);
  React.useEffect(() => {
    let current = true;
    const keep = (set) => (value) => current && set(value);
    setAccepted(false);
    showViewer().then(keep(setAccepted));
    fetchOperations()
      .catch((error) => ({ operations: [], problem: error.message }))
      .then(keep(setShared));
    return () => (current = false);
  }, [generation]);
  // For GraphiQL, null means "no schema" and undefined means "ask the server".
  const source = { fetcher, schema: accepted ? undefined : null, inputValueDeprecation: true };
  const panes = { plugins, visiblePlugin: saved, defaultQuery: WELCOME, defaultEditorToolsVisibility: "variables" };
  // Headers may hold secrets, so they are never written to local storage.
  const headers = { isHeadersEditorEnabled: true, shouldPersistHeaders: false, showPersistHeadersSettings: false };
  return h(Console.Provider, { value: shared }, h(GraphiQL, { ...source, ...panes, ...headers }));
}

ReactDOM.createRoot(document.getElementById("graphiql")).render(h(Page));
